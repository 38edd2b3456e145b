import { kinds } from "../../../src/model/kinds.ts";
import { EVNODE_CONTAINER } from "../../../src/model/member.ts";
import { killContainer } from "../../../test/e2e/harness/processes.ts";
import { say } from "../../local-cluster/progress.ts";
import { longestGap } from "../block-gaps.ts";
import { campaign } from "../campaign.ts";
import { ChainSurvey } from "../chain-survey.ts";
import { followStart } from "../joining.ts";
import { provideNamespace } from "../namespaces.ts";
import { manifestOf, operatedCluster, removeCluster } from "../operated-cluster.ts";
import { type Members, podsOf } from "../pods.ts";
import { requireLocal } from "../provide-cluster.ts";
import { rolesOf } from "../roles-now.ts";
import { pollUntil, type Session } from "../session.ts";
import { keepLooking, LOOK_EVERY_MS, readAll, type Surveyed } from "../survey-looks.ts";
import { duration } from "../table.ts";
import { type Sender, sendTransactions } from "../transactions.ts";
import { createYardstick, newYardstick, removeYardstick } from "../yardstick-cluster.ts";
import { type TotalStop, totalStopsReport } from "./total-stops-report.ts";

const REPLICAS = 3;
const BLOCK_TIME = "200ms";
const START_TIMEOUT_MS = 180_000;
const BACK_TIMEOUT_MS = 180_000;
const GONE_TIMEOUT_MS = 120_000;
/** Blocks between two stops. */
const BLOCKS_BETWEEN = 15;
/** Blocks to see after a stop before the time without blocks counts as over. */
const BLOCKS_AFTER = 3;

/** Read again after a stop: a block that is replaced is one of the last before it. */
const BLOCKS_AGAIN = 200;
const LEADER_EVERY_MS = 500;

/** How all members are stopped in one moment: containers every other time. */
type Way = TotalStop["way"];
const ways: readonly Way[] = ["pods killed", "containers killed", "pods deleted", "containers killed"];

interface Side extends Surveyed {
  readonly name: TotalStop["side"];
  readonly transactions: Sender;
  readonly remove: () => Promise<void>;
}

type NewSide = (session: Session, namespace: string, number: number) => Promise<Side>;
const newSides: readonly NewSide[] = [
  async (session, namespace, number) => ourSide(session, namespace, "Level", number),
  async (session, namespace, number) => ourSide(session, namespace, "Start", number),
  theirSide,
];

/** All members stopped at once, again and again: does any block that was ever served come to be another one? */
export const totalStops = campaign({
  name: "total-stops",
  about: "all members stopped at once: blocks that were replaced, and the time without blocks",
  options: {
    stops: { full: 80, short: 2, about: "of each cluster; every other one kills the containers alone" },
    clusters: {
      full: 3,
      short: 2,
      about: "beside each other: the operator's, the same with spec.raft.afterOutage: Start, the StatefulSet",
    },
  },
  async run(session, { stops, clusters }) {
    requireLocal(session);
    const namespace = await provideNamespace(session, "total-stops");
    // Side by side, so that all meet the same moods of the machine.
    const all = await Promise.all(
      newSides
        .slice(0, clusters)
        .map(async (newSide) => stopAgainAndAgain(session, namespace, newSide, stops)),
    );
    return totalStopsReport(
      all.flatMap(({ seen }) => seen),
      all[0]?.problems ?? [],
    );
  },
});

async function stopAgainAndAgain(session: Session, namespace: string, newSide: NewSide, stops: number) {
  const seen: TotalStop[] = [];
  const problems: string[] = [];
  let side: Side | undefined;
  for (let number = 0; number < stops; number += 1) {
    side ??= await newSide(session, namespace, number);
    const stop = await stopAll(session, side, ways[number % ways.length] ?? "pods killed");
    seen.push(stop);
    say(`stop ${number + 1}, ${describe(stop)}`);
    if (stop.missing === undefined) continue;
    // One that did not come back would not come back from the next stop either.
    await side.transactions.stop();
    problems.push(...problemsOf(side));
    await side.remove();
    side = undefined;
  }
  await side?.transactions.stop();
  if (side) await readAll(session, side);
  return { seen, problems: [...problems, ...(side ? problemsOf(side) : [])] };
}

const problemsOf = ({ survey }: Side) => [...survey.problems(), ...survey.replaced()];

