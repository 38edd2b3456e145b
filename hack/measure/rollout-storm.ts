import { defaultsV1 } from "../../src/api/defaults.ts";
import { kinds } from "../../src/model/kinds.ts";
import { longestGap } from "./block-gaps.ts";
import { judgeJoin } from "./joining.ts";
import { podsOf } from "./pods.ts";
import { leadersOf, restartsOf } from "./rollout-analysis.ts";
import type { RolloutProbe } from "./rollout-probe.ts";
import { watchRollout } from "./rollout-run.ts";
import type { Side } from "./rollout-sides.ts";
import type { Session } from "./session.ts";
import { type Kill, mostAway, wrongsOf } from "./storm-analysis.ts";

/** What is done while a change is taken to the members. It may write further changes. */
export type Disturbance = (scene: {
  readonly side: Side;
  readonly probe: RolloutProbe;
}) => Promise<readonly Kill[]>;

/** A rollout that was disturbed, and how it went. */
export interface StormyRollout {
  readonly storm: string;
  readonly durationMs: number | undefined;
  readonly order: readonly string[];
  readonly leaders: readonly string[];
  readonly kills: readonly Kill[];
  readonly gapMs: number | undefined;
  readonly mostAway: number;
  readonly wrongs: readonly string[];
}

const LOOK_EVERY_MS = 250;

/** Takes another image to the members of a side while it is disturbed. */
export async function rollInStorm(
  session: Session,
  side: Side,
  storm: string,
  disturb: Disturbance,
): Promise<StormyRollout> {
  let kills: readonly Kill[] = [];
  const { probe, startMs, endMs, missing, blocks, replaced } = await watchRollout(session, side, {
    change: async (watched) => {
      await side.change("image");
      kills = await disturb({ side, probe: watched });
    },
    whatIsLeft: (watched) => whatIsLeft(session, side, watched),
    everyMs: LOOK_EVERY_MS,
  });
  const restarts = restartsOf(probe);
  return {
    storm,
    durationMs: missing === undefined ? endMs - startMs : undefined,
    order: restarts.map(({ member, led }) => `${member}${led ? " (led)" : ""}`),
    leaders: leadersOf(probe),
    kills,
    gapMs: longestGap(blocks)?.ms,
    mostAway: mostAway(restarts),
    wrongs: [
      ...(missing === undefined ? [] : [`it did not come to its end: ${missing}`]),
      ...wrongsOf(probe, kills, defaultsV1.rollout.maxBlocksBehind),
      ...replaced,
    ],
  };
}

/** What is missing until every member runs the newest spec, by the operator's word and by the members' own. */
async function whatIsLeft(
  session: Session,
  { statefulSet, members }: Side,
  { samples }: RolloutProbe,
): Promise<string | undefined> {
  const { namespace, name } = statefulSet;
  const cluster = await session.api.get(kinds.cluster, { namespace, name });
  const told = cluster?.status?.conditions?.find(({ type }) => type === "RolloutComplete");
  if (told?.observedGeneration !== cluster?.metadata.generation) return "the newest spec was not looked at";
  if (told?.reason !== "UpToDate") return told?.message ?? "nothing is told";
  const pods = await podsOf(session, members);
  const set = await session.api.get(kinds.statefulSet, { namespace, name });
  const revision = set?.status?.updateRevision;
  const others = pods.filter(({ metadata }) => metadata.labels?.["controller-revision-hash"] !== revision);
  if (others.length > 0)
    return `${others.map(({ metadata }) => metadata.name).join(", ")} of another revision`;
  const views = pods.map(({ metadata }) => samples.get(metadata.name)?.at(-1) ?? SILENT);
  const { ready, missing } = judgeJoin(pods, views, members.count);
  return ready ? undefined : missing;
}

const SILENT = { leads: undefined, height: undefined };
