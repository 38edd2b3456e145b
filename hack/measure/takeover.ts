import { EVNODE_CONTAINER } from "../../src/model/member.ts";
import type { Pod } from "../../src/model/objects.ts";
import { killContainer } from "../../test/e2e/harness/processes.ts";
import { blockTimes, longestGap } from "./block-gaps.ts";
import { electedAtMs, firstToLead } from "./elections.ts";
import { followStart } from "./joining.ts";
import { viewNode } from "./node-rpc.ts";
import { type Members, podsOf } from "./pods.ts";
import { pollUntil, type Session } from "./session.ts";
import { wallMs } from "./wall-time.ts";

/** A leader that was killed, and what came after. All times count from the kill; undefined is "not within bounds". */
export interface Takeover {
  readonly killedAtMs: number;
  readonly oldLeader: string;
  readonly newLeader: string | undefined;
  /** By the new leader's own log. */
  readonly electedMs: number | undefined;
  /** The new leader answers that it leads. */
  readonly leadsMs: number | undefined;
  /** Longest time between two blocks around the kill. */
  readonly gapMs: number | undefined;
  /** Every pod is Ready and in sync again, the killed one included. */
  readonly allBackMs: number | undefined;
}

/** Looks on from the kill until all members are back; what it returns is told with the takeover. */
export type Onlooker<T> = (scene: KillScene) => Promise<T>;

export interface KillScene {
  readonly killedAtMs: number;
  /** Resolves as soon as another member says that it leads. */
  readonly newLeader: Promise<Pod | undefined>;
}

const LEADER_TIMEOUT_MS = 60_000;
const BACK_TIMEOUT_MS = 240_000;
/** Blocks to see after the kill before the gap counts as over. */
const BLOCKS_AFTER = 10;
const BLOCKS_TIMEOUT_MS = 60_000;

export async function killLeader<T>(
  session: Session,
  members: Members,
  onlooker: Onlooker<T>,
): Promise<Takeover & { readonly seen: T }> {
  const { pods, leader, height } = await leaderOf(session, members);
  const others = pods.filter((pod) => pod !== leader);
  await killContainer(leader, EVNODE_CONTAINER);
  const killedAtMs = wallMs();
  const leading = firstToLead(session, others, LEADER_TIMEOUT_MS);
  const newLeader = leading.then((found) => others.find(({ metadata }) => metadata.name === found?.member));
  const looking = onlooker({ killedAtMs, newLeader });
  const gapping = newLeader.then(gapSince(session, height));
  const [found, pod, gap, seen] = await Promise.all([leading, newLeader, gapping, looking]);
  const electedAt = pod && (await electedAtMs(session, pod, killedAtMs));
  const { readyMs } = await followStart(session, members, performance.now(), BACK_TIMEOUT_MS);
  const sinceKill = (atMs: number | undefined) => (atMs === undefined ? undefined : atMs - killedAtMs);
  return {
    killedAtMs,
    oldLeader: leader.metadata.name,
    newLeader: pod?.metadata.name,
    electedMs: sinceKill(electedAt),
    leadsMs: sinceKill(found?.atMs),
    gapMs: gap,
    allBackMs: readyMs === undefined ? undefined : wallMs() - killedAtMs,
    seen,
  };
}

interface Led {
  readonly pods: readonly Pod[];
  readonly leader: Pod;
  readonly height: number;
}

/** On a busy machine a cluster with ev-node's own time-outs is often between two leaders. */
async function leaderOf(session: Session, members: Members): Promise<Led> {
  const poll = { everyMs: 250, timeoutMs: BACK_TIMEOUT_MS };
  const led = await pollUntil(async () => ledBy(await podsOf(session, members)), poll, session);
  if (!led) throw new Error(`no member of ${members.selector} led within ${BACK_TIMEOUT_MS / 1_000} s`);
  return led;
}

async function ledBy(pods: readonly Pod[]): Promise<Led | undefined> {
  const views = await Promise.all(
    pods.map(async (pod) => ({ pod, view: await viewNode(pod.status?.podIP ?? "") })),
  );
  const leaders = views.filter(({ view }) => view.leads);
  const [only] = leaders;
  if (!only || leaders.length !== 1) return undefined;
  return { pods, leader: only.pod, height: only.view.height ?? 1 };
}

/** Reads the chain of the new leader, once enough blocks have followed. */
function gapSince(session: Session, height: number) {
  return async (pod: Pod | undefined): Promise<number | undefined> => {
    const ip = pod?.status?.podIP;
    if (ip === undefined) return undefined;
    const enough = async () => ((await viewNode(ip)).height ?? 0) >= height + BLOCKS_AFTER || undefined;
    await pollUntil(enough, { everyMs: 100, timeoutMs: BLOCKS_TIMEOUT_MS }, session);
    return longestGap(await blockTimes(ip, height))?.ms;
  };
}
