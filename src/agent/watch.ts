import { statfs } from "node:fs/promises";
import type { Clock } from "../runtime/clock.ts";
import type { Random } from "../runtime/random.ts";
import type { Board } from "./board.ts";
import type { Disk } from "./disk.ts";
import type { HttpClient } from "./http-client.ts";
import { repeat } from "./interval.ts";
import type { Log } from "./log.ts";
import { NodeWatch, nodeRuns } from "./node-watch.ts";
import { lookAtPeer, unknownPeers } from "./peer-watch.ts";
import { type Prepared, shownReport } from "./prepare.ts";
import type { Resolve } from "./resolve.ts";
import type { AgentPaths, Settings } from "./settings.ts";
import { noteBlocks, tendVolume } from "./volume-keeper.ts";

const LEADERSHIP_EVERY_MS = 200;
const STATE_EVERY_MS = 1_000;
const PEER_EVERY_MS = 1_000;
const VOLUME_EVERY_MS = 1_000;
const JITTER = 0.2;
/** How long the first looks may hold ev-node back. */
const FIRST_LOOK_MS = 2_000;

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
  readonly peerAgentPort?: number;
}

/** Watches the member and its peers until the signal aborts. Only the first looks precede ev-node. */
export async function watch(prepared: Prepared, dependencies: WatchDependencies): Promise<void> {
  const { board, clock, random, signal, beat } = dependencies;
  const { facts, owner } = prepared;
  board.update({ peers: unknownPeers(facts.peers) });
  const look = (peer: (typeof facts.peers)[number]) =>
    lookAtPeer(peer, { ...dependencies, clusterId: owner.clusterId, ...peerPort(dependencies) });

  const node = new NodeWatch({ ...dependencies, member: owner.member, facts });
  // Bounded by the deadlines of its parts; whatever comes late is noted all the same. ev-node may run already, beside
  // an agent that was restarted.
  const firstLook = Promise.all([node.lookAtLeadership(), ...facts.peers.map(look)]);
  await Promise.race([firstLook, clock.sleep(FIRST_LOOK_MS, signal).catch(() => undefined)]);
  board.update({ prepare: { kind: "done" } });

  const every = (everyMs: number) => ({ clock, random, signal, everyMs, jitter: JITTER });
  await Promise.all([
    firstLook,
    repeat(every(LEADERSHIP_EVERY_MS), async () => {
      beat();
      await node.lookAtLeadership();
    }),
    repeat(every(STATE_EVERY_MS), () => node.lookAtState()),
    repeat(every(VOLUME_EVERY_MS), newVolumeLook(prepared, dependencies)),
    ...facts.peers.map((peer) => repeat(every(PEER_EVERY_MS), () => look(peer))),
  ]);
}

function peerPort({ peerAgentPort }: WatchDependencies): { agentPort?: number } {
  return peerAgentPort === undefined ? {} : { agentPort: peerAgentPort };
}

/** Free space, the volume as it is now, and orders: a member may lose its raft folder long after its start. */
function newVolumeLook({ owner, facts }: Prepared, dependencies: WatchDependencies): () => Promise<void> {
  const { paths, disk, board, clock, log, resolve } = dependencies;
  let lastFault: string | undefined;
  return async () => {
    try {
      board.update({ disk: await diskSpace(paths.home) });
      const runs = () => nodeRuns(facts, resolve, clock);
      const report = await tendVolume({ disk, paths, owner, facts, nodeRuns: runs });
      board.update(shownReport(report));
      const { node } = board.findings();
      if (node.kind === "open") await noteBlocks(disk, paths.home, report.volume, node.height?.value ?? 0);
      lastFault = undefined;
    } catch (error) {
      // The last finding stays: that a volume could not be looked at says nothing about it.
      const fault = error instanceof Error ? error.message : String(error);
      if (fault !== lastFault) log.warn({ err: error }, "cannot look at the volume");
      lastFault = fault;
    }
  };
}

async function diskSpace(path: string): Promise<{ freeBytes: number; totalBytes: number }> {
  const { bavail, blocks, bsize } = await statfs(path);
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}
