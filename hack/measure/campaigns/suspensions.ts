import { kinds } from "../../../src/model/kinds.ts";
import { claimName } from "../../../src/model/names.ts";
import { cutOff } from "../../../test/e2e/harness/cut-paths.ts";
import { say } from "../../local-cluster/progress.ts";
import { campaign } from "../campaign.ts";
import { ChainSurvey } from "../chain-survey.ts";
import { followStart } from "../joining.ts";
import { provideNamespace } from "../namespaces.ts";
import { manifestOf, type OperatedCluster, operatedCluster, remove, statusOf } from "../operated-cluster.ts";
import { podsOf } from "../pods.ts";
import { requireLocal } from "../provide-cluster.ts";
import { patchNow } from "../rollout-sides.ts";
import { pause, pollUntil, type Session } from "../session.ts";
import { keepLooking, LOOK_EVERY_MS, readAll, type Surveyed } from "../survey-looks.ts";
import { duration } from "../table.ts";
import { type Suspension, suspensionsReport } from "./suspensions-report.ts";

const REPLICAS = 3;
const BLOCK_TIME = "200ms";
const TIMEOUT_MS = 240_000;
/** As many volumes as may be lost within an hour. */
const MOST_REPAIRS = 8;
const BLOCKS_BETWEEN = 15;
/** A member that is cut off is behind by then, and nobody's leader. */
const CUT_MS = 6_000;
const ways = ["all level", "a follower cut off before", "a volume lost meanwhile"] as const;

interface Side extends Surveyed {
  readonly members: OperatedCluster;
}

/** All members suspended and resumed, again and again: does the chain go on where it was? */
export const suspensions = campaign({
  name: "suspensions",
  about: "clusters suspended and resumed: the time it takes, and whether the chain goes on where it was",
  options: {
    runs: { full: 5, short: 1, about: "suspensions of each kind" },
    "suspend-seconds": { full: 20, short: 2, about: "how long the members stay away" },
    "first-seconds": { full: 600, short: 2, about: "how long they stay away the first time" },
  },
  async run(session, { runs, "suspend-seconds": seconds, "first-seconds": firstSeconds }) {
    requireLocal(session);
    const namespace = await provideNamespace(session, "suspensions");
    const side = await startCluster(session, namespace);
    const seen: Suspension[] = [];
    for (let run = 0; run < runs * ways.length; run += 1) {
      const way = ways[run % ways.length] ?? "all level";
      const one = await suspendOnce(session, side, way, (run === 0 ? firstSeconds : seconds) * 1_000);
      seen.push(one);
      say(`suspension ${run + 1}, ${way}: ${describe(one)}`);
    }
    await readAll(session, side);
    return suspensionsReport(seen, [...side.survey.problems(), ...side.survey.replaced()]);
  },
});

async function startCluster(session: Session, namespace: string): Promise<Side> {
  const more = { repair: { maxPerHour: MOST_REPAIRS } } as const;
  const wish = { namespace, name: "chain", replicas: REPLICAS, blockTime: BLOCK_TIME, more } as const;
  await session.api.create(kinds.cluster, manifestOf(wish));
  const members = operatedCluster(wish);
  await allBack(session, members);
  return { members, survey: new ChainSurvey(REPLICAS) };
}

async function suspendOnce(
  session: Session,
  side: Side,
  way: (typeof ways)[number],
  forMs: number,
): Promise<Suspension> {
  const { members, survey } = side;
  await readAll(session, side);
  const from = survey.top();
  const stopped = await keepLooking(session, side, async () => {
    const enough = async () => (survey.top() >= from + BLOCKS_BETWEEN ? true : undefined);
    await pollUntil(enough, { everyMs: LOOK_EVERY_MS, timeoutMs: TIMEOUT_MS }, session);
    const cut = way === "a follower cut off before" ? await cutFollower(session, members) : undefined;
    const stoppedMs = await suspend(session, members);
    await cut?.heal();
    return stoppedMs;
  });
  const { heads = [], height } = (await statusOf(session, members)).suspension ?? {};
  if (way === "a volume lost meanwhile")
    await remove(session, kinds.claim, { namespace: members.namespace, name: claimName(members.name, 0) });
  await pause(forMs, session);

  const resumedMs = performance.now();
  await patchNow(session, kinds.cluster, members, { spec: { suspend: false } });
  const top = survey.top();
  const isOn = async () => {
    await survey.look(await podsOf(session, members));
    return survey.top() > top ? performance.now() - resumedMs : undefined;
  };
  const blocksMs = await pollUntil(isOn, { everyMs: LOOK_EVERY_MS, timeoutMs: TIMEOUT_MS }, session);
  await allBack(session, members);
  return {
    way,
    stoppedMs: stopped,
    blocksMs,
    allBackMs: performance.now() - resumedMs,
    heights: heads.flatMap((head) => head.height ?? []),
    noted: height,
    top,
  };
}

/** Answers how long it took until the last pod was gone. */
async function suspend(session: Session, members: OperatedCluster): Promise<number> {
  const startMs = performance.now();
  await patchNow(session, kinds.cluster, members, { spec: { suspend: true } });
  const isOver = async () => {
    const { phase } = await statusOf(session, members);
    const pods = await podsOf(session, members);
    return phase === "Suspended" && pods.length === 0 ? performance.now() - startMs : undefined;
  };
  const tookMs = await pollUntil(isOver, { everyMs: LOOK_EVERY_MS, timeoutMs: TIMEOUT_MS }, session);
  if (tookMs === undefined) throw new Error("the cluster is not suspended within the time");
  return tookMs;
}

async function cutFollower(session: Session, members: OperatedCluster) {
  const { leader } = await statusOf(session, members);
  const pods = await podsOf(session, members);
  const one = pods.find(({ metadata }) => metadata.name !== leader);
  if (one === undefined) throw new Error("there is no follower");
  const cut = await cutOff(
    one,
    pods.filter((pod) => pod !== one),
  );
  session.atEnd("the cut of a follower", async () => cut.heal());
  await pause(CUT_MS, session);
  return cut;
}

async function allBack(session: Session, members: OperatedCluster): Promise<void> {
  const { missing } = await followStart(session, members, performance.now(), TIMEOUT_MS);
  if (missing !== undefined) throw new Error(`the members are not back: ${missing}`);
}

function describe({ stoppedMs, blocksMs, allBackMs, heights }: Suspension): string {
  const back = `blocks after ${duration(blocksMs)}, all back after ${duration(allBackMs)}`;
  return `stopped in ${duration(stoppedMs)} at ${heights.join(", ")}; ${back}`;
}
