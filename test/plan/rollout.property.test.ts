import * as fc from "fast-check";
import { expect, test } from "vitest";
import { annotations } from "../../src/model/annotations.ts";
import { answerOf, isFailed, type Member } from "../../src/model/member.ts";
import type { Action } from "../../src/plan/actions.ts";
import { makePlan } from "../../src/plan/plan.ts";
import { isOutdated, isPresent, sceneOf, standing } from "../../src/plan/rollout-scene.ts";
import type { Snapshot } from "../../src/plan/snapshot.ts";
import { actionsOf } from "../../src/plan/step.ts";
import { wishState } from "../../src/plan/wish-state.ts";
import { briefAction } from "../brief.ts";
import {
  agentRestarted,
  begun,
  behind,
  broken,
  closed,
  cutFrom,
  gone,
  leaderless,
  leads,
  restarted,
  says,
  silent,
  stopping,
  type Trait,
  touched,
  unready,
  updated,
  waits,
} from "../member-traits.ts";
import {
  claimed,
  completedRecord,
  NEW_IMAGE,
  type RollingShape,
  reverting,
  rolling,
  unprovenRecord,
  wished,
} from "../rolling.ts";

/** What must hold of every step of a rollout, whatever was seen: any mix of members and policies, sensible or not. */

const pods: readonly (readonly Trait[])[] = [
  [],
  [],
  [updated],
  [updated],
  [begun()],
  [touched()],
  [touched(), restarted],
  [touched({ revision: "seq-0-of-old" })],
  [gone],
  [stopping],
];
const answers: readonly (readonly Trait[])[] = [
  [],
  [],
  [],
  [],
  [silent],
  [closed],
  [unready(400_000), closed],
  [broken],
  [waits("evnode", "ImagePullBackOff"), closed],
  [behind(20)],
  [behind(2)],
  [cutFrom("seq-0")],
  [leaderless(40_000)],
  [says({ ready: { ok: true, message: "", forMs: 10 } })],
  [says({ configRevision: "r0" })],
];
/** Its agent is in trouble, and ev-node goes on beside it. */
const agentTroubles: readonly (readonly Trait[])[] = [
  [waits("agent", "CrashLoopBackOff"), silent],
  [agentRestarted, says({ prepare: { kind: "refused", reason: "Config", message: "" } })],
];

const changes: readonly NonNullable<RollingShape["change"]>[] = [
  { image: NEW_IMAGE },
  { log: { level: "debug" } },
  { pod: { nodeSelector: { disk: "fast" } } },
];
const policies: readonly NonNullable<NonNullable<RollingShape["change"]>["rollout"]>[] = [
  {},
  { mode: "Plan" },
  { mode: "Paused" },
];
const makers = [rolling, rolling, rolling, reverting, wished];

const arbitrary = (troubles: readonly (readonly Trait[])[]): fc.Arbitrary<Snapshot> =>
  fc
    .record({
      members: fc.constantFrom(3, 3, 5).chain((count) =>
        fc.array(fc.tuple(fc.constantFrom(...pods), fc.constantFrom(...answers, ...troubles)), {
          minLength: count,
          maxLength: count,
        }),
      ),
      leader: fc.constantFrom(0, 0, 1, 2, undefined),
      change: fc.constantFrom(...changes),
      rollout: fc.oneof({ weight: 2, arbitrary: fc.constant({}) }, fc.constantFrom(...policies)),
      make: fc.constantFrom(...makers),
      record: fc.constantFrom(undefined, undefined, "none" as const, unprovenRecord, completedRecord),
      budget: fc.constantFrom(undefined, "off" as const, claimed("seq-2"), claimed("seq-1", 9_000)),
      asked: fc.constantFrom(undefined, undefined, "seq-0", "seq-1"),
      isCertain: fc.constantFrom(true, true, false),
      isInvalid: fc.constantFrom(false, false, false, true),
    })
    .map(({ members, leader, change, rollout, make, record, budget, asked, isCertain, isInvalid }) => {
      const seen = make({
        change: { ...change, rollout },
        spec: { replicas: members.length as 3 },
        members: members.map(([pod, answer], ordinal) => [
          ...pod,
          ...answer,
          ...(ordinal === leader ? [leads] : []),
        ]),
        isCertain,
        ...(record && { record }),
        ...(budget && { budget }),
      });
      const invalid = { kind: "invalid", problems: ["spec.image: Required"] } as const;
      const notes = asked === undefined ? {} : { annotations: { [annotations.restartMember]: asked } };
      const cluster = { ...seen.cluster, metadata: { ...seen.cluster.metadata, ...notes } };
      return { ...seen, cluster, ...(isInvalid && { parsed: invalid }) };
    });

type TakesAway = Extract<Action, { kind: "updatePod" | "removePod" }>;

