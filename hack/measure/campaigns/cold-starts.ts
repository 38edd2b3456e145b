import { kinds } from "../../../src/model/kinds.ts";
import { say } from "../../local-cluster/progress.ts";
import { campaign, type Report } from "../campaign.ts";
import { comparison } from "../comparison.ts";
import { type Exits, exitsOf, firstStartRace, leadershipLost } from "../exits.ts";
import { interleaved } from "../interleave.ts";
import { followStart, type JoinTimes } from "../joining.ts";
import { startLoad } from "../load.ts";
import { provideNamespace } from "../namespaces.ts";
import { manifestOf, operatedCluster, removeCluster } from "../operated-cluster.ts";
import type { Members } from "../pods.ts";
import { pause, type Session } from "../session.ts";
import { duration } from "../table.ts";
import { createYardstick, newYardstick, removeYardstick } from "../yardstick-cluster.ts";

const REPLICAS = 3;
const BLOCK_TIME = "200ms";
/** The load gets going before a start is measured. */
const WARM_UP_MS = 2_000;
/** Exits that follow a start belong to it. */
const AFTERMATH_MS = 5_000;

export interface Start extends JoinTimes {
  readonly side: "ours" | "theirs";
  readonly exits: Exits;
}

/** One of two sides to start and to take away again. */
interface Starter {
  readonly members: Members;
  readonly create: () => Promise<void>;
  readonly remove: () => Promise<void>;
}

/** First starts on a busy machine, where a hand-written StatefulSet can lose a member for good. */
export const coldStarts = campaign({
  name: "cold-starts",
  about: "first starts of 3 members on a busy machine, beside the hand-written StatefulSet",
  options: {
    runs: { full: 30, short: 1, about: "starts by the operator" },
    "yardstick-runs": { full: 10, short: 1, about: "starts of the StatefulSet" },
    "busy-loops": { full: 4, short: 2, about: "processes that only count, beside the compiler" },
    "timeout-seconds": { full: 180, short: 180, about: "a start that takes longer has not joined" },
  },
  async run(session, options) {
    const namespace = await provideNamespace(session, "cold-starts");
    const order = interleaved(options.runs, options["yardstick-runs"]);
    const starts: Start[] = [];
    for (const [index, side] of order.entries()) {
      const starter =
        side === "ours" ? ours(session, namespace, index) : await theirs(session, namespace, index);
      const start = await measureStart(session, starter, side, {
        busyLoops: options["busy-loops"],
        timeoutMs: options["timeout-seconds"] * 1_000,
      });
      starts.push(start);
      say(`start ${index + 1} of ${order.length}, ${describe(start)}`);
    }
    return reportOf(starts);
  },
});

function ours(session: Session, namespace: string, index: number): Starter {
  const wish = { namespace, name: `start-${index}`, replicas: REPLICAS, blockTime: BLOCK_TIME } as const;
  const members = operatedCluster(wish);
  return {
    members,
    create: async () => {
      await session.api.create(kinds.cluster, manifestOf(wish));
    },
    remove: async () => removeCluster(session, members),
  };
}

async function theirs(session: Session, namespace: string, index: number): Promise<Starter> {
  const yardstick = await newYardstick(namespace, `yardstick-${index}`, REPLICAS, BLOCK_TIME);
  return {
    members: yardstick,
    create: async () => createYardstick(session, yardstick),
    remove: async () => removeYardstick(session, yardstick),
  };
}

async function measureStart(
  session: Session,
  { members, create, remove }: Starter,
  side: Start["side"],
  { busyLoops, timeoutMs }: { readonly busyLoops: number; readonly timeoutMs: number },
): Promise<Start> {
  const load = await startLoad(busyLoops);
  let times: JoinTimes;
  try {
    await pause(WARM_UP_MS, session);
    const startMs = performance.now();
    await create();
    times = await followStart(session, members, startMs, timeoutMs);
    await pause(AFTERMATH_MS, session);
  } finally {
    await load.stop();
  }
  const exits = await exitsOf(session, members);
  await remove();
  return { side, ...times, exits };
}

function describe({ side, joinedMs, readyMs, missing, exits }: Start): string {
  const who = side === "ours" ? "operator" : "StatefulSet";
  const how = missing === undefined ? `in sync after ${duration(readyMs)}` : `never in sync: ${missing}`;
  const reasons = exits.last.map(({ reason, lastWords }) => (reason === "Unknown" ? lastWords : reason));
  const words = exits.count === 0 ? "no exit" : `${exits.count} exits: ${reasons.join(", ")}`;
  return `${who}: joined after ${duration(joinedMs)}, ${how}, ${words}`;
}

export function reportOf(starts: readonly Start[]): Report {
  const ours = starts.filter(({ side }) => side === "ours");
  const theirs = starts.filter(({ side }) => side === "theirs");
  const lost = ours.filter(({ readyMs }) => readyMs === undefined);
  const exited = ours.filter((start) => exitedFor(start, isUnexpected));
  return {
    tables: [
      comparison("From apply until every pod is Ready and in sync", {
        ours: ours.map(({ readyMs }) => readyMs),
        theirs: theirs.map(({ readyMs }) => readyMs),
      }),
      comparison("From apply until one leads, blocks come and all members follow", {
        ours: ours.map(({ joinedMs }) => joinedMs),
        theirs: theirs.map(({ joinedMs }) => joinedMs),
      }),
      {
        title: "What happened to the starts",
        columns: [
          "",
          "starts",
          "all in sync",
          "first-start race",
          "leadership lost",
          "other exits",
          "exits in all",
        ],
        rows: [countsRow("operator", ours), countsRow("StatefulSet", theirs)],
      },
    ],
    notes: [
      "ev-node exits whenever it loses the leadership, which a slow machine makes it do; the next start goes on.",
    ],
    failures: [
      ...(lost.length === 0 ? [] : [`${lost.length} starts by the operator never came in sync`]),
      ...(exited.length === 0
        ? []
        : [
            `ev-node exited in ${exited.length} starts by the operator, for another reason than a lost leadership`,
          ]),
    ],
    values: starts,
  };
}

function countsRow(who: string, starts: readonly Start[]): readonly string[] {
  const countOf = (isMeant: (start: Start) => boolean) => String(starts.filter(isMeant).length);
  return [
    who,
    String(starts.length),
    countOf(({ readyMs }) => readyMs !== undefined),
    countOf((start) => exitedFor(start, (reason) => reason === firstStartRace)),
    countOf((start) => exitedFor(start, (reason) => reason === leadershipLost)),
    countOf((start) => exitedFor(start, (reason) => isUnexpected(reason) && reason !== firstStartRace)),
    String(starts.reduce((sum, { exits }) => sum + exits.count, 0)),
  ];
}

const isUnexpected = (reason: string) => reason !== leadershipLost;

function exitedFor({ exits }: Start, isMeant: (reason: string) => boolean): boolean {
  return exits.last.some(({ reason }) => isMeant(reason));
}
