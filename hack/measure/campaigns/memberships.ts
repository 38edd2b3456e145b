import { kinds } from "../../../src/model/kinds.ts";
import { leaderServiceName, memberName } from "../../../src/model/names.ts";
import { say } from "../../local-cluster/progress.ts";
import { longestGap } from "../block-gaps.ts";
import { campaign } from "../campaign.ts";
import { ChainSurvey } from "../chain-survey.ts";
import { provideNamespace } from "../namespaces.ts";
import { manifestOf, type OperatedCluster, operatedCluster, statusOf } from "../operated-cluster.ts";
import { podsOf } from "../pods.ts";
import { requireLocal } from "../provide-cluster.ts";
import { patchNow } from "../rollout-sides.ts";
import { pause, pollUntil, type Session } from "../session.ts";
import { keepLooking, LOOK_EVERY_MS, readAll } from "../survey-looks.ts";
import { duration } from "../table.ts";
import { hasArrived, type Sender, sendTransactions } from "../transactions.ts";
import { type Change, membershipsReport } from "./memberships-report.ts";

const BLOCK_TIME = "200ms";
const TIMEOUT_MS = 360_000;
const BLOCKS_BETWEEN = 25;
/** Of each change so many of the transactions that had arrived before it are looked for after it. */
const LOOKED_FOR = 20;
const sizes = [1, 3, 5, 3, 1] as const;

type Size = (typeof sizes)[number];

interface Side {
  readonly namespace: string;
  members: OperatedCluster;
  readonly survey: ChainSurvey;
}

/** One chain with one, three, five, three and one members: for how long blocks stop, and whether it stays one chain. */
export const memberships = campaign({
  name: "memberships",
  about:
    "the number of members changed from one to five and back: how long blocks stop, and whether the chain stays one",
  options: {
    rounds: { full: 2, short: 1, about: "times from one to five and back" },
    changes: { full: 4, short: 2, about: "changes in each of them" },
    "rest-seconds": {
      full: 660,
      short: 0,
      about: "between changes: Kubernetes forgets restarts after ten minutes",
    },
  },
  async run(session, { rounds, changes, "rest-seconds": restSeconds }) {
    requireLocal(session);
    const namespace = await provideNamespace(session, "memberships");
    const side = await startCluster(session, namespace);
    const seen: Change[] = [];
    for (let number = 0; number < rounds * changes; number += 1) {
      if (number > 0) await keepLooking(session, side, () => pause(restSeconds * 1_000, session));
      const step = number % changes;
      // A round that is cut short goes back the way that it came.
      const to = sizes[step + 1 >= changes && changes < 4 ? 0 : step + 1] ?? 1;
      const one = await changeTo(session, side, to, number);
      seen.push(one);
      say(`change ${number + 1}, ${one.from} to ${one.to}: ${describe(one)}`);
    }
    await readAll(session, side);
    return membershipsReport(seen, [...side.survey.problems(), ...side.survey.replaced()]);
  },
});

async function startCluster(session: Session, namespace: string): Promise<Side> {
  const wish = { namespace, name: "chain", replicas: 1, blockTime: BLOCK_TIME } as const;
  await session.api.create(kinds.cluster, manifestOf(wish));
  const members = operatedCluster(wish);
  await allBack(session, members);
  // Of a change every single block counts, also one that a single member served.
  return { namespace, members, survey: new ChainSurvey(1) };
}

async function changeTo(session: Session, side: Side, to: Size, number: number): Promise<Change> {
  const { survey } = side;
  const from = side.members.count;
  const before = survey.top();
  const sender = sendTransactions(session, await leaderAddress(session, side), `change-${number}`);
  const timing = await keepLooking(session, side, async () => {
    const isEnough = async () => (survey.top() >= before + BLOCKS_BETWEEN ? true : undefined);
    await pollUntil(isEnough, { everyMs: LOOK_EVERY_MS, timeoutMs: TIMEOUT_MS }, session);
    const kept = await arrived(session, side, sender);
    const startMs = performance.now();
    const told = await ask(session, side, to);
    side.members = { ...side.members, count: to };
    await allBack(session, side.members);
    return { kept, told, tookMs: performance.now() - startMs };
  });
  await sender.stop();
  const toldTop = survey.top();
  const isOn = async () => {
    await survey.look(await podsOf(session, side.members));
    return survey.top() >= toldTop + 3 ? true : undefined;
  };
  await pollUntil(isOn, { everyMs: LOOK_EVERY_MS, timeoutMs: TIMEOUT_MS }, session);
  const lost = await missing(session, side, timing.kept);
  const gap = longestGap(survey.times().filter(({ height }) => height >= before));
  return {
    from,
    to,
    gapMs: gap?.ms,
    toldGapMs: timing.told.gapMs,
    lastHeight: timing.told.height,
    tookMs: timing.tookMs,
    kept: timing.kept.length,
    lost,
  };
}