function victimsIn(actions: readonly Action[]): readonly Member[] {
  for (const action of actions) if (action.kind === "delete") expect(action.object.kind).not.toBe("Pod");
  return actions
    .filter((action): action is TakesAway => action.kind === "updatePod" || action.kind === "removePod")
    .filter((action) => action.kind === "removePod" || action.takesAway)
    .map(({ member }) => member);
}

interface Taken {
  readonly seen: Snapshot;
  readonly victim: Member;
  readonly scene: NonNullable<ReturnType<typeof sceneOf>>;
}

/** Checks every plan that takes a member away; there must be some. */
function holds(check: (taken: Taken) => void, troubles: readonly (readonly Trait[])[] = []): void {
  let count = 0;
  fc.assert(
    fc.property(arbitrary(troubles), (seen) => {
      const plan = makePlan(seen);
      const victims = victimsIn(actionsOf(plan));
      expect(victims.length).toBeLessThanOrEqual(1);
      const [victim] = victims;
      if (!victim) return;
      count += 1;
      const scene = sceneOf(seen, plan.blockers);
      if (!scene) throw new Error("nobody is taken away from a cluster that is not set up");
      check({ seen, victim, scene });
    }),
    // One case in thirty takes a member away.
    { numRuns: 3_000 },
  );
  expect(count).toBeGreaterThan(15);
}

/** By its own processes: nothing of it runs, or it runs without knowing a leader that anybody knows. */
function hasNothingToLose({ pod, ...member }: Member, { members }: Snapshot): boolean {
  if (!pod || isFailed(pod.evnode) || pod.evnode.kind !== "running") return true;
  const all = members.map((one) => answerOf(one));
  const isQuorumless = all.every((one) => one && !(one.node.kind === "open" && one.node.isLeader));
  const own = answerOf({ ...member, pod });
  return isQuorumless && own?.node.kind === "closed" && (own.ready.forMs ?? 0) >= 30_000;
}

test("nobody is taken away on what was remembered, or while the spec or a policy is against it", () => {
  holds(({ seen, scene }) => {
    expect(seen.isCertain).toBe(true);
    expect(scene.blockers).toEqual([]);
    expect(seen.parsed.kind).toBe("valid");
    expect(scene.policy?.mode).not.toBe("Paused");
    expect(wishState(scene).kind).not.toBe("held");
  });
});

test("nobody is taken away while another one does not take part, but who has nothing to lose", () => {
  holds(({ seen, victim, scene }) => {
    if (hasNothingToLose(victim, seen)) return;
    const others = seen.members.filter((member) => member !== victim);
    expect(others.map((member) => standing(member, scene).kind)).toEqual(others.map(() => "takesPart"));
  });
});

test("the leader is not taken away while a follower is outdated", () => {
  holds(({ seen, victim, scene }) => {
    const { leadership, target } = scene;
    if (leadership.kind !== "one" || victim !== leadership.leader || hasNothingToLose(victim, seen)) return;
    const outdated = seen.members
      .filter(isPresent)
      .filter((member) => member !== victim && target && isOutdated(member, target));
    expect(outdated).toEqual([]);
  });
});

test("a member that runs the template is taken away only when its owner asked for it", () => {
  holds(({ seen, victim, scene }) => {
    if (!scene.target || !isPresent(victim) || isOutdated(victim, scene.target)) return;
    expect(seen.cluster.metadata.annotations?.[annotations.restartMember]).toBe(victim.name);
  });
});

test("the trouble of an agent is no reason to take a running member away beside another that is away", () => {
  holds(({ seen, victim, scene }) => {
    if (hasNothingToLose(victim, seen)) return;
    const others = seen.members.filter((member) => member !== victim);
    expect(others.map((member) => standing(member, scene).kind)).toEqual(others.map(() => "takesPart"));
  }, agentTroubles);
});

/** The same, with all fields in another order. */
function turnedOver<T>(value: T): T {
  if (Array.isArray(value)) return value.map(turnedOver) as T;
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value).toReversed();
  return Object.fromEntries(fields.map(([key, one]) => [key, turnedOver(one)])) as T;
}

/** As another server may write it. */
const turnedSnapshot = (seen: Snapshot): Snapshot => ({
  ...seen,
  cluster: turnedOver(seen.cluster),
  statefulSet: seen.statefulSet && turnedOver(seen.statefulSet),
  objects: new Map([...seen.objects].map(([key, object]) => [key, turnedOver(object)])),
  members: seen.members.map(turnedOver),
  revisions: new Map([...seen.revisions].map(([key, template]) => [key, turnedOver(template)])),
});

test("the order of fields decides nothing", () => {
  const told = (seen: Snapshot) => {
    const { decided, rollout, blockers } = makePlan(seen);
    const actions = decided.map(({ by, stages }) => [by, stages.map((stage) => stage.map(briefAction))]);
    return { actions, blockers, rollout };
  };
  fc.assert(
    fc.property(arbitrary([]), (seen) => {
      expect(told(turnedSnapshot(seen))).toEqual(told(seen));
    }),
    { numRuns: 100 },
  );
});
