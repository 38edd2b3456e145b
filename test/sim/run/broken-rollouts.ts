import type { AgentAnswer } from "../../../src/model/agent-protocol.ts";
import { annotations } from "../../../src/model/annotations.ts";
import { answerOf, type Member } from "../../../src/model/member.ts";
import { disruptionBudgetName } from "../../../src/model/names.ts";
import type { PodDisruptionBudget } from "../../../src/model/objects.ts";
import { readRolloutRecord } from "../../../src/model/rollout-record.ts";
import type { Action } from "../../../src/plan/actions.ts";
import { drill } from "../../../src/plan/drill.ts";
import { makePlan } from "../../../src/plan/plan.ts";
import { bestHeight, leadership } from "../../../src/plan/quorum.ts";
import { rollout } from "../../../src/plan/rollout.ts";
import { objectKey, type Snapshot } from "../../../src/plan/snapshot.ts";
import { actionsOf, type Plan, type Step } from "../../../src/plan/step.ts";

/** What a broken planner takes the world for when it decides about rollouts. */
type Delusion = (snapshot: Snapshot) => Snapshot;

/** Until members may start, it is not the rollout that has to be certain. */
const isStarting = ({ identity }: Snapshot) =>
  identity.kind === "present" && identity.identity.bootstrapped === undefined;

/** Decides about rollouts on what it takes for true, and about all else on what is. */
function deluded(delusion: Delusion): (snapshot: Snapshot) => Plan {
  return (snapshot) => {
    const plan = makePlan(snapshot);
    if (plan.rollout === undefined || isStarting(snapshot)) return plan;
    return withRollout(plan, rollout(delusion(snapshot), plan.blockers));
  };
}

/** Acts on a delusion only where the truth would have it wait. */
function impatient(delusion: Delusion): (snapshot: Snapshot) => Plan {
  return (snapshot) => {
    const plan = makePlan(snapshot);
    const isActing = plan.needsCertainty === true || plan.decided.some(({ by }) => by === "rollout");
    if (plan.rollout === undefined || isActing || isStarting(snapshot)) return plan;
    return withRollout(plan, rollout(delusion(snapshot), plan.blockers));
  };
}

function withRollout(plan: Plan, { stages = [], needsCertainty = false }: Step): Plan {
  const { needsCertainty: _, ...rest } = plan;
  const others = plan.decided.filter(({ by }) => by !== "rollout");
  const decided = stages.length === 0 ? others : [...others, { by: "rollout", stages }];
  return { ...rest, decided, ...(needsCertainty ? { needsCertainty } : {}) };
}

function rolloutActions(plan: Plan, change: (action: Action) => Action): Plan {
  const decided = plan.decided.map((one) =>
    one.by === "rollout" ? { ...one, stages: one.stages.map((stage) => stage.map(change)) } : one,
  );
  return { ...plan, decided };
}

const eachMember = (snapshot: Snapshot, change: (member: Member) => Member): Snapshot => ({
  ...snapshot,
  members: snapshot.members.map(change),
});

const isThere = ({ pod }: Member) => pod !== undefined && !pod.terminating;
const reached = { kind: "reached", rttMs: 1, ageMs: 0 } as const;

/** The member as one that takes part, in the lead or not, with what it really says as far as it says anything. */
function asTakingPart(member: Member, snapshot: Snapshot, isLeader: boolean): Member {
  const { pod, name } = member;
  const [any] = snapshot.members.flatMap((one) => answerOf(one) ?? []);
  const own = answerOf(member) ?? any;
  if (pod === undefined || own === undefined) return member;
  const height = bestHeight(snapshot.members) ?? 1;
  const answer: AgentAnswer = {
    ...own,
    member: name,
    podUid: pod.uid,
    prepare: { kind: "done" },
    mode: { kind: "raft" },
    ready: { ok: true, message: "", forMs: 60_000 },
    node: { kind: "open", isLeader, height },
    peers: snapshot.members
      .filter((other) => other !== member)
      .map((other) => ({ name: other.name, raft: reached, p2p: reached, height })),
  };
  return { ...member, report: { kind: "answered", atMs: snapshot.monotonicMs, answer } };
}

