import { kinds } from "../../../src/model/kinds.ts";
import type { Pod } from "../../../src/model/objects.ts";
import { restartComponent } from "../../local-cluster/cluster.ts";
import { say } from "../../local-cluster/progress.ts";
import { longestGap } from "../block-gaps.ts";
import { campaign, type Report } from "../campaign.ts";
import { ChainSurvey } from "../chain-survey.ts";
import { followStart, started } from "../joining.ts";
import { provideNamespace } from "../namespaces.ts";
import { manifestOf, type OperatedCluster, operatedCluster, remove } from "../operated-cluster.ts";
import type { OperatorProcess } from "../operator-process.ts";
import { provideOwnOperator } from "../own-operator.ts";
import { isReady, podsOf } from "../pods.ts";
import { requireLocal } from "../provide-cluster.ts";
import { rolesOf } from "../roles-now.ts";
import { pause, pollUntil, type Session } from "../session.ts";
import { duration } from "../table.ts";
import { killLeader, type Takeover } from "../takeover.ts";

const REPLICAS = 3;
const BLOCK_TIME = "1s";
const START_TIMEOUT_MS = 180_000;
const BACK_TIMEOUT_MS = 240_000;
const LOOK_EVERY_MS = 10_000;

/** What was done to a cluster that nobody looked after, and how it took it. */
export interface Away {
  readonly evictionAnswer: string;
  readonly podBackMs: number | undefined;
  readonly kubeletBackMs: number | undefined;
  readonly takeover: Takeover;
  readonly labelWhileAway: string;
  readonly blocks: number;
  readonly longestGapMs: number | undefined;
  readonly chainProblems: readonly string[];
  readonly labelRightAfterMs: number | undefined;
}

export const operatorAway = campaign({
  name: "operator-away",
  about: "no operator for minutes, while a pod is deleted, the kubelet restarted and a leader killed",
  options: {
    minutes: { full: 10, short: 1, about: "how long the cluster is left alone after all that" },
  },
  async run(session, { minutes }) {
    requireLocal(session);
    const namespace = await provideNamespace(session, "away");
    const operator = await provideOwnOperator(session, namespace);
    await operator.start();
    const cluster = await startCluster(session, namespace);
    await operator.stop();
    say("the operator is away");
    return awayReport(await leaveAlone(session, cluster, operator, minutes), minutes);
  },
});

async function startCluster(session: Session, namespace: string): Promise<OperatedCluster> {
  const wish = { namespace, name: "chain", replicas: REPLICAS, blockTime: BLOCK_TIME } as const;
  await session.api.create(kinds.cluster, manifestOf(wish));
  const cluster = await started(session, operatedCluster(wish), START_TIMEOUT_MS);
  const isTold = async () => ((await labelledLeader(session, cluster)) === "nobody" ? undefined : true);
  await pollUntil(isTold, { everyMs: 250, timeoutMs: BACK_TIMEOUT_MS }, session);
  return cluster;
}

async function leaveAlone(
  session: Session,
  cluster: OperatedCluster,
  operator: OperatorProcess,
  minutes: number,
): Promise<Away> {
  const survey = new ChainSurvey(REPLICAS);
  await survey.look(await podsOf(session, cluster));
  const { podBackMs, evictionAnswer } = await deleteFollower(session, cluster);
  await survey.look(await podsOf(session, cluster), 1);
  const kubeletBackMs = await restartKubelet(session, cluster);
  await survey.look(await podsOf(session, cluster));
  const takeover = await killLeader(session, cluster, async () => undefined);
  await survey.look(await podsOf(session, cluster), 1);
  say("left alone now");
  const labelWhileAway = await labelledLeader(session, cluster);
  const until = performance.now() + minutes * 60_000;
  while (performance.now() < until) {
    await survey.look(await podsOf(session, cluster));
    await pause(LOOK_EVERY_MS, session);
  }
  await survey.look(await podsOf(session, cluster), 1);
  return {
    podBackMs,
    evictionAnswer,
    kubeletBackMs,
    takeover,
    labelWhileAway,
    blocks: survey.times().length,
    longestGapMs: longestGap(survey.times())?.ms,
    chainProblems: survey.problems(),
    labelRightAfterMs: await comeBack(session, cluster, operator),
  };
}

interface Deletion {
  readonly podBackMs: number | undefined;
  /** What the eviction of a second member got while the first was not Ready. */
  readonly evictionAnswer: string;
}

