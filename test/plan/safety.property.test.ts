import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { AgentAnswer } from "../../src/model/agent-protocol.ts";
import { annotations, FINALIZER, labels } from "../../src/model/annotations.ts";
import { answerOf, type Member } from "../../src/model/member.ts";
import type { Action } from "../../src/plan/actions.ts";
import { endApproval } from "../../src/plan/approval.ts";
import { makePlan } from "../../src/plan/plan.ts";
import { rejoin } from "../../src/plan/rejoin.ts";
import type { Snapshot } from "../../src/plan/snapshot.ts";
import type { Plan } from "../../src/plan/step.ts";
import { cluster, identity, type MemberShape, member, present, snapshot } from "../builders.ts";

/**
 * What must hold of every plan, whatever was seen: any mix of states of members, claims, identity, lock and
 * deletion, sensible or not.
 */

const volumes: readonly AgentAnswer["volume"][] = [
  { kind: "unchecked" },
  { kind: "empty" },
  { kind: "foreign", message: "of another member" },
  { kind: "damaged", message: "a folder is missing" },
  { kind: "intact", epoch: 1, started: false },
  { kind: "intact", epoch: 1, started: true },
  { kind: "intact", epoch: 2, started: false },
];
const head = (hash: string) => ({ height: 100, hash, timeMs: 0 });
const nodes: readonly AgentAnswer["node"][] = [
  { kind: "closed", metricsPortOpen: true, raftPortOpen: true, sinceMs: 1 },
  { kind: "open", height: 100 },
  { kind: "open", isLeader: false, height: 100 },
  { kind: "open", isLeader: false, height: 100, head: head("aa") },
  { kind: "open", isLeader: true, height: 100, head: head("aa") },
  { kind: "open", isLeader: true, height: 100, head: head("bb") },
];

const says = fc.record({
  volume: fc.constantFrom(...volumes),
  node: fc.constantFrom(...nodes),
  clusterId: fc.constantFrom("c1", "c1", "c1", "c0"),
});
const shape: fc.Arbitrary<MemberShape> = fc.record({
  pod: fc.oneof(
    { weight: 1, arbitrary: fc.constant("none" as const) },
    {
      weight: 6,
      arbitrary: fc.record({
        role: fc.constantFrom(undefined, "leader", "follower"),
        terminating: fc.constantFrom(false, false, false, true),
      }),
    },
  ),
  claim: fc.oneof(
    { weight: 1, arbitrary: fc.constant("none" as const) },
    { weight: 6, arbitrary: fc.record({ started: fc.constantFrom(1, 1, undefined, 2) }) },
  ),
  says: fc.oneof({ weight: 1, arbitrary: fc.constant("nothing" as const) }, { weight: 6, arbitrary: says }),
});

const identities: readonly Snapshot["identity"][] = [
  present(),
  present(),
  present({ bootstrapped: undefined }),
  { kind: "absent" },
  { kind: "unusable", message: "damaged" },
];
const locks: readonly Snapshot["chainLock"][] = [
  { kind: "ours" },
  { kind: "ours" },
  { kind: "free" },
  { kind: "leftBehind" },
  { kind: "held", by: "EvNodeCluster other/seq" },
];
const running = snapshot();
const invalid = { kind: "invalid", problems: ["spec.image: Required"] } as const;

const seen: fc.Arbitrary<Snapshot> = fc
  .record({
    shapes: fc.tuple(shape, shape, shape),
    identity: fc.constantFrom(...identities),
    chainLock: fc.constantFrom(...locks),
    hasObjects: fc.constantFrom(true, true, false),
    isInvalid: fc.constantFrom(false, false, true),
    isDeleted: fc.constantFrom(false, false, false, true),
    approved: fc.constantFrom(undefined, "seq-1", "seq-2"),
  })
  .map(({ shapes, identity, chainLock, hasObjects, isInvalid, isDeleted, approved }) => ({
    ...running,
    cluster: cluster({
      metadata: {
        finalizers: [FINALIZER],
        ...(isDeleted && { deletionTimestamp: "2026-01-01T00:00:00Z" }),
        ...(approved && { annotations: { [annotations.approveRejoin]: approved } }),
      },
    }),
    parsed: isInvalid ? invalid : running.parsed,
    identity,
    chainLock: identity.kind === "present" ? chainLock : { kind: "unknown" },
    statefulSet: hasObjects ? running.statefulSet : undefined,
    objects: hasObjects ? running.objects : new Map(),
    members: shapes.map((one, ordinal) => member(ordinal, one)),
  }));

