import type { Member } from "../../../src/model/member.ts";
import { changeOf } from "../../../src/plan/membership-state.ts";
import { makePlan } from "../../../src/plan/plan.ts";
import { heightOf } from "../../../src/plan/quorum.ts";
import type { Snapshot } from "../../../src/plan/snapshot.ts";
import type { Plan } from "../../../src/plan/step.ts";

type Volume = Extract<Member["report"], { kind: "answered" }>["answer"]["volume"];

/** The members as they would say it of other volumes. */
function withVolumes(snapshot: Snapshot, told: (volume: Volume) => Volume): Snapshot {
  const retold = (member: Member): Member => {
    const { report } = member;
    if (report.kind !== "answered") return member;
    const { answer } = report;
    return { ...member, report: { ...report, answer: { ...answer, volume: told(answer.volume) } } };
  };
  return {
    ...snapshot,
    members: snapshot.members.map(retold),
    nonMembers: snapshot.nonMembers.map(retold),
  };
}

/** Stops the chain for members to come that do not have its blocks yet. */
export function stopsForThoseBehind(snapshot: Snapshot): Plan {
  const best = Math.max(0, ...snapshot.members.map((member) => heightOf(member) ?? 0));
  const nonMembers = snapshot.nonMembers.map((member): Member => {
    const { report } = member;
    if (report.kind !== "answered" || report.answer.node.kind !== "open") return member;
    const node = { ...report.answer.node, height: best };
    return { ...member, report: { ...report, answer: { ...report.answer, node } } };
  });
  const change = changeOf(snapshot);
  const isStopped = change?.stoppedAt !== undefined;
  return makePlan(isStopped ? snapshot : { ...snapshot, nonMembers });
}

function inEpoch(snapshot: Snapshot, epoch: number): Snapshot {
  const { identity } = snapshot;
  if (identity.kind !== "present") return snapshot;
  return {
    ...snapshot,
    identity: { ...identity, identity: { ...identity.identity, epoch, bootstrapped: epoch } },
  };
}

const isPrepared = ({ report }: Member): boolean => {
  const volume = report.kind === "answered" ? report.answer.volume : undefined;
  return volume?.kind === "intact" && volume.change?.prepared === true;
};

/** Takes the next epoch for decided as soon as its members are prepared, whatever the identity says. */
export function startsUndecided(snapshot: Snapshot): Plan {
  const change = changeOf(snapshot);
  const next = [...snapshot.members, ...snapshot.nonMembers].filter(
    ({ ordinal }) => change && ordinal < change.to.replicas,
  );
  const isReady = change?.kind === "changing" && next.length > 0 && next.every(isPrepared);
  return makePlan(isReady ? inEpoch(snapshot, change.to.epoch) : snapshot);
}

/** Takes an order to freeze for the end of the process that it is meant for. */
export function takesFrozenForSettled(snapshot: Snapshot): Plan {
  return makePlan(
    withVolumes(snapshot, (volume) =>
      volume.kind === "intact" && volume.change
        ? { ...volume, change: { ...volume.change, settled: true } }
        : volume,
    ),
  );
}

/** Thinks better of a change when it was decided already. */
export function goesBackAfterDecision(snapshot: Snapshot): Plan {
  const change = changeOf(snapshot);
  const { identity } = snapshot;
  if (change?.kind !== "changing" || identity.kind !== "present") return makePlan(snapshot);
  if (identity.identity.epoch !== change.to.epoch || !snapshot.statefulSet) return makePlan(snapshot);
  const { metadata } = snapshot.statefulSet;
  const [key] =
    Object.entries(metadata.annotations ?? {}).find(([, text]) => text.includes('"changing"')) ?? [];
  const record = JSON.stringify({ ...change, kind: "takingBack", why: "broken" });
  const annotations = { ...metadata.annotations, ...(key === undefined ? {} : { [key]: record }) };
  const statefulSet = { ...snapshot.statefulSet, metadata: { ...metadata, annotations } };
  return makePlan(inEpoch({ ...snapshot, statefulSet }, change.from.epoch));
}

/** Marks claims in a decided epoch without asking the server which claims and pods there are. */
export function marksUncertain(snapshot: Snapshot): Plan {
  const change = changeOf(snapshot);
  const { identity } = snapshot;
  const isDecided = identity.kind === "present" && identity.identity.epoch === change?.to.epoch;
  return makePlan(isDecided ? { ...snapshot, isCertain: true } : snapshot);
}
