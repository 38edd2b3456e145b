import { annotations } from "../../../src/model/annotations.ts";
import { kinds } from "../../../src/model/kinds.ts";
import { answerOf } from "../../../src/model/member.ts";
import type { Action } from "../../../src/plan/actions.ts";
import { giveOrder, votersOf } from "../../../src/plan/orders.ts";
import { makePlan } from "../../../src/plan/plan.ts";
import type { Snapshot } from "../../../src/plan/snapshot.ts";
import type { Plan } from "../../../src/plan/step.ts";
import { lostMembers } from "../../../src/plan/volumes.ts";

function adding(snapshot: Snapshot, actions: readonly Action[]): Plan {
  const plan = makePlan(snapshot);
  return actions.length === 0
    ? plan
    : { ...plan, decided: [...plan.decided, { by: "broken", stages: [actions] }] };
}

export function bootstrapsAnything(snapshot: Snapshot): Plan {
  if (snapshot.identity.kind !== "present" || snapshot.chainLock.kind !== "ours") return makePlan(snapshot);
  const { identity } = snapshot.identity;
  const { epoch } = identity;
  const voters = votersOf(snapshot, identity);
  const order = voters && ({ id: `bootstrap-${epoch}`, kind: "bootstrap", epoch, voters } as const);
  const empty = snapshot.members.filter((member) => answerOf(member)?.volume.kind === "empty");
  return adding(snapshot, order ? empty.flatMap((member) => giveOrder(member, order, snapshot.nowMs)) : []);
}

export function bootstrapsTooFew(snapshot: Snapshot): Plan {
  return changed(makePlan(snapshot), (action) => {
    if (action.kind !== "order" || action.order.kind !== "bootstrap") return action;
    const voters = action.order.voters.slice(0, 2);
    return { ...action, order: { ...action.order, voters } };
  });
}

function changed(plan: Plan, change: (action: Action) => Action): Plan {
  const decided = plan.decided.map(({ by, stages }) => ({
    by,
    stages: stages.map((stage) => stage.map(change)),
  }));
  return { ...plan, decided };
}

export function rebuildsUnasked(snapshot: Snapshot): Plan {
  const { cluster, identity } = snapshot;
  if (identity.kind !== "present" || identity.identity.bootstrapped === undefined) return makePlan(snapshot);
  const [lost] = lostMembers(snapshot, identity.identity);
  if (lost === undefined) return makePlan(snapshot);
  const { metadata } = cluster;
  const notes = { ...metadata.annotations, [annotations.approveRejoin]: lost.member.name };
  return makePlan({ ...snapshot, cluster: { ...cluster, metadata: { ...metadata, annotations: notes } } });
}

export function ignoresLock(snapshot: Snapshot): Plan {
  return makePlan(
    snapshot.chainLock.kind === "held" ? { ...snapshot, chainLock: { kind: "ours" } } : snapshot,
  );
}

export function deletesClaims(snapshot: Snapshot): Plan {
  const { cluster, members } = snapshot;
  if (cluster.metadata.deletionTimestamp === undefined) return makePlan(snapshot);
  const { namespace = "" } = cluster.metadata;
  const claims = members.flatMap(({ claim, claimName: name }): Action[] => {
    if (claim === undefined) return [];
    const object = {
      apiVersion: "v1",
      kind: kinds.claim.kind,
      metadata: { namespace, name, uid: claim.uid },
    };
    return [{ kind: "delete", resource: kinds.claim, object, why: "the EvNodeCluster is deleted" }];
  });
  return adding(snapshot, claims);
}

export function labelsUpFirst(snapshot: Snapshot): Plan {
  const plan = makePlan(snapshot);
  const decided = plan.decided.map((one) =>
    one.by === "labels" ? { ...one, stages: one.stages.toReversed() } : one,
  );
  return { ...plan, decided };
}

export function touchesAlways(snapshot: Snapshot): Plan {
  const touched = snapshot.members.flatMap((member): Action[] => {
    const { pod } = member;
    const seen = { "example.org/seen": `${Math.floor(snapshot.nowMs / 20_000)}` };
    return pod ? [{ kind: "labelPod", member, pod, labels: seen, why: "was seen" }] : [];
  });
  return adding(snapshot, touched);
}
