import type { Status } from "../../../src/api/evnodecluster.ts";
import { annotations } from "../../../src/model/annotations.ts";
import { kinds } from "../../../src/model/kinds.ts";
import { say } from "../../local-cluster/progress.ts";
import { longestGap } from "../block-gaps.ts";
import { campaign } from "../campaign.ts";
import { ChainSurvey } from "../chain-survey.ts";
import { started } from "../joining.ts";
import { provideNamespace } from "../namespaces.ts";
import {
  manifestOf,
  type OperatedCluster,
  operatedCluster,
  remove,
  removeCluster,
  statusOf,
} from "../operated-cluster.ts";
import { podsOf } from "../pods.ts";
import { requireLocal } from "../provide-cluster.ts";
import { patchNow } from "../rollout-sides.ts";
import { pause, pollUntil, type Session } from "../session.ts";
import { duration } from "../table.ts";
import { type Drill, drillsReport } from "./drills-report.ts";

const SIZES = [3, 5] as const;
const BLOCK_TIME = "200ms";
const START_TIMEOUT_MS = 180_000;
/** Kubernetes holds back for minutes what is restarted again and again. */
const DRILL_TIMEOUT_MS = 400_000;
const LOOK_EVERY_MS = 100;
const ASKED_AGAIN = 3;
const ASK_AGAIN_MS = 5_000;

/** Failover drills in a row: the time without blocks, and until the old leader is back. */
export const drills = campaign({
  name: "drills",
  about: "failover drills in a row on 3 and on 5 members, and one with a member down",
  options: { runs: { full: 10, short: 1, about: "drills of each cluster" } },
  async run(session, { runs }) {
    requireLocal(session);
    const namespace = await provideNamespace(session, "drills");
    const seen: Drill[] = [];
    const problems: string[] = [];
    let refusal: string | undefined;
    for (const replicas of SIZES) {
      const cluster = await startCluster(session, namespace, replicas);
      const survey = new ChainSurvey(replicas);
      for (let run = 1; run <= runs; run++) {
        await isRunning(session, cluster);
        seen.push(await drillOnce(session, cluster, survey, `run-${run}`));
        say(`drill ${run} of ${replicas} members: ${describe(seen.at(-1))}`);
      }
      if (replicas === SIZES[0]) refusal = await drillWithMemberDown(session, cluster);
      await survey.look(await podsOf(session, cluster), 1);
      problems.push(...survey.problems(), ...survey.replaced());
      await removeCluster(session, cluster);
    }
    return drillsReport(seen, refusal, problems);
  },
});

async function startCluster(
  session: Session,
  namespace: string,
  replicas: (typeof SIZES)[number],
): Promise<OperatedCluster> {
  const wish = { namespace, name: `chain-${replicas}`, replicas, blockTime: BLOCK_TIME } as const;
  await session.api.create(kinds.cluster, manifestOf(wish));
  return started(session, operatedCluster(wish), START_TIMEOUT_MS);
}

/** What an owner looks at before asking for a drill: a member may be held back since the one before. */
async function isRunning(session: Session, cluster: OperatedCluster): Promise<void> {
  const found = async () => ((await statusOf(session, cluster)).phase === "Running" ? true : undefined);
  await pollUntil(found, { everyMs: 250, timeoutMs: DRILL_TIMEOUT_MS }, session);
}

async function drillOnce(
  session: Session,
  cluster: OperatedCluster,
  survey: ChainSurvey,
  request: string,
): Promise<Drill> {
  await survey.look(await podsOf(session, cluster));
  const from = survey.top();
  const startMs = performance.now();
  let told = await ask(session, cluster, request);
  // A member that has only just come back is no help yet: whoever drills asks again.
  for (let again = 1; told?.result === "Refused" && again <= ASKED_AGAIN; again++) {
    say(`${request} was refused: ${told.message}`);
    await pause(ASK_AGAIN_MS, session);
    told = await ask(session, cluster, `${request}-${again}`);
  }
  const tookMs = performance.now() - startMs;
  await survey.look(await podsOf(session, cluster));
  const recent = survey.times().filter(({ height }) => height >= from);
  return {
    members: cluster.count,
    result: told?.result ?? "nothing within the time",
    message: told?.message ?? "",
    toldGapMs: told?.gapMs,
    seenGapMs: longestGap(recent)?.ms,
    blocksMissed: told?.blocksMissed,
    tookMs: told?.result === "Succeeded" ? tookMs : undefined,
  };
}

/** Asks for a drill, and answers what is told of it when it is over. */
async function ask(
  session: Session,
  cluster: OperatedCluster,
  request: string,
): Promise<Status["lastDrill"] | undefined> {
  const notes = { [annotations.drill]: request };
  await patchNow(session, kinds.cluster, cluster, { metadata: { annotations: notes } });
  const isOver = async () => {
    const { lastDrill } = await statusOf(session, cluster);
    return lastDrill?.request === request && lastDrill.result !== "UnderWay" ? lastDrill : undefined;
  };
  return pollUntil(isOver, { everyMs: LOOK_EVERY_MS, timeoutMs: DRILL_TIMEOUT_MS }, session);
}

/** Why it was refused; undefined when it was not. */
async function drillWithMemberDown(session: Session, cluster: OperatedCluster): Promise<string | undefined> {
  const { leader } = await statusOf(session, cluster);
  const down = (await podsOf(session, cluster)).find(({ metadata }) => metadata.name !== leader);
  if (down === undefined) throw new Error("there is no follower");
  await remove(session, kinds.pod, { namespace: cluster.namespace, name: down.metadata.name });
  const told = await ask(session, cluster, "with-a-member-down");
  return told?.result === "Refused" ? told.message : undefined;
}

function describe(drill: Drill | undefined): string {
  if (drill === undefined) return "none";
  const { result, message, toldGapMs, tookMs } = drill;
  return result === "Succeeded"
    ? `${duration(toldGapMs)} without a block, all back after ${duration(tookMs)}`
    : `${result}: ${message}`;
}