interface Context {
  readonly seen: Snapshot;
  readonly plan: Plan;
  readonly actions: readonly Action[];
}

function holds(check: (context: Context) => void, numRuns = 500): void {
  fc.assert(
    fc.property(seen, (one) => {
      const plan = makePlan(one);
      check({ seen: one, plan, actions: plan.decided.flatMap(({ stages }) => stages.flat()) });
    }),
    { numRuns },
  );
}

const volumeOf = (one: Member) => answerOf(one)?.volume;
const hasBegun = ({ identity, members }: Snapshot) =>
  (identity.kind === "present" && identity.identity.bootstrapped === 1) ||
  members.some(({ claim }) => claim?.started === 1);
const of = <K extends Action["kind"]>(actions: readonly Action[], kind: K) =>
  actions.filter((action): action is Extract<Action, { kind: K }> => action.kind === kind);

test("no order goes to an empty volume once the chain has begun, unless its owner named the member", () => {
  holds(({ seen, actions }) => {
    for (const { member, order } of of(actions, "order")) {
      if (volumeOf(member)?.kind !== "empty" || !hasBegun(seen)) continue;
      expect(order.kind).toBe("rejoin");
      expect(seen.cluster.metadata.annotations?.[annotations.approveRejoin]).toBe(member.name);
    }
  });
});

test("an approval ends only while the member that it names is known to have its volume", () => {
  let ended = 0;
  holds(({ seen }) => {
    for (const { member: name } of of(endApproval(seen, identity()), "endApproval")) {
      ended += 1;
      expect(seen.cluster.metadata.annotations?.[annotations.approveRejoin]).toBe(name);
      const named = seen.members.find((one) => one.name === name);
      expect(named && volumeOf(named)).toEqual({ kind: "intact", epoch: 1, started: true });
      expect(named?.claim?.started).toBe(1);
      expect(named?.pod?.terminating).toBe(false);
      const rebuilt = rejoin(seen, identity()).actions.flatMap((action) =>
        "member" in action ? [action.member] : [],
      );
      expect(rebuilt).not.toContainEqual(expect.objectContaining({ name }));
    }
  }, 3_000);
  expect(ended).toBeGreaterThan(0);
});

test("a member is let start only on a prepared volume, behind a marked claim and a marked identity", () => {
  holds(({ seen, actions }) => {
    for (const { member, order } of of(actions, "order")) {
      if (order.kind !== "start") continue;
      expect(volumeOf(member)).toEqual({ kind: "intact", epoch: 1, started: false });
      expect(member.claim?.started).toBe(1);
      expect(seen.identity).toEqual(present());
    }
  });
});

const all = ["seq-0", "seq-1", "seq-2"];

test("orders name all voters, and go to pods that stay, with our lock on the chain", () => {
  holds(({ seen, actions }) => {
    for (const { pod, order } of of(actions, "order")) {
      expect(pod.terminating).toBe(false);
      expect(seen.chainLock.kind).toBe("ours");
      const voters = "voters" in order ? order.voters.map(({ id }) => id) : all;
      expect(voters).toEqual(all);
    }
  });
});

test("the identity is marked only after the claims, and only when no volume can be taken for a new one", () => {
  holds(({ seen, plan }) => {
    for (const { by, stages } of plan.decided) {
      const at = stages.findIndex((stage) => stage.some(({ kind }) => kind === "markBootstrapped"));
      if (at < 0) continue;
      expect(by).toBe("bootstrap");
      const marked = of(stages.slice(0, at).flat(), "markClaim").map(({ member }) => member);
      expect(stages.slice(at).flat()).toHaveLength(1);
      for (const one of seen.members) {
        if (one.claim?.started === 1 || marked.includes(one)) continue;
        // It stays unmarked, so it will count as lost: then it must not be there, nor ever have been new.
        expect(volumeOf(one)).not.toEqual({ kind: "intact", epoch: 1, started: expect.anything() });
        expect(hasBegun(seen) || hasStarted(seen)).toBe(true);
      }
    }
  });
});

