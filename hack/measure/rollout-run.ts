import { kinds } from "../../src/model/kinds.ts";
import { longestGap } from "./block-gaps.ts";
import { judgeJoin } from "./joining.ts";
import { podsOf } from "./pods.ts";
import {
  leadersOf,
  type Phases,
  phasesOf,
  type Restart,
  restartsOf,
  runningContainer,
} from "./rollout-analysis.ts";
import { podNow, probeMembers, type RolloutProbe } from "./rollout-probe.ts";
import { BLOCK_TIME_MS, type ChangeKind, type Side, type SideName } from "./rollout-sides.ts";
import { pause, pollUntil, type Session } from "./session.ts";
import { wallMs } from "./wall-time.ts";

/** One change that was taken to all members of one side. */
export interface Rollout {
  readonly side: SideName;
  readonly replicas: number;
  readonly kind: ChangeKind;
  /** From the write of the change until every member runs it, is Ready and level, and one leads. */
  readonly durationMs: number | undefined;
  /** What was missing when the time was over. */
  readonly missing: string | undefined;
  readonly restarts: readonly Restart[];
  /** Who led, one after the other; the first one led before. */
  readonly leaders: readonly string[];
  /** Longest time between two blocks. */
  readonly gapMs: number | undefined;
  /** Blocks that would have fitted into the longer pauses. */
  readonly blocksMissed: number;
  readonly phases: Phases | undefined;
  /** Heights of which more than one block was served, in words. */
  readonly replaced: readonly string[];
}

const TIMEOUT_MS = 600_000;
const LOOK_EVERY_MS = 50;
/** Blocks are read while members are restarted, so that one that is served and replaced is seen. */
const READ_EVERY_MS = 200;
const BLOCKS_BEFORE = 10;
const BLOCKS_AFTER = 5;
const BLOCKS_TIMEOUT_MS = 120_000;

export async function rollOnce(session: Session, side: Side, kind: ChangeKind): Promise<Rollout> {
  let before: Before = { revision: undefined, containers: new Map() };
  const { probe, startMs, endMs, missing, blocks, replaced } = await watchRollout(session, side, {
    begin: async (watched) => {
      before = await stateBefore(session, side, watched);
    },
    change: () => side.change(kind),
    whatIsLeft: (watched) => whatIsLeft(session, side, watched, before),
    everyMs: LOOK_EVERY_MS,
  });
  const restarts = restartsOf(probe);
  return {
    side: side.name,
    replicas: side.replicas,
    kind,
    durationMs: missing === undefined ? endMs - startMs : undefined,
    missing,
    restarts,
    leaders: leadersOf(probe),
    gapMs: longestGap(blocks)?.ms,
    blocksMissed: missedIn(blocks.map(({ timeMs }) => timeMs)),
    phases: missing === undefined ? phasesOf(restarts, startMs, endMs) : undefined,
    replaced,
  };
}

export interface WatchedWork {
  /** What has to be known of the members before anything is changed. */
  begin?(probe: RolloutProbe): Promise<void>;
  change(probe: RolloutProbe): Promise<void>;
  /** Undefined when the rollout is over. */
  whatIsLeft(probe: RolloutProbe): Promise<string | undefined>;
  readonly everyMs: number;
}

export interface WatchedRollout {
  readonly probe: RolloutProbe;
  readonly startMs: number;
  readonly endMs: number;
  /** What was missing when the time was over; undefined when the rollout came to its end. */
  readonly missing: string | undefined;
  /** From shortly before the change until shortly after the end. */
  readonly blocks: ReturnType<Side["survey"]["times"]>;
  /** Heights of which more than one block was served meanwhile, in words. */
  readonly replaced: readonly string[];
}

