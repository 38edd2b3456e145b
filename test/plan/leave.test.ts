import { expect, test } from "vitest";
import type { Status } from "../../src/api/evnodecluster.ts";
import { annotations } from "../../src/model/annotations.ts";
import type { Member } from "../../src/model/member.ts";
import { bootstrap } from "../../src/plan/bootstrap.ts";
import { leaveFor } from "../../src/plan/leave.ts";
import { rejoin } from "../../src/plan/rejoin.ts";
import { repairsOf } from "../../src/plan/repairs-status.ts";
import { lostMembers } from "../../src/plan/volumes.ts";
import { briefAction } from "../brief.ts";
import {
  cluster,
  identity,
  isEmpty,
  leader,
  type MemberShape,
  member,
  NOW_MS,
  snapshot,
} from "../builders.ts";
import { leads, says, type Trait, updated } from "../member-traits.ts";
import { rolling } from "../rolling.ts";

const MINUTE_MS = 60_000;
/** ev-node ends on what it holds. */
const hasForked: MemberShape = {
  pod: {
    ready: false,
    evnode: {
      kind: "waiting",
      reason: "CrashLoopBackOff",
      message: "",
      lastExit: { code: 1, lastLine: "invalid state: block hash mismatch at height 12: raft=aa local=bb" },
    },
  },
  says: {
    fingerprints: {},
    node: { kind: "closed", metricsPortOpen: false, raftPortOpen: false, sinceMs: 1 },
  },
};
const lost = member(2, isEmpty);

const agoMs = (ms: number) => new Date(NOW_MS - ms).toISOString();
const repair = (order: string, ms: number) => ({ member: "seq-1", order, at: agoMs(ms) });

function leave(
  fields: Parameters<typeof cluster>[0],
  members: readonly Member[] = [leader(0), member(1), lost],
) {
  const seen = snapshot({ cluster: cluster(fields), members });
  const all = lostMembers(seen, identity());
  const one = all.find((found) => found.member.name === "seq-2");
  if (!one) throw new Error("seq-2 is to be lost");
  return leaveFor(one, all.length, seen);
}

const withRepairs = (...repairs: NonNullable<Status["repairs"]>) => ({ status: { repairs } });
const others = ["a", "b", "c"].map((order, index) => repair(order, (index + 1) * MINUTE_MS));

test.each<[string, ReturnType<typeof leave>, string]>([
  ["a single loss", leave({}), "policy"],
  ["a single loss whose owner wants to be asked", leave({ spec: { repair: { mode: "Approve" } } }), "ask"],
  [
    "a loss that its owner approved",
    leave({
      spec: { repair: { mode: "Approve" } },
      metadata: { annotations: { [annotations.approveRejoin]: "seq-2" } },
    }),
    "approved",
  ],
  ["blocks of a fork", leave({}, [leader(0), member(1), member(2, hasForked)]), "ask"],
  [
    "blocks of a fork, and its owner has looked at them",
    leave({ metadata: { annotations: { [annotations.approveRejoin]: "seq-2" } } }, [
      leader(0),
      member(1),
      member(2, hasForked),
    ]),
    "approved",
  ],
  ["one loss of two", leave({}, [leader(0), member(1, isEmpty), lost]), "ask"],
  [
    "a copy that somebody brought back",
    leave({}, [leader(0), member(1), member(2, { claim: { started: undefined } })]),
    "ask",
  ],
  ["a spec that is not valid", leave({ spec: { replicas: 4 as never } }), "ask"],
  ["a loss after as many as are allowed", leave(withRepairs(...others)), "ask"],
  ["a loss after fewer than are allowed", leave(withRepairs(...others.slice(1))), "policy"],
  [
    "a loss after as many, one of which is more than an hour ago",
    leave(withRepairs(repair("a", 61 * MINUTE_MS), ...others.slice(1))),
    "policy",
  ],
  [
    "a loss whose repair was begun and is the last that is allowed",
    leave(withRepairs(...others.slice(1), repair("rejoin-uid-of-seq-2", MINUTE_MS))),
    "policy",
  ],
])("%s", (_, { kind }, expected) => {
  expect(kind).toBe(expected);
});

test("the policy acts on a certain snapshot only", () => {
  const members = [leader(0), member(1), lost];
  expect(rejoin(snapshot({ members }), identity())).toEqual({ actions: [], needsCertainty: true });
  const { actions } = rejoin(snapshot({ members, isCertain: true }), identity());
  expect(actions.map(briefAction)).toEqual(["order seq-2 rejoin"]);
});

test("who asks after many repairs says so", () => {
  expect(leave(withRepairs(...others))).toEqual({
    kind: "ask",
    why: "3 members were rebuilt within the last hour, and spec.repair.maxPerHour allows 3.",
  });
});

const again = member(2, { ...isEmpty, says: { ...isEmpty.says, executedOrder: "rejoin-uid-of-seq-2" } });
const first = repair("rejoin-uid-of-seq-2", MINUTE_MS);

