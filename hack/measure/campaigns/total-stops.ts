import { kinds } from "../../../src/model/kinds.ts";
import { EVNODE_CONTAINER } from "../../../src/model/member.ts";
import { killContainer } from "../../../test/e2e/harness/processes.ts";
import { say } from "../../local-cluster/progress.ts";
import { longestGap } from "../block-gaps.ts";
import { campaign } from "../campaign.ts";
import { ChainSurvey } from "../chain-survey.ts";
import { interleaved } from "../interleave.ts";
import { followStart } from "../joining.ts";
import { provideNamespace } from "../namespaces.ts";
import { deleteCluster, manifestOf, operatedCluster } from "../operated-cluster.ts";
import { type Members, podsOf } from "../pods.ts";
import { requireLocal } from "../provide-cluster.ts";
import { pollUntil, type Session } from "../session.ts";
import { keepLooking, LOOK_EVERY_MS, readAll, type Surveyed } from "../survey-looks.ts";
import { duration } from "../table.ts";
import { createYardstick, newYardstick } from "../yardstick-cluster.ts";
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

/** How all members are stopped in one moment. */
type Way = TotalStop["way"];
const waysOfTheirs: readonly Way[] = ["pods killed", "pods deleted", "containers killed"];
const waysOfOurs: readonly Way[] = ["delete and apply", ...waysOfTheirs];

interface Side extends Surveyed {
  readonly name: TotalStop["side"];
  readonly ways: readonly Way[];
  readonly stop: (way: Way) => Promise<void>;
}

/** All members stopped at once, again and again: does any block that was ever served come to be another one? */
export const totalStops = campaign({
  name: "total-stops",
  about: "all members stopped at once: blocks that were replaced, and the time without blocks",
  options: {
    runs: { full: 40, short: 1, about: "stops of the operator's cluster" },
    "start-runs": { full: 40, short: 1, about: "the same with spec.raft.afterOutage: Start" },
    "yardstick-runs": { full: 40, short: 0, about: "stops of the StatefulSet" },
  },
  async run(session, options) {
    requireLocal(session);
    const namespace = await provideNamespace(session, "total-stops");
    const ours = await ourSide(session, namespace, "Level");
    const sides = new Map<Side["name"], Side>([[ours.name, ours]]);
    const stops: TotalStop[] = [];
    for (const [index, name] of orderOf(options).entries()) {
      const stopped =
        sides.get(name) ??
        (name === "StatefulSet"
          ? await theirSide(session, namespace, index)
          : await ourSide(session, namespace, "Start"));
      sides.set(name, stopped);
      const count = stops.filter(({ side: name }) => name === stopped.name).length;
      const stop = await stopAll(
        session,
        stopped,
        stopped.ways[count % stopped.ways.length] ?? "pods killed",
      );
      stops.push(stop);
      say(`stop ${index + 1}, ${describe(stop)}`);
      // One that did not come back would not come back from the next stop either.
      if (stop.side === "StatefulSet" && stop.missing !== undefined) sides.delete(stop.side);
    }
    return totalStopsReport(stops, [...ours.survey.problems(), ...ours.survey.replaced()]);
  },
});

interface Runs {
  readonly runs: number;
  readonly "start-runs": number;
  readonly "yardstick-runs": number;
}

/** Each side meets the same moods of the machine. */
function orderOf(options: Runs): readonly TotalStop["side"][] {
  let starts = 0;
  return interleaved(options.runs, options["yardstick-runs"]).flatMap((side): TotalStop["side"][] => {
    if (side === "theirs") return ["StatefulSet"];
    starts += 1;
    return starts <= options["start-runs"] ? ["operator", "operator, Start"] : ["operator"];
  });
}

async function ourSide(session: Session, namespace: string, afterOutage: "Level" | "Start"): Promise<Side> {
  const name = `chain-${afterOutage.toLowerCase()}`;
  const more = { raft: { afterOutage } };
  const wish = { namespace, name, replicas: REPLICAS, blockTime: BLOCK_TIME, more } as const;
  const members = operatedCluster(wish);
  const apply = async () => {
    await session.api.create(kinds.cluster, manifestOf(wish));
  };
  await apply();
  const stop = async (way: Way) => {
    if (way !== "delete and apply") return stopPods(session, members, way);
    await deleteCluster(session, members);
    await apply();
  };
  const side = afterOutage === "Level" ? "operator" : "operator, Start";
  return { name: side, members, survey: new ChainSurvey(REPLICAS), ways: waysOfOurs, stop };
}

async function theirSide(session: Session, namespace: string, index: number): Promise<Side> {
  const members = await newYardstick(namespace, `yardstick-${index}`, REPLICAS, BLOCK_TIME);
  await createYardstick(session, members);
  const stop = async (way: Way) => stopPods(session, members, way);
  return { name: "StatefulSet", members, survey: new ChainSurvey(REPLICAS), ways: waysOfTheirs, stop };
}

async function stopAll(session: Session, side: Side, way: Way): Promise<TotalStop> {
  const { members, survey, stop } = side;
  const before = survey.replaced().length;
  const { missing: notUp } = await followStart(session, members, performance.now(), START_TIMEOUT_MS);
  if (notUp !== undefined) return { side: side.name, way, gapMs: undefined, missing: notUp, replaced: [] };
  await readAll(session, side);
  const from = survey.top();
  await keepLooking(session, side, async () => {
    const enough = async () => (survey.top() >= from + BLOCKS_BETWEEN ? true : undefined);
    await pollUntil(enough, { everyMs: LOOK_EVERY_MS, timeoutMs: BACK_TIMEOUT_MS }, session);
    await stop(way);
  });
  const { missing } = await followStart(session, members, performance.now(), BACK_TIMEOUT_MS);
  await readAll(session, side, survey.top() + BLOCKS_AFTER);
  const recent = survey.times().filter(({ height }) => height >= from);
  return {
    side: side.name,
    way,
    gapMs: missing === undefined ? longestGap(recent)?.ms : undefined,
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