/** Watches the members and reads their blocks while a change is taken to them, until that is over. */
export async function watchRollout(session: Session, side: Side, work: WatchedWork): Promise<WatchedRollout> {
  const { survey } = side;
  await readUpTo(session, side, survey.top() + BLOCKS_BEFORE);
  const from = survey.top();
  const replacedBefore = survey.replaced().length;
  const probe = await probeMembers(session, side.members);
  const reading = readOn(session, side);
  try {
    await work.begin?.(probe);
    const startMs = wallMs();
    await work.change(probe);
    let missing: string | undefined = "nothing was seen yet";
    const isOver = async () => {
      missing = await work.whatIsLeft(probe);
      return missing === undefined || undefined;
    };
    await pollUntil(isOver, { everyMs: work.everyMs, timeoutMs: TIMEOUT_MS }, session);
    const endMs = wallMs();
    await readUpTo(session, side, survey.top() + BLOCKS_AFTER);
    const blocks = survey.times().filter(({ height }) => height >= from);
    return { probe, startMs, endMs, missing, blocks, replaced: survey.replaced().slice(replacedBefore) };
  } finally {
    await reading.stop();
    await probe.stop();
  }
}

interface Before {
  readonly revision: string | undefined;
  readonly containers: ReadonlyMap<string, string | undefined>;
}

async function stateBefore(session: Session, side: Side, probe: RolloutProbe): Promise<Before> {
  const set = await session.api.get(kinds.statefulSet, side.statefulSet);
  const containers = [...probe.samples.keys()].map((name): [string, string | undefined] => {
    const pod = podNow(probe.pods, name);
    return [name, pod && runningContainer(pod)];
  });
  return { revision: set?.status?.updateRevision, containers: new Map(containers) };
}

/** What is missing for the rollout to be over, the same for both sides; undefined when nothing is. */
async function whatIsLeft(
  { api }: Session,
  { statefulSet, members }: Side,
  { pods, samples }: RolloutProbe,
  before: Before,
): Promise<string | undefined> {
  const names = [...samples.keys()];
  const present = names.map((name) => podNow(pods, name)).filter((pod) => pod !== undefined);
  const old = present.filter((pod) => runningContainer(pod) === before.containers.get(pod.metadata.name));
  if (old.length > 0) return `${old.map(({ metadata }) => metadata.name).join(", ")} not restarted`;
  const views = names.map((name) => samples.get(name)?.at(-1) ?? { leads: undefined, height: undefined });
  const { ready, missing } = judgeJoin(present, views, members.count);
  if (!ready) return missing;
  const set = await api.get(kinds.statefulSet, statefulSet);
  const revision = set?.status?.updateRevision;
  if (revision === undefined || revision === before.revision)
    return "the StatefulSet has the template of before";
  const others = present.filter(({ metadata }) => metadata.labels?.["controller-revision-hash"] !== revision);
  if (others.length > 0)
    return `${others.map(({ metadata }) => metadata.name).join(", ")} not of the new revision`;
  return undefined;
}

/** Reads every block of every member, up to this height or beyond. */
async function readUpTo(session: Session, { members, survey }: Side, height: number): Promise<void> {
  const isRead = async () => {
    const whole = await survey.look(await podsOf(session, members));
    return (whole && survey.top() >= height) || undefined;
  };
  await pollUntil(isRead, { everyMs: READ_EVERY_MS, timeoutMs: BLOCKS_TIMEOUT_MS }, session);
}

function readOn(session: Session, { members, survey }: Side): { stop(): Promise<void> } {
  const over = new AbortController();
  const run = async () => {
    while (!over.signal.aborted) {
      await survey.look(await podsOf(session, members));
      await pause(READ_EVERY_MS, session);
    }
  };
  const reading = run();
  // Awaited in stop.
  reading.catch(() => {});
  return {
    async stop() {
      over.abort();
      await reading;
    },
  };
}

/** A pause that is shorter than twice the block time misses nothing that could be told from noise. */
function missedIn(times: readonly number[]): number {
  const sorted = times.toSorted((one, other) => one - other);
  return sorted.slice(1).reduce((sum, timeMs, index) => {
    const gapMs = timeMs - (sorted[index] ?? timeMs);
    return sum + (gapMs < 2 * BLOCK_TIME_MS ? 0 : Math.round(gapMs / BLOCK_TIME_MS) - 1);
  }, 0);
}