test("a member that lost its volume again in the same pod is given another order", () => {
  const before = cluster({ status: { repairs: [{ ...first, doneAt: agoMs(1) }] } });
  const seen = snapshot({ cluster: before, members: [leader(0), member(1), again], isCertain: true });
  expect(rejoin(seen, identity()).actions).toMatchObject([{ order: { id: "rejoin-uid-of-seq-2-2" } }]);
});

test("not while it has not come up since the one before, whoever allows it", () => {
  const metadata = { annotations: { [annotations.approveRejoin]: "seq-2" } };
  const found = leave({ ...withRepairs(first), metadata }, [leader(0), member(1), again]);
  expect(found.kind).toBe("ask");
  expect(found).toMatchObject({ why: expect.stringMatching(/did not come up.*delete pod seq-2/) });
});

const damagedStore = member(2, {
  pod: {
    evnode: {
      kind: "waiting",
      reason: "CrashLoopBackOff",
      message: "",
      lastExit: { code: 1, lastLine: "open block store: manifest has unsupported version: 9" },
    },
  },
  says: {
    node: { kind: "closed", metricsPortOpen: false, raftPortOpen: false, sinceMs: 1 },
    fingerprints: { voters: "v" },
  },
});

test("a volume that looks intact and cannot be used is written anew by the policy", () => {
  const seen = snapshot({ members: [leader(0), member(1), damagedStore], isCertain: true });
  expect(rejoin(seen, identity()).actions).toMatchObject([{ order: { anew: "all" } }]);
});

test("not where its agent is of a version that refuses that", () => {
  const { report } = damagedStore;
  if (report.kind !== "answered") throw new Error("it answers");
  const { fingerprints: _, ...answer } = report.answer;
  const old = { ...damagedStore, report: { ...report, answer } };
  expect(lostMembers(snapshot({ members: [leader(0), member(1), old] }), identity())).toEqual([]);
});

const follows: readonly Trait[] = [];
/** Its ev-node ends again and again, as a program of another version would on the same files. */
const cannotRead: Trait = (draft, templates) => {
  const { pod, says: told } = says({
    node: { kind: "closed", metricsPortOpen: false, raftPortOpen: false, sinceMs: 1 },
    fingerprints: { voters: "v" },
  })(draft, templates);
  const evnode = {
    name: "evnode",
    restartCount: 3,
    ready: false,
    image: "i",
    imageID: "i",
    state: { waiting: { reason: "CrashLoopBackOff" } },
    lastState: {
      terminated: { exitCode: 1, message: "open block store: manifest has unsupported version: 9" },
    },
  };
  return {
    says: told,
    pod: pod && { ...pod, status: { ...pod.status, containerStatuses: [evnode] } },
  };
};

test("nor on a member that a rollout has changed: another image may be all that is wrong", () => {
  const seen = rolling({ members: [leads, follows, [updated, cannotRead]], isCertain: true });
  const all = lostMembers(seen, identity());
  expect(all.map(({ member: { name } }) => name)).toEqual(["seq-2"]);
  expect(all.map((one) => leaveFor(one, all.length, seen))).toMatchObject([
    { kind: "ask", why: expect.stringContaining("rollout") },
  ]);
  const before = rolling({ members: [leads, follows, cannotRead], isCertain: true });
  const [one] = lostMembers(before, identity());
  expect(one && leaveFor(one, 1, before).kind).toBe("policy");
});

test.each<[string, MemberShape]>([
  ["a member whose agent is silent", { says: "nothing", claim: { started: undefined } }],
  [
    "one whose agent has not looked yet",
    { says: { volume: { kind: "unchecked" } }, claim: { started: undefined } },
  ],
])("%s may run on a copy of its volume: its claim is not marked without its owner", (_, shape) => {
  const seen = snapshot({ members: [leader(0), member(1), member(2, shape)], isCertain: true });
  expect(rejoin(seen, identity()).actions).toEqual([]);
});

test("a repair that the status does not tell yet has not come up either", () => {
  expect(leave({}, [leader(0), member(1), again]).kind).toBe("ask");
});

test("who waits for another pod is not told to approve", () => {
  const before = cluster({ status: { repairs: [first] } });
  const { blockers } = bootstrap(snapshot({ cluster: before, members: [leader(0), member(1), again] }));
  expect(blockers?.map(({ message }) => message)).toEqual([expect.stringMatching(/delete pod seq-2\.$/)]);
});

test("as many repairs as may be allowed are remembered, or nobody could count them", () => {
  const most = Math.max(...Array.from({ length: 100 }, (_, count) => count).filter(isAllowed));
  const repairs = Array.from({ length: most }, (_, count) => repair(`order-${count}`, MINUTE_MS));
  const fields = { spec: { repair: { maxPerHour: most } }, status: { repairs } };
  const members = [leader(0), member(1), lost];
  const seen = snapshot({ cluster: cluster(fields), members });
  expect(repairsOf(seen).repairs).toHaveLength(most);
  expect(leave(fields).kind).toBe("ask");
});

function isAllowed(maxPerHour: number): boolean {
  return snapshot({ cluster: cluster({ spec: { repair: { maxPerHour } } }) }).parsed.kind === "valid";
}