async function deleteFollower(session: Session, cluster: OperatedCluster): Promise<Deletion> {
  const pods = await podsOf(session, cluster);
  const { followers } = await rolesOf(pods);
  const [deleted, evicted] = followers;
  if (!deleted || !evicted) throw new Error("there are no two followers");
  const startMs = performance.now();
  await remove(session, kinds.pod, { namespace: cluster.namespace, name: deleted.metadata.name });
  const isUnready = async () => {
    const now = await podsOf(session, cluster);
    return now.filter(isReady).length < cluster.count || undefined;
  };
  await pollUntil(isUnready, { everyMs: 50, timeoutMs: BACK_TIMEOUT_MS }, session);
  const evictionAnswer = await evict(session, evicted);
  const { readyMs } = await followStart(session, cluster, startMs, BACK_TIMEOUT_MS);
  return { podBackMs: readyMs, evictionAnswer };
}

/** As `kubectl drain` does it. */
async function evict({ kubectl }: Session, { metadata }: Pod): Promise<string> {
  const { name, namespace = "" } = metadata;
  const eviction = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name, namespace } };
  const path = `/api/v1/namespaces/${namespace}/pods/${name}/eviction`;
  try {
    await kubectl.run(["create", "--raw", path, "--filename", "-"], { input: JSON.stringify(eviction) });
    return "evicted";
  } catch (error) {
    const text = String(error);
    return text.includes("TooManyRequests") || text.includes("disruption budget") ? "refused" : text;
  }
}

/** Running containers go on while their kubelet is away; afterwards all members are Ready as before. */
async function restartKubelet(session: Session, cluster: OperatedCluster): Promise<number | undefined> {
  const startMs = performance.now();
  await restartComponent("kubelet");
  const { readyMs } = await followStart(session, cluster, startMs, BACK_TIMEOUT_MS);
  return readyMs;
}

async function labelledLeader(session: Session, cluster: OperatedCluster): Promise<string> {
  const pods = await podsOf(session, cluster);
  const wearers = pods.filter(({ metadata }) => metadata.labels?.["evnode.dev/role"] === "leader");
  return wearers.map(({ metadata }) => metadata.name).join(" and ") || "nobody";
}

/** The operator starts again: how long until the label is where the leader is. */
async function comeBack(
  session: Session,
  cluster: OperatedCluster,
  operator: OperatorProcess,
): Promise<number | undefined> {
  const startMs = performance.now();
  await operator.start();
  const isRight = async () => {
    const { leader } = await rolesOf(await podsOf(session, cluster));
    const label = await labelledLeader(session, cluster);
    return leader !== undefined && leader.metadata.name === label ? performance.now() - startMs : undefined;
  };
  return pollUntil(isRight, { everyMs: 100, timeoutMs: BACK_TIMEOUT_MS }, session);
}

export function awayReport(away: Away, minutes: number): Report {
  const { takeover, chainProblems } = away;
  const staleLabel = away.labelWhileAway === takeover.newLeader ? "right" : `stale: ${away.labelWhileAway}`;
  const missing: readonly (readonly [value: number | undefined, what: string])[] = [
    [away.podBackMs, "the deleted pod did not come back Ready"],
    [away.kubeletBackMs, "the members were not Ready after the restart of the kubelet"],
    [takeover.leadsMs, "nobody led after the leader was killed"],
    [takeover.allBackMs, "the killed leader did not come back"],
    [away.labelRightAfterMs, "the label was not put right when the operator came back"],
  ];
  return {
    tables: [
      {
        title: `No operator: a follower's pod deleted, the kubelet restarted, the leader killed, ${minutes} minutes`,
        columns: ["", ""],
        rows: [
          ["deleted pod Ready and in sync again", duration(away.podBackMs)],
          ["eviction of a second member meanwhile", away.evictionAnswer],
          ["all Ready after the restart of the kubelet", duration(away.kubeletBackMs)],
          ["another member leads after the kill", duration(takeover.leadsMs)],
          ["killed leader Ready and in sync again", duration(takeover.allBackMs)],
          ["leader's label while the operator is away", staleLabel],
          ["blocks seen on all members", String(away.blocks)],
          ["longest time between two blocks, 1 s is normal", duration(away.longestGapMs)],
          ["forks, holes, wrong parents", String(chainProblems.length)],
          ["label right after the operator's start", duration(away.labelRightAfterMs)],
        ],
      },
    ],
    notes: [],
    failures: [
      ...missing.filter(([value]) => value === undefined).map(([, what]) => what),
      ...(away.evictionAnswer === "refused"
        ? []
        : [`the eviction of a second member was answered: ${away.evictionAnswer}`]),
      ...chainProblems,
    ],
    values: away,
  };
}