const isLeading = (member: Member) => {
  const node = answerOf(member)?.node;
  return node?.kind === "open" && node.isLeader === true;
};

/** The members of whom `isTaken` holds take part, and every Raft port is reached. */
function takenForWell(snapshot: Snapshot, isTaken: (member: Member) => boolean): Snapshot {
  const seen = withAllPaths(snapshot);
  return eachMember(seen, (member) =>
    isTaken(member) ? asTakingPart(member, seen, isLeading(member)) : member,
  );
}

function withAllPaths(snapshot: Snapshot): Snapshot {
  return eachMember(snapshot, (member) => {
    const { report } = member;
    if (report.kind !== "answered") return member;
    const peers = report.answer.peers.map((peer) => ({ ...peer, raft: reached }));
    return { ...member, report: { ...report, answer: { ...report.answer, peers } } };
  });
}

export const takesSilentForWell = impatient((snapshot) =>
  takenForWell(snapshot, (member) => isThere(member) && answerOf(member) === undefined),
);

/** The lead is somebody else's, as far as the order is concerned. */
export const takesHighestFirst = deluded((snapshot) => {
  const known = leadership(snapshot.members);
  const heir = snapshot.members.find((member) => known.kind === "one" && member !== known.leader);
  if (known.kind !== "one" || heir === undefined || answerOf(heir)?.node.kind !== "open") return snapshot;
  return eachMember(snapshot, (member) => {
    const { report } = member;
    if (report.kind !== "answered" || report.answer.node.kind !== "open") return member;
    const node = { ...report.answer.node, isLeader: member === heir };
    return { ...member, report: { ...report, answer: { ...report.answer, node } } };
  });
});

/** Without a leader, or with two, the first that answers is taken for it. */
export const guessesLeader = impatient((snapshot) => {
  if (leadership(snapshot.members).kind === "one") return snapshot;
  const guessed = snapshot.members.find((member) => isThere(member) && answerOf(member) !== undefined);
  return eachMember(withoutBudget(withAllPaths(snapshot)), (member) =>
    isThere(member) && answerOf(member) !== undefined
      ? asTakingPart(member, snapshot, member.name === guessed?.name)
      : member,
  );
});

/** What a member said is good for half a minute, however often it is asked anew. */
const REMEMBERED_MS = 30_000;

function rememberedAnswers(): Delusion {
  const remembered = new Map<string, Extract<Member["report"], { kind: "answered" }>>();
  return (snapshot) =>
    eachMember(snapshot, (member) => {
      const uid = member.pod?.uid ?? "";
      const known = remembered.get(uid);
      const ageMs = known === undefined ? REMEMBERED_MS : snapshot.monotonicMs - known.atMs;
      if (known !== undefined && ageMs >= 0 && ageMs < REMEMBERED_MS)
        return { ...member, report: { ...known, atMs: snapshot.monotonicMs } };
      if (member.report.kind === "answered") remembered.set(uid, member.report);
      return member;
    });
}

export const remembersAnswers = deluded(rememberedAnswers());

/** A remembered world will do, as long as the pod itself does not have to go. */
export function trustsMemory(): (snapshot: Snapshot) => Plan {
  const remembered = rememberedAnswers();
  const decide = deluded((snapshot) => remembered({ ...snapshot, isCertain: true }));
  return (snapshot) => {
    const plan = decide(snapshot);
    if (actionsOf(plan).some(({ kind }) => kind === "removePod")) return makePlan(snapshot);
    return rolloutActions(plan, (action) =>
      action.kind === "updatePod" ? { ...action, takesAway: false } : action,
    );
  };
}

/** Kubernetes says that the pod is ready, so the member is well. */
export const goesByReadiness = impatient((snapshot) =>
  takenForWell(snapshot, ({ pod }) => pod?.ready === true && !pod.terminating),
);

export const ignoresRaftPorts = impatient(withAllPaths);

