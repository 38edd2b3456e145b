import { majorityOf } from "../model/majority.ts";
import { answerOf, type Member } from "../model/member.ts";
import type { SuspensionRecord } from "../model/suspension-record.ts";
import { statefulSet as rendered } from "../resources/statefulset.ts";
import type { Action } from "./actions.ts";
import { checkpointsOf } from "./fork.ts";
import { intentsOf } from "./intent.ts";
import { changeOf } from "./membership-state.ts";
import { nextVersion } from "./next-version.ts";
import { blueprintOf } from "./rendering.ts";
import type { RolloutView } from "./rollout-view.ts";
import type { Snapshot } from "./snapshot.ts";
import { type Decider, NOTHING, type Step } from "./step.ts";
import { suspensionOn } from "./suspension-state.ts";

const STOPPING_RECHECK_MS = 1_000;

/**
 * Stops all members in one step when the owner asks for it, and starts them again. One after another would only have
 * the leader step down again and again, and leave the members at different heights. Volumes, identity and chain lock
 * stay. Members that come back level their blocks before one may lead, as after every stop of all of them.
 *
 * | spec.suspend | record on the StatefulSet | seen | then |
 * | --- | --- | --- | --- |
 * | any | any | the number of members is being changed | wait for its end |
 * | not known, as the spec is not valid | any | anything | as it is |
 * | true | not suspended | not certain | look again |
 * | true | not suspended | anything | in one write: what every member holds, and no replicas |
 * | true | suspended | anything | nothing is done to members any more |
 * | false | suspended | pods that still stop | wait: a member that starts beside one that stops would not level |
 * | false | suspended | no pod | in one write: all replicas, and the record as a memory |
 * | false | not suspended | anything | nothing |
 */
export const suspension: Decider = (snapshot) => {
  const { statefulSet, parsed, identity, members } = snapshot;
  if (identity.kind !== "present" || !statefulSet) return NOTHING;
  // It ends, or is taken back, within a bounded time.
  if (changeOf(snapshot)) return NOTHING;
  const record = suspensionOn(statefulSet);
  const isAsked = parsed.kind === "valid" ? parsed.suspend : record?.kind === "suspended";
  if (record?.kind !== "suspended") return isAsked ? suspend(snapshot) : NOTHING;
  const held = { stop: true, rollout: viewOf(snapshot) };
  if (isAsked) return held;
  if (members.some(({ pod }) => pod)) return { ...held, recheckAfterMs: STOPPING_RECHECK_MS };
  if (!snapshot.isCertain) return { ...held, needsCertainty: true };
  const resumedAt = new Date(snapshot.nowMs).toISOString();
  return { ...held, stages: [turnTo(snapshot, { ...record, kind: "resumed", resumedAt })] };
};

function suspend(snapshot: Snapshot): Step {
  if (!snapshot.isCertain) return { stop: true, needsCertainty: true, rollout: viewOf(snapshot) };
  const to = recordOf(snapshot);
  return { stop: true, stages: [turnTo(snapshot, to)], rollout: viewOf(snapshot) };
}

/** Of members as they are now. */
function recordOf({ members, nowMs }: Snapshot): SuspensionRecord {
  const heads = members.flatMap((member) => {
    const node = answerOf(member)?.node;
    if (node?.kind !== "open" || node.height === undefined) return [];
    const { height, head } = node;
    return [{ member: member.name, height, ...(head?.height === height ? { hash: head.hash } : {}) }];
  });
  const checkpoint = commonCheckpoint(members);
  const at = new Date(nowMs).toISOString();
  return { version: 1, kind: "suspended", suspendedAt: at, heads, ...(checkpoint ? { checkpoint } : {}) };
}

/** The newest one that a majority holds alike. */
function commonCheckpoint(members: readonly Member[]) {
  const groups = Map.groupBy(checkpointsOf(members), ({ height, id }) => `${height} ${id}`);
  const common = [...groups.values()]
    .filter(({ length }) => length >= majorityOf(members.length))
    .flatMap(([one]) => (one ? [{ height: one.height, id: one.id }] : []));
  return common.toSorted((one, other) => other.height - one.height)[0];
}

function turnTo(snapshot: Snapshot, to: SuspensionRecord): Action[] {
  const { identity, statefulSet } = snapshot;
  if (identity.kind !== "present" || !statefulSet) return [];
  const intents = intentsOf(snapshot, identity.identity);
  if (!intents) return [];
  const blueprint = blueprintOf(snapshot, identity.identity, intents.current);
  const desired = rendered({ ...blueprint, suspension: JSON.stringify(to) });
  return [{ kind: "turnSuspension", statefulSet: nextVersion(statefulSet, desired), to }];
}

/** What waits for the members to come back. */
function viewOf(snapshot: Snapshot): RolloutView {
  const { identity, members } = snapshot;
  const wish = identity.kind === "present" ? intentsOf(snapshot, identity.identity)?.wish : undefined;
  if (!wish) return { reason: "UpToDate", message: "Every member runs the spec.", updated: members.length };
  const message = `A change of ${wish.changes.join(", ")} waits: the cluster is suspended.`;
  return { reason: "RolloutPaused", message, updated: 0 };
}
