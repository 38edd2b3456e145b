import { expect, test } from "vitest";
import { labels as keys } from "../../src/model/annotations.ts";
import type { Member } from "../../src/model/member.ts";
import { commonLabels } from "../../src/model/names.ts";
import { labels } from "../../src/plan/labels.ts";
import { brief, isClosed, leader, leads, type MemberShape, member, snapshot } from "../builders.ts";

const labelled = { role: "leader" } as const;
const claimsToLead = (ordinal: number) => member(ordinal, { says: leads });
const was = (ordinal: number, shape: MemberShape) => member(ordinal, { pod: labelled, ...shape });
const isUndecided = { node: { kind: "open", height: 100 } } as const;

/** What is labelled, stage by stage. */
function wants(...members: readonly Member[]): string[] {
  const { stages = [] } = labels(snapshot({ members }));
  return brief({ decided: [{ by: "labels", stages }], blockers: [], recheckAfterMs: undefined });
}

test.each<[string, readonly Member[], readonly string[]]>([
  ["right labels stay", [leader(0), member(1), member(2)], []],
  [
    "the old leader's label goes in an earlier stage than the new one's comes",
    [was(0, {}), claimsToLead(1), member(2)],
    ["labels: label seq-0 follower", "labels: label seq-1 leader"],
  ],
  [
    "a first leader and its followers are labelled",
    [
      member(0, { pod: { role: undefined }, says: leads }),
      member(1, { pod: { role: undefined } }),
      member(2, { pod: { role: undefined } }),
    ],
    ["labels: label seq-1 follower, label seq-2 follower", "labels: label seq-0 leader"],
  ],
  [
    "a silent leader keeps its label while nobody else leads",
    [was(0, { says: "nothing" }), member(1), member(2)],
    [],
  ],
  [
    "a silent leader loses it when another one leads",
    [was(0, { says: "nothing" }), claimsToLead(1), member(2)],
    ["labels: label seq-0 without role", "labels: label seq-1 leader"],
  ],
  ["a silent follower keeps its label", [leader(0), member(1, { says: "nothing" }), member(2)], []],
  [
    "a leader that does not say whether it leads keeps its label while nobody else does",
    [was(0, { says: isUndecided }), member(1), member(2)],
    [],
  ],
  [
    "and loses it when another one leads",
    [was(0, { says: isUndecided }), claimsToLead(1), member(2)],
    ["labels: label seq-0 without role", "labels: label seq-1 leader"],
  ],
  ["while two claim to lead no label moves up", [leader(0), claimsToLead(1), member(2)], []],
  ["nor while two claim it and neither is labelled", [claimsToLead(0), claimsToLead(1), member(2)], []],
  [
    "a leader whose API is closed takes no transactions",
    [was(0, { says: isClosed }), member(1), member(2)],
    ["labels: label seq-0 without role"],
  ],
  [
    "a leader that is stopping neither",
    [member(0, { pod: { role: "leader", terminating: true }, says: leads }), member(1), member(2)],
    ["labels: label seq-0 without role"],
  ],
  [
    "a leader that stepped down follows at once, before another is elected",
    [was(0, {}), member(1), member(2)],
    ["labels: label seq-0 follower"],
  ],
  ["a member without a pod has no label", [leader(0), member(1, { pod: "none" }), member(2)], []],
])("%s", (_, members, actions) => {
  expect(wants(...members)).toEqual(actions);
});

test("labels that somebody took off or changed are put back, and only those", () => {
  const { [keys.instance]: _, ...rest } = commonLabels("seq");
  const changed = member(1, { pod: { labels: { ...rest, [keys.name]: "other", team: "rollup" } } });
  const { stages } = labels(snapshot({ members: [leader(0), changed, member(2)] }));
  expect(stages).toEqual([
    [
      {
        kind: "labelPod",
        member: changed,
        pod: changed.pod,
        labels: { [keys.name]: "ev-node", [keys.instance]: "seq" },
        why: "labels were changed",
      },
    ],
  ]);
});

test("a pod that is stopping is not bothered for its labels", () => {
  const stopping = member(1, { pod: { labels: {}, role: undefined, terminating: true }, says: "nothing" });
  expect(wants(leader(0), stopping, member(2))).toEqual([]);
});
