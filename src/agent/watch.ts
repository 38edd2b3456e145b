import { statfs } from "node:fs/promises";
import { join } from "node:path";
import type { BlockAnswer } from "../model/agent-protocol.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Random } from "../runtime/random.ts";
import type { Board } from "./board.ts";
import { CopiedBlocks } from "./copied-blocks.ts";
import { CpuWatch } from "./cpu-watch.ts";
import type { Disk } from "./disk.ts";
import { newExecutionLook, unknownExecution } from "./execution-watch.ts";
import { HandoverWatch } from "./handover-watch.ts";
import { HeldKeeper } from "./held-keeper.ts";
import type { HttpClient } from "./http-client.ts";
import { repeat } from "./interval.ts";
import type { Keeper } from "./keeper.ts";
import type { Log } from "./log.ts";
import type { MemberFacts } from "./member-facts.ts";
import { ModeKeeper } from "./mode-keeper.ts";
import { newAskNode } from "./node-rpc.ts";
import { NodeWatch } from "./node-watch.ts";
import type { PeerLooks } from "./peer-looks.ts";
import { namedFacts, type Prepared, shownReport } from "./prepare.ts";
import { RaftLogWatch } from "./raft-log-watch.ts";
import type { Resolve } from "./resolve.ts";
import type { AgentPaths, Settings } from "./settings.ts";
import { isLazySequencer, SingleKeeper } from "./single-keeper.ts";
import { UpdateKeeper } from "./update-keeper.ts";
import { raftFolderName } from "./volume.ts";
import { type NodeLife, noteBlocks, tendVolume } from "./volume-keeper.ts";
import { unprovenCopy } from "./volume-record.ts";

const LEADERSHIP_EVERY_MS = 200;
const STATE_EVERY_MS = 1_000;
const HANDOVER_EVERY_MS = 500;
const RAFT_LOG_EVERY_MS = 250;
const MODE_EVERY_MS = 250;
const VOLUME_EVERY_MS = 1_000;
const CPU_EVERY_MS = 10_000;
const JITTER = 0.2;
/** How long the first looks may hold ev-node back. */
const FIRST_LOOK_MS = 2_000;
const REST_AFTER_FAULT_MS = 1_000;

export interface WatchDependencies {
  readonly settings: Settings;
  readonly paths: AgentPaths;
  readonly disk: Disk;
  readonly board: Board;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly http: HttpClient;
  readonly resolve: Resolve;
  readonly signal: AbortSignal;
  readonly beat: () => void;
  readonly stopNode: (home: string) => Promise<boolean>;
  readonly nodeProcesses: (home: string) => Promise<readonly string[]>;
  readonly nodeLife: (facts: MemberFacts) => NodeLife;
  readonly peers: PeerLooks;
  /** Ends the signal: what is known of the member is over, and it has to be prepared anew. */
  readonly endRound: () => void;
  readonly nodeCpuStat: (home: string) => Promise<string | undefined>;
  /** The block that ev-node holds at one height. */
  readonly blockAt: (height: number) => Promise<BlockAnswer>;
}

/** Watches the member and its peers until the signal aborts, or the volume goes on to another epoch. Only the first looks precede ev-node. */
export async function watch(prepared: Prepared, dependencies: WatchDependencies): Promise<void> {
  const { board, clock, random, log, signal, beat, peers } = dependencies;
  const { facts, owner, record } = prepared;
  peers.name(facts.peers, owner.clusterId);

  const isLazy = () => isLazySequencer(dependencies.paths.config);
  const node = new NodeWatch({ ...dependencies, member: owner.member, facts, isLazy });
  const lookAtExecution = newLookAtExecution(dependencies);
  const ask = newAskNode(dependencies.http, clock, facts.rpcPort);
  const handover = new HandoverWatch({ ask, board, clock, log });
  const raftFolder = join(dependencies.paths.home, raftFolderName(record.epoch));
  const raftLog = new RaftLogWatch({ raftFolder, board, clock });
  const readCpuStat = () => dependencies.nodeCpuStat(dependencies.paths.home);
  const cpu = new CpuWatch({ readCpuStat, board, clock });
  // Bounded by the deadlines of its parts; whatever comes late is noted all the same. ev-node may run already, beside
  // an agent that was restarted.
  const firstLook = Promise.all([node.lookAtLeadership(), peers.once()]);
  await Promise.race([firstLook, clock.sleep(FIRST_LOOK_MS, signal).catch(() => undefined)]);
  const lookAgain = async () => {
    await Promise.all([node.lookAtState(), peers.once()]);
  };
  const keeper = newKeeper(prepared, dependencies, lookAgain);
  await untilBegun(keeper, dependencies);
  const tendUpdate = newUpdateLook(keeper, prepared, dependencies);
  // What the pod asks for by now is there for the first process, which would have to end for it otherwise.
  await tendUpdate();
  board.update({ prepare: { kind: "done" } });

  const tendMode = forgiving(log, "cannot look after how ev-node runs", () => keeper.tend());
  const every = (everyMs: number) => ({ clock, random, signal, everyMs, jitter: JITTER });
  await Promise.all([
    firstLook,
    repeat(every(LEADERSHIP_EVERY_MS), async () => {
      beat();
      await node.lookAtLeadership();
      await handover.notice();
    }),
    repeat(every(STATE_EVERY_MS), async () => {
      await node.lookAtState();
      await lookAtExecution();
    }),
    repeat(every(HANDOVER_EVERY_MS), () => handover.tend()),
    repeat(
      every(RAFT_LOG_EVERY_MS),
      forgiving(log, "cannot look at the Raft log", () => raftLog.look()),
    ),
    // One after the other, as both install the config and end ev-node.
    repeat(every(MODE_EVERY_MS), async () => {
      await tendUpdate();
      await tendMode();
    }),
    repeat(
      every(VOLUME_EVERY_MS),
      forgiving(log, "cannot look at the volume", newVolumeLook(prepared, dependencies)),
    ),
    peers.run(),
    repeat(
      every(CPU_EVERY_MS),
      forgiving(log, "cannot tell whether ev-node is held back", () => cpu.look()),
    ),
  ]);
}

