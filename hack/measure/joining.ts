import type { Pod } from "../../src/model/objects.ts";
import { type NodeView, viewNode } from "./node-rpc.ts";
import { isReady, type Members, podsOf } from "./pods.ts";
import { pause, type Session } from "./session.ts";

/** How far a start has come at one moment. */
export interface JoinView {
  /** Every member answers, one leads, blocks are there and all follow. */
  readonly joined: boolean;
  /** And every pod is Ready. */
  readonly ready: boolean;
  readonly missing: string;
}

export interface JoinTimes {
  readonly joinedMs: number | undefined;
  readonly readyMs: number | undefined;
  /** What was missing when the time was over. */
  readonly missing: string | undefined;
}

const LOOK_EVERY_MS = 200;
/** A chain that has only just begun proves little. */
const MIN_HEIGHT = 3;
/** Members are asked one after another while blocks are made, so equal heights cannot be asked for. */
const MAX_SPREAD = 10;

/** Watches a start by the members' own answers, the same way for both sides. */
export async function followStart(
  session: Session,
  members: Members,
  startMs: number,
  timeoutMs: number,
): Promise<JoinTimes> {
  let joinedMs: number | undefined;
  let missing = "nothing was seen yet";
  while (performance.now() - startMs < timeoutMs) {
    const pods = await podsOf(session, members);
    const views = await Promise.all(pods.map(viewPod));
    const view = judgeJoin(pods, views, members.count);
    const elapsedMs = performance.now() - startMs;
    if (view.joined) joinedMs ??= elapsedMs;
    if (view.ready) return { joinedMs, readyMs: elapsedMs, missing: undefined };
    missing = view.missing;
    await pause(LOOK_EVERY_MS, session);
  }
  return { joinedMs, readyMs: undefined, missing };
}

/** Waits until they have started; fails when the time is over before. */
export async function started<M extends Members>(
  session: Session,
  members: M,
  timeoutMs: number,
): Promise<M> {
  const { missing } = await followStart(session, members, performance.now(), timeoutMs);
  if (missing !== undefined) throw new Error(`the members of ${members.selector} did not start: ${missing}`);
  return members;
}

async function viewPod({ status }: Pod): Promise<NodeView> {
  return status?.podIP === undefined ? { leads: undefined, height: undefined } : viewNode(status.podIP);
}

export function judgeJoin(pods: readonly Pod[], views: readonly NodeView[], count: number): JoinView {
  const not = (missing: string): JoinView => ({ joined: false, ready: false, missing });
  if (pods.length !== count) return not(`${pods.length} of ${count} pods exist`);
  const silent = views.filter(({ leads, height }) => leads === undefined || height === undefined).length;
  if (silent > 0) return not(`${silent} of ${count} members do not answer`);
  const leaders = views.filter(({ leads }) => leads).length;
  if (leaders !== 1) return not(`${leaders} members say that they lead`);

  const heights = views.map(({ height }) => height ?? 0);
  const [lowest, highest] = [Math.min(...heights), Math.max(...heights)];
  if (lowest < MIN_HEIGHT || highest - lowest > MAX_SPREAD) return not(`heights are ${heights.join(", ")}`);
  const unready = pods.filter((pod) => !isReady(pod)).map(({ metadata }) => metadata.name);
  if (unready.length > 0) return { joined: true, ready: false, missing: `not Ready: ${unready.join(", ")}` };
  return { joined: true, ready: true, missing: "" };
}