/** Edits the spec, and waits for the end that the status tells. */
async function ask(session: Session, side: Side, replicas: Size) {
  const { nextEpoch } = (await statusOf(session, side.members)).membership ?? {};
  await patchNow(session, kinds.cluster, side.members, {
    spec: { replicas, membership: { approvedEpoch: nextEpoch } },
  });
  const isOver = async () => {
    const { membership } = await statusOf(session, side.members);
    const { lastChange } = membership ?? {};
    if (lastChange?.epoch !== nextEpoch) return undefined;
    if (lastChange?.result === "TakenBack") throw new Error(`it was taken back: ${lastChange.message}`);
    return lastChange?.result === "Completed" ? lastChange : undefined;
  };
  const told = await pollUntil(isOver, { everyMs: LOOK_EVERY_MS, timeoutMs: TIMEOUT_MS }, session);
  if (told === undefined) throw new Error(`the cluster does not have ${replicas} members within the time`);
  return told;
}

async function leaderAddress({ api }: Session, { namespace, members }: Side): Promise<string> {
  const service = await api.get(kinds.service, { namespace, name: leaderServiceName(members.name) });
  const ip = service?.spec?.clusterIP;
  if (ip === undefined) throw new Error("the leader Service has no address");
  return ip;
}

/** Some of the transactions that a member has in its store by now. */
async function arrived(session: Session, side: Side, { sent }: Sender): Promise<readonly string[]> {
  const [pod] = await podsOf(session, side.members);
  const ip = pod?.status?.podIP ?? "";
  const keys = sent.filter(({ acceptedMs }) => acceptedMs !== undefined).slice(-LOOKED_FOR);
  const found = await Promise.all(keys.map(async ({ key }) => ((await hasArrived(ip, key)) ? [key] : [])));
  return found.flat();
}

/** Those of these transactions that a member does not have, in words. */
async function missing(session: Session, side: Side, keys: readonly string[]): Promise<readonly string[]> {
  const { count, name } = side.members;
  const names = new Set(Array.from({ length: count }, (_, ordinal) => memberName(name, ordinal)));
  // Pods that are no members any more take their time to end.
  const pods = (await podsOf(session, side.members)).filter(({ metadata }) => names.has(metadata.name));
  const each = pods.flatMap(({ metadata, status }) =>
    keys.map(async (key) =>
      (await hasArrived(status?.podIP ?? "", key)) ? [] : [`${metadata.name} lacks transaction ${key}`],
    ),
  );
  return (await Promise.all(each)).flat();
}

/** As the status tells it: ev-node of a single sequencer cannot be asked who leads. */
async function allBack(session: Session, members: OperatedCluster): Promise<void> {
  const isBack = async () => {
    const { readyMembers, conditions = [] } = await statusOf(session, members);
    const isReady = conditions.some(({ type, status }) => type === "Ready" && status === "True");
    return isReady && readyMembers === `${members.count}/${members.count}` ? true : undefined;
  };
  const back = await pollUntil(isBack, { everyMs: LOOK_EVERY_MS, timeoutMs: TIMEOUT_MS }, session);
  if (back === undefined) throw new Error(`not all of ${members.count} members are there within the time`);
}

function describe({ gapMs, toldGapMs, lastHeight, tookMs, kept, lost }: Change): string {
  const stop = `no block for ${duration(gapMs)} after block ${lastHeight ?? "?"}, told as ${duration(toldGapMs)}`;
  return `${stop}; all there after ${duration(tookMs)}; ${kept - lost.length} of ${kept} transactions kept`;
}
