import { kinds } from "../../src/model/kinds.ts";
import { memberName } from "../../src/model/names.ts";
import { ChainSurvey } from "./chain-survey.ts";
import {
  type ClusterWish,
  manifestOf,
  type OperatedCluster,
  operatedCluster,
  statusOf,
} from "./operated-cluster.ts";
import { podsOf } from "./pods.ts";
import { patchNow } from "./rollout-sides.ts";
import { pollUntil, type Session } from "./session.ts";
import { LOOK_EVERY_MS } from "./survey-looks.ts";
import { hasArrived, type Sender } from "./transactions.ts";

export type Size = 1 | 3 | 5;

/** A chain whose number of members changes, with every block read and remembered. */
export interface Side {
  members: OperatedCluster;
  readonly survey: ChainSurvey;
}

const READY_TIMEOUT_MS = 360_000;
/** Of each change so many of the transactions that had arrived before it are looked for after it. */
const LOOKED_FOR = 20;
const FIND_TIMEOUT_MS = 60_000;

export async function startSide(session: Session, wish: ClusterWish): Promise<Side> {
  await session.api.create(kinds.cluster, manifestOf(wish));
  // Of a change every single block counts, also one that a single member served.
  const side = { members: operatedCluster(wish), survey: new ChainSurvey(1) };
  await takenOver(session, side, wish.replicas);
  return side;
}

/** Edits the spec with the approval that the status asks for; answers the epoch that this begins. */
export async function askForMembers(
  session: Session,
  members: OperatedCluster,
  replicas: number,
  policy: { readonly stopWithinSeconds?: number } = {},
  more: { readonly suspend?: boolean } = {},
): Promise<number> {
  const { nextEpoch } = (await statusOf(session, members)).membership ?? {};
  if (nextEpoch === undefined) throw new Error(`the status of ${members.name} tells no next epoch`);
  const spec = { ...more, replicas, membership: { ...policy, approvedEpoch: nextEpoch } };
  await patchNow(session, kinds.cluster, members, { spec });
  return nextEpoch;
}

/** Waits until there are so many members, and all are ready: as the status tells it, as a single one has no Raft. */
export async function takenOver(session: Session, side: Side, count: number): Promise<void> {
  side.members = { ...side.members, count };
  const isBack = async () => {
    const { readyMembers, conditions = [] } = await statusOf(session, side.members);
    const isReady = conditions.some(({ type, status }) => type === "Ready" && status === "True");
    return isReady && readyMembers === `${count}/${count}` ? true : undefined;
  };
  const poll = { everyMs: LOOK_EVERY_MS, timeoutMs: READY_TIMEOUT_MS };
  if ((await pollUntil(isBack, poll, session)) === undefined)
    throw new Error(`not all of ${count} members are there within ${poll.timeoutMs / 1_000} s`);
}

/** Some of the transactions that a majority has in its store by now. */
export async function settled(
  session: Session,
  members: OperatedCluster,
  { sent }: Sender,
): Promise<readonly string[]> {
  const keys = sent.flatMap(({ key, acceptedMs }) => (acceptedMs === undefined ? [] : [key]));
  const pods = await memberPods(session, members);
  const found = keys.slice(-LOOKED_FOR).map(async (key) => {
    const has = await Promise.all(pods.map(async ({ status }) => hasArrived(status?.podIP ?? "", key)));
    return has.filter(Boolean).length > members.count / 2 ? [key] : [];
  });
  return (await Promise.all(found)).flat();
}

/** Those of these transactions that a member does not have, in words. No answer is none: it is asked again. */
export async function missing(
  session: Session,
  members: OperatedCluster,
  keys: readonly string[],
): Promise<readonly string[]> {
  const poll = { everyMs: 250, timeoutMs: FIND_TIMEOUT_MS };
  const each = (await memberPods(session, members)).flatMap(({ metadata, status }) =>
    keys.map(async (key) => {
      const has = async () => (await hasArrived(status?.podIP ?? "", key)) || undefined;
      return (await pollUntil(has, poll, session)) ? [] : [`${metadata.name} lacks transaction ${key}`];
    }),
  );
  return (await Promise.all(each)).flat();
}

/** Without those that are to become members, and those that are no members any more. */
async function memberPods(session: Session, members: OperatedCluster) {
  const { name, count } = members;
  const names = new Set(Array.from({ length: count }, (_, ordinal) => memberName(name, ordinal)));
  return (await podsOf(session, members)).filter(({ metadata }) => names.has(metadata.name));
}