async function ourSide(
  session: Session,
  namespace: string,
  afterOutage: "Level" | "Start",
  number: number,
): Promise<Side> {
  const name = `chain-${afterOutage.toLowerCase()}-${number}`;
  const more = { raft: { afterOutage } };
  const wish = { namespace, name, replicas: REPLICAS, blockTime: BLOCK_TIME, more } as const;
  await session.api.create(kinds.cluster, manifestOf(wish));
  const members = operatedCluster(wish);
  const side = afterOutage === "Level" ? "operator" : "operator, Start";
  return sideOf(session, side, members, async () => removeCluster(session, members));
}

async function theirSide(session: Session, namespace: string, number: number): Promise<Side> {
  const members = await newYardstick(namespace, `yardstick-${number}`, REPLICAS, BLOCK_TIME);
  await createYardstick(session, members);
  return sideOf(session, "StatefulSet", members, async () => removeYardstick(session, members));
}

function sideOf(session: Session, name: Side["name"], members: Members, remove: Side["remove"]): Side {
  const transactions = sendTransactions(session, leaderOf(session, members), "load");
  return { name, members, survey: new ChainSurvey(REPLICAS), transactions, remove };
}

/** Where the member that leads takes transactions, as it was a moment ago. */
function leaderOf(session: Session, members: Members): () => Promise<string | undefined> {
  let known: string | undefined;
  let askAtMs = 0;
  return async () => {
    if (performance.now() < askAtMs) return known;
    askAtMs = performance.now() + LEADER_EVERY_MS;
    known = (await rolesOf(await podsOf(session, members))).leader?.status?.podIP;
    return known;
  };
}

async function stopAll(session: Session, side: Side, way: Way): Promise<TotalStop> {
  const { name, members, survey } = side;
  const before = survey.replaced().length;
  const not = { side: name, way, gapMs: undefined, replaced: [] } as const;
  const { missing: notUp } = await followStart(session, members, performance.now(), START_TIMEOUT_MS);
  if (notUp !== undefined) return { ...not, missing: notUp };
  const from = Math.max(1, survey.top() - BLOCKS_AGAIN);
  const goal = survey.top() + BLOCKS_BETWEEN;
  const missing = await keepLooking(session, side, async () => {
    const enough = async () => (survey.top() >= goal ? true : undefined);
    const poll = { everyMs: LOOK_EVERY_MS, timeoutMs: BACK_TIMEOUT_MS };
    if (!(await pollUntil(enough, poll, session))) return `no ${BLOCKS_BETWEEN} blocks came before the stop`;
    await stopPods(session, members, way);
    return (await followStart(session, members, performance.now(), BACK_TIMEOUT_MS)).missing;
  });
  if (missing !== undefined) return { ...not, missing, replaced: survey.replaced().slice(before) };
  await readAll(session, side, { atLeastTo: survey.top() + BLOCKS_AFTER, from });
  const recent = survey.times().filter(({ height }) => height >= goal);
  return {
    side: name,
    way,
    gapMs: longestGap(recent)?.ms,
    missing,
    replaced: survey.replaced().slice(before),
  };
}

async function stopPods(session: Session, members: Members, way: Way): Promise<void> {
  if (way === "containers killed") {
    await Promise.all(
      (await podsOf(session, members)).map(async (pod) => killContainer(pod, EVNODE_CONTAINER)),
    );
    return;
  }
  const at = ["--namespace", members.namespace, "--selector", members.selector, "--wait=false"];
  const force = way === "pods killed" ? ["--grace-period=0", "--force"] : [];
  const before = new Set((await podsOf(session, members)).map(({ metadata }) => metadata.uid));
  await session.kubectl.run(["delete", "pods", ...at, ...force]);
  const replaced = async () => {
    const left = (await podsOf(session, members)).filter(({ metadata }) => before.has(metadata.uid));
    return left.length === 0 ? true : undefined;
  };
  await pollUntil(replaced, { everyMs: 100, timeoutMs: GONE_TIMEOUT_MS }, session);
}

function describe({ side, way, gapMs, missing, replaced }: TotalStop): string {
  const how = missing === undefined ? `${duration(gapMs)} without a block` : `not back: ${missing}`;
  return `${side}, ${way}: ${how}${replaced.map((text) => `; REPLACED ${text}`).join("")}`;
}
