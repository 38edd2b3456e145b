import { expect, test } from "vitest";
import { annotations } from "../../src/model/annotations.ts";
import type { Member } from "../../src/model/member.ts";
import { bootstrap } from "../../src/plan/bootstrap.ts";
import { cluster, isClosed, isEmpty, leader, member, peer, snapshot } from "../builders.ts";

const approved = cluster({ metadata: { annotations: { [annotations.approveRejoin]: "seq-2" } } });
const lost = member(2, isEmpty);

test.each<[string, readonly Member[], string]>([
  [
    "a member that lags",
    [leader(0), member(1, { says: { peers: [peer("seq-0", { height: 999 }), peer("seq-2")] } })],
    "seq-1 is more than 30 blocks behind",
  ],
  [
    "a member that is cut off",
    [
      leader(0),
      member(1, {
        says: {
          peers: ["seq-0", "seq-2"].map((name) => peer(name, { raft: { kind: "timedOut", ageMs: 1 } })),
        },
      }),
    ],
    "there is no path from seq-1 to seq-0 on Raft port 5001: no answer, as behind a firewall",
  ],
  [
    "a member that does not run",
    [leader(0), member(1, { says: isClosed })],
    "ev-node of seq-1 runs, but knows no leader yet",
  ],
  [
    "a member that is silent",
    [leader(0), member(1, { says: "nothing" })],
    "the agent of seq-1 does not answer",
  ],
  ["a group without a leader", [member(0), member(1)], "not exactly one member leads"],
])("an approved rebuild that waits for %s says so", (_, others, obstacle) => {
  const step = bootstrap(snapshot({ cluster: approved, members: [...others, lost] }));
  const told = step.blockers?.map(({ message }) => message);
  expect(told).toEqual([
    `seq-2 has lost its data: the volume of claim data-seq-2 is empty. It is approved to be rebuilt from the others, and waits: ${obstacle}.`,
  ]);
});