const withoutLayers: Delusion = (snapshot) =>
  eachMember(snapshot, (member) => {
    const { report } = member;
    if (report.kind !== "answered") return member;
    const { execution: _, ...answer } = report.answer;
    const isLate = answer.ready.message.includes("execution layer");
    const ready = isLate ? { ok: true, message: "in sync", forMs: 60_000 } : answer.ready;
    return { ...member, report: { ...report, answer: { ...answer, ready } } };
  });

export const ignoresLayers = impatient(withoutLayers);

/** The budget would save the cluster from most other mistakes. */
function withoutBudget(snapshot: Snapshot): Snapshot {
  const key = objectKey("PodDisruptionBudget", disruptionBudgetName(snapshot.cluster.metadata.name));
  const budget = snapshot.objects.get(key) as PodDisruptionBudget | undefined;
  if (!budget?.status) return snapshot;
  // As if whoever is next had claimed it already, and everybody else might have it as well.
  const at = new Date(snapshot.nowMs).toISOString();
  const disruptedPods = Object.fromEntries(snapshot.members.map(({ name }) => [name, at]));
  const observedGeneration = budget.metadata.generation ?? 1;
  const status = { ...budget.status, disruptedPods, disruptionsAllowed: 9, observedGeneration };
  const objects = new Map(snapshot.objects).set(key, { ...budget, status } as PodDisruptionBudget);
  return { ...snapshot, objects };
}

export const forgetsAbsent = impatient((snapshot) =>
  withoutBudget({ ...snapshot, members: snapshot.members.filter(isThere) }),
);

export const forgetsBudget = deluded(withoutBudget);

/** What was given to a member is as good as done: the next one may go. */
export const doesNotWaitForUpdated = impatient((snapshot) => {
  const revision = snapshot.statefulSet?.status?.updateRevision;
  const isGiven = ({ pod }: Member) => pod?.revision === revision || pod?.update?.given === true;
  const members = snapshot.members.filter((member) => !isGiven(member) || isLeading(member));
  return withoutBudget({ ...snapshot, members });
});

/** What was begun on a pod is not read back from it. */
export const forgetsBegun = deluded((snapshot) => eachMember(snapshot, withoutUpdate));

function withoutUpdate(member: Member): Member {
  return member.pod ? { ...member, pod: { ...member.pod, update: undefined } } : member;
}

/** A pod says which revision it was made of; after a change was taken back, what was done to it since is forgotten. */
export const forgetsTouched = deluded((snapshot) => {
  const notes = snapshot.statefulSet?.metadata.annotations;
  const isReverted = readRolloutRecord(notes?.[annotations.rollout])?.kind === "reverted";
  return isReverted ? eachMember(snapshot, withoutUpdate) : snapshot;
});

/** A drill is a drill: whatever the others do, the leader steps down. */
export function drillsAnyhow(snapshot: Snapshot): Plan {
  const plan = makePlan(snapshot);
  const isAsked = snapshot.cluster.metadata.annotations?.[annotations.drill] !== undefined;
  if (!isAsked || plan.rollout === undefined || isStarting(snapshot)) return plan;
  const seen = takenForWell(snapshot, isThere);
  const step = drill(
    { ...seen, members: seen.members.filter(isThere) },
    { blockers: [], rollout: plan.rollout },
  );
  const decided = plan.decided.filter(({ by }) => by !== "drill");
  const stages = step.stages ?? [];
  return { ...plan, decided: stages.length === 0 ? decided : [...decided, { by: "drill", stages }] };
}

/** No image is tried before members get it. */
export const skipsRehearsal = deluded((snapshot) => {
  const { parsed } = snapshot;
  if (parsed.kind !== "valid") return snapshot;
  return { ...snapshot, parsed: { ...parsed, rollout: { ...parsed.rollout, rehearsal: false } } };
});

/** A pod that has to go is deleted, whatever the budget says. */
export function deletesPods(snapshot: Snapshot): Plan {
  return rolloutActions(makePlan(snapshot), (action) =>
    action.kind === "removePod" ? { ...action, by: "deletion" } : action,
  );
}