const hasStarted = ({ members }: Snapshot) =>
  members.some((one) => {
    const volume = volumeOf(one);
    return volume?.kind === "intact" && volume.started;
  });

test("an identity is made only where there was none: no claim was started and no StatefulSet stands", () => {
  holds(({ seen, actions }) => {
    if (of(actions, "createIdentity").length === 0) return;
    expect(seen.identity.kind).toBe("absent");
    expect(seen.statefulSet).toBeUndefined();
    expect(seen.members.every(({ claim }) => claim?.started === undefined)).toBe(true);
  });
});

test("no StatefulSet is made before identity and lock, and none of an invalid spec", () => {
  holds(({ seen, actions }) => {
    const made = of(actions, "create").filter(({ object }) => object.kind === "StatefulSet");
    if (made.length === 0) return;
    expect(seen.identity.kind).toBe("present");
    expect(seen.chainLock.kind).toBe("ours");
    expect(seen.parsed.kind).toBe("valid");
  });
});

test("nothing is deleted but what was switched off, and the StatefulSet with its cluster", () => {
  holds(({ seen, actions }) => {
    for (const { object } of of(actions, "delete")) {
      expect(object.kind).toBe("StatefulSet");
      expect(seen.cluster.metadata.deletionTimestamp).toBeDefined();
    }
  });
});

test("the lock is given back only when nothing of the cluster can run any more", () => {
  holds(({ seen, plan, actions }) => {
    if (of(actions, "releaseChainLock").length === 0) return;
    expect(seen.cluster.metadata.deletionTimestamp).toBeDefined();
    expect(seen.statefulSet).toBeUndefined();
    expect(seen.members.filter(({ pod }) => pod)).toEqual([]);
    expect(plan.decided[0]?.stages.map((stage) => stage.map(({ kind }) => kind))).toEqual([
      ["releaseChainLock"],
      ["removeFinalizer"],
    ]);
  }, 2_000);
});

test("one pod at most is labelled as leader: the only one that says so, after every other label went", () => {
  holds(({ seen, plan }) => {
    const stages = plan.decided.find(({ by }) => by === "labels")?.stages ?? [];
    const ups = stages.map((stage) =>
      of(stage, "labelPod").filter((action) => action.labels[labels.role] === "leader"),
    );
    const [up, ...more] = ups.flat();
    expect(more).toEqual([]);
    if (!up) return;
    const claiming = seen.members.filter((one) => {
      const node = answerOf(one)?.node;
      return one.pod && !one.pod.terminating && node?.kind === "open" && node.isLeader;
    });
    expect(claiming).toEqual([up.member]);
    const taken = new Set(
      stages.slice(0, -1).flatMap((stage) => of(stage, "labelPod").map(({ pod }) => pod)),
    );
    const stillLabelled = seen.members.filter(({ pod }) => pod?.role === "leader" && !taken.has(pod));
    expect(stillLabelled).toEqual([]);
    expect(ups.at(-1)).toEqual([up]);
  });
});

test("when blocks differ at one height, nothing but labels is written until the cluster is deleted", () => {
  holds(({ seen, plan }) => {
    const hashes = new Set(
      seen.members.flatMap((one) => {
        const node = answerOf(one)?.node;
        return node?.kind === "open" && node.head ? [node.head.hash] : [];
      }),
    );
    if (hashes.size < 2) return;
    expect(plan.decided.map(({ by }) => by).filter((by) => by !== "labels" && by !== "deletion")).toEqual([]);
  });
});

test("two looks at the same world decide the same", () => {
  holds(({ seen, plan }) => expect(makePlan(structuredClone(seen))).toEqual(plan), 100);
});
