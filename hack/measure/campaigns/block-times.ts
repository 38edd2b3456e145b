import type { Spec, Status } from "../../../src/api/evnodecluster.ts";
import { kinds } from "../../../src/model/kinds.ts";
import type { EvNodeClusterObject, Pod } from "../../../src/model/objects.ts";
import { testnodeImages } from "../../local-cluster/image-names.ts";
import { say } from "../../local-cluster/progress.ts";
import { campaign, type Report } from "../campaign.ts";
import { provideNamespace } from "../namespaces.ts";
import { manifestOf, type OperatedCluster, operatedCluster } from "../operated-cluster.ts";
import { isReady } from "../pods.ts";
import { type Recorded, recordChanges } from "../recorded-watch.ts";
import { patchNow } from "../rollout-sides.ts";
import { pause, pollUntil, type Session } from "../session.ts";
import { duration } from "../table.ts";

const REPLICAS = 3;
const START_TIMEOUT_MS = 300_000;
const ROLLOUT_TIMEOUT_MS = 900_000;
const LOOK_EVERY_MS = 500;

interface Rhythm {
  readonly name: string;
  readonly chain: Omit<Spec["chain"], "id">;
}

const rhythms: readonly Rhythm[] = [
  { name: "lazy", chain: { blockTime: "1s", lazy: { interval: "60s" } } },
  { name: "fast", chain: { blockTime: "100ms" } },
];

/** What became of one chain. */
export interface Steadiness {
  readonly name: string;
  /** How often the cluster, or one of its pods, ceased to be ready while nothing happened. */
  readonly unready: readonly string[];
  readonly rollout: Status["lastRollout"];
  readonly rolloutMs: number | undefined;
}

/** Chains with very long and very short times between blocks: do they stay ready, and are they rolled as others are? */
export const blockTimes = campaign({
  name: "block-times",
  about:
    "a lazy chain with 60 s between blocks and a chain with 100 ms: readiness in a quiet time, and a rollout",
  options: { minutes: { full: 10, short: 0, about: "how long nothing happens" } },
  async run(session, { minutes }) {
    const namespace = await provideNamespace(session, "block-times");
    const all = await Promise.all(rhythms.map((rhythm) => watchRhythm(session, namespace, rhythm, minutes)));
    return blockTimesReport(all, minutes);
  },
});

async function watchRhythm(
  session: Session,
  namespace: string,
  { name, chain }: Rhythm,
  minutes: number,
): Promise<Steadiness> {
  const wish = { namespace, name, replicas: REPLICAS, blockTime: chain.blockTime ?? "1s" } as const;
  const cluster = operatedCluster(wish);
  const more = { chain: { id: `${namespace}-${name}`, ...chain } };
  await session.api.create(kinds.cluster, manifestOf({ ...wish, more }));
  const isUp = async () => (conditionOf(await read(session, cluster), "Ready") === "True" ? true : undefined);
  const up = await pollUntil(isUp, { everyMs: LOOK_EVERY_MS, timeoutMs: START_TIMEOUT_MS }, session);
  if (!up) throw new Error(`${name} is not Ready after ${START_TIMEOUT_MS / 1_000} s`);
  say(`${name} is ready`);

  const where = { namespace, labelSelector: cluster.selector };
  const pods = await recordChanges(session, kinds.pod, where);
  const clusters = await recordChanges(session, kinds.cluster, { namespace });
  await pause(minutes * 60_000, session);
  await Promise.all([pods.stop(), clusters.stop()]);
  const own = clusters.changes.filter(({ object }) => object.metadata.name === name);
  const unready = [...lossesOf(pods.changes), ...lossesOfCluster(own)];
  say(`${name}: ${unready.length} times not ready in ${minutes} min`);
  return { name, unready, ...(await roll(session, cluster)) };
}

async function roll(
  session: Session,
  cluster: OperatedCluster,
): Promise<Pick<Steadiness, "rollout" | "rolloutMs">> {
  const { namespace, name } = cluster;
  const startMs = performance.now();
  await patchNow(session, kinds.cluster, { namespace, name }, { spec: { image: testnodeImages[1] } });
  const isOver = async () => {
    const seen = await read(session, cluster);
    const isDone =
      seen?.status?.observedGeneration === seen?.metadata.generation && seen?.status?.phase === "Running";
    return isDone && conditionOf(seen, "RolloutComplete") === "True" ? seen?.status : undefined;
  };
  const status = await pollUntil(isOver, { everyMs: LOOK_EVERY_MS, timeoutMs: ROLLOUT_TIMEOUT_MS }, session);
  const rolloutMs = status && performance.now() - startMs;
  say(`${name}: rolled in ${duration(rolloutMs)}`);
  return { rollout: status?.lastRollout, rolloutMs };
}

async function read(
  { api }: Session,
  { namespace, name }: OperatedCluster,
): Promise<EvNodeClusterObject | undefined> {
  return api.get(kinds.cluster, { namespace, name });
}

const conditionOf = (cluster: EvNodeClusterObject | undefined, type: string) =>
  cluster?.status?.conditions?.find((condition) => condition.type === type)?.status;

/** Pods that were ready and are not any more, each time. */
export function lossesOf(changes: readonly Recorded<Pod>[]): readonly string[] {
  const ready = new Map<string, boolean>();
  return changes.flatMap(({ object }) => {
    const { name } = object.metadata;
    const [was, is] = [ready.get(name) ?? true, isReady(object)];
    ready.set(name, is);
    return was && !is ? [`pod ${name} was not ready`] : [];
  });
}

function lossesOfCluster(changes: readonly Recorded<EvNodeClusterObject>[]): readonly string[] {
  let was = true;
  return changes.flatMap(({ object }) => {
    const condition = object.status?.conditions?.find(({ type }) => type === "Ready");
    const is = condition?.status === "True";
    const lost = was && !is;
    was = is;
    return lost ? [`Ready was ${condition?.reason}: ${condition?.message}`] : [];
  });
}

export function blockTimesReport(all: readonly Steadiness[], minutes: number): Report {
  return {
    tables: [
      {
        title: `Nothing happens for ${minutes} min, then another image`,
        columns: ["", "times not ready", "rollout", "leader changes", "longest gap"],
        rows: all.map(({ name, unready, rollout, rolloutMs }) => [
          name,
          String(unready.length),
          duration(rolloutMs),
          String(rollout?.leaderChanges ?? "?"),
          duration(rollout?.longestGapMs),
        ]),
      },
    ],
    notes: [],
    failures: all.flatMap(({ name, unready, rollout, rolloutMs }) => [
      ...unready.map((what) => `${name}: ${what}`),
      ...(rolloutMs === undefined ? [`${name}: the rollout did not come to its end`] : []),
      ...((rollout?.leaderChanges ?? 0) > 1 ? [`${name}: ${rollout?.leaderChanges} leader changes`] : []),
    ]),
    values: all,
  };
}