/** Nothing where there is no execution client; where there is one, it is unknown from the first moment on. */
function newLookAtExecution({ settings, http, clock, board }: WatchDependencies): () => Promise<void> {
  const { execution: ports } = settings;
  if (ports === undefined) return async () => {};
  board.update({ execution: unknownExecution });
  return newExecutionLook({ http, clock, board, ports });
}

type KeeperSurroundings = Pick<
  WatchDependencies,
  "settings" | "paths" | "disk" | "board" | "clock" | "resolve" | "log" | "stopNode" | "nodeProcesses"
>;

export function newKeeper(
  { record, facts, configs }: Prepared,
  { settings, paths, disk, board, clock, resolve, log, stopNode, nodeProcesses }: KeeperSurroundings,
  look: () => Promise<void>,
): Keeper {
  const configFolder = paths.config;
  const ofNode = { stopNode: () => stopNode(paths.home), nodeProcesses: () => nodeProcesses(paths.home) };
  const shared = { disk, configFolder, board, clock, log, ...ofNode };
  const raftFolder = join(paths.home, raftFolderName(record.epoch));
  // The folder of an epoch to come has no block, and is none that this member levels to.
  if (record.change !== undefined)
    return new HeldKeeper({
      ...shared,
      configs,
      look,
      raftFolder: record.change.kind === "frozen" ? raftFolder : undefined,
      isAlone: unprovenCopy(record) !== undefined,
    });
  if ("single" in configs) return new SingleKeeper({ ...shared, configs });
  const beganAt = record.beganAt ?? 0;
  const { afterOutage } = settings;
  return new ModeKeeper({ ...shared, configs, raftFolder, beganAt, facts, resolve, look, afterOutage });
}

function newUpdateLook(
  keeper: Keeper,
  { facts }: Prepared,
  dependencies: WatchDependencies,
): () => Promise<void> {
  const { settings, paths, disk, board, clock, log } = dependencies;
  const nodeProcesses = () => dependencies.nodeProcesses(paths.home);
  const update = new UpdateKeeper({ settings, paths, disk, board, clock, log, facts, keeper, nodeProcesses });
  return forgiving(log, "cannot update the member in place", () => update.tend());
}

/** Without a mode ev-node does not start, so what keeps it from being decided is tried again. */
async function untilBegun(
  keeper: Keeper,
  { board, clock, log, signal, beat }: WatchDependencies,
): Promise<void> {
  while (!signal.aborted) {
    beat();
    try {
      return await keeper.begin();
    } catch (error) {
      const message = `cannot tell how ev-node may run: ${error instanceof Error ? error.message : String(error)}`;
      board.update({ prepare: { kind: "checking", message } });
      log.warn({ err: error }, message);
    }
    await clock.sleep(REST_AFTER_FAULT_MS, signal).catch(() => undefined);
  }
}

/** A look that may fail: the last findings stay, and a fault that stays is told once. */
function forgiving(log: Log, told: string, look: () => Promise<void>): () => Promise<void> {
  let lastFault: string | undefined;
  return async () => {
    try {
      await look();
      lastFault = undefined;
    } catch (error) {
      const fault = error instanceof Error ? error.message : String(error);
      if (fault !== lastFault) log.warn({ err: error }, told);
      lastFault = fault;
    }
  };
}

/** Free space, the volume as it is now, and orders: a member may lose its raft folder long after its start. */
function newVolumeLook({ owner, facts }: Prepared, dependencies: WatchDependencies): () => Promise<void> {
  const { settings, paths, disk, board, nodeLife, endRound } = dependencies;
  const named = () => namedFacts(settings, paths);
  const copied = new CopiedBlocks({ ...dependencies, home: paths.home });
  return async () => {
    board.update({ disk: await diskSpace(paths.home) });
    const report = await tendVolume({ disk, paths, owner, facts, nodeLife: nodeLife(facts), named });
    if (report.isMoved) return endRound();
    board.update(shownReport(report));
    if (await copied.tend(report.volume)) return;
    const { node } = board.findings();
    if (node.kind === "open") await noteBlocks(disk, paths.home, report.volume, node.height?.value ?? 0);
  };
}

async function diskSpace(path: string): Promise<{ freeBytes: number; totalBytes: number }> {
  const { bavail, blocks, bsize } = await statfs(path);
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}
