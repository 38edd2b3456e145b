import { judgeHeld, type PeerLevel } from "../../../src/agent/levelling.ts";
import { blockAt, heightOf } from "./block.ts";
import type { PodRun } from "./pod-run.ts";
import { storedHeight } from "./volume.ts";

interface Around {
  readonly group: readonly PodRun[];
  /** Whether its agent and its ev-node can be asked. */
  readonly isHeard: (run: PodRun) => boolean;
  readonly nowMs: number;
  readonly askAgain: (run: PodRun) => void;
  readonly note: (what: string) => void;
}

/** What an agent does about the blocks of a member that is on its way to another membership. */
export function tendHeld(run: PodRun, around: Around): void {
  const { process, volume, agent } = run;
  const { nowMs } = around;
  const isUp = process?.isHeld === true && process.upAtMs <= nowMs && process.stopping === undefined;
  if (!isUp || volume.record?.change === undefined) {
    agent.stillSince = undefined;
    return;
  }
  const height = storedHeight(volume);
  if (agent.stillSince?.height !== height) agent.stillSince = { height, atMs: nowMs, asked: 0 };
  const { atMs, asked } = agent.stillSince;
  const peers = (agent.facts?.peers ?? []).map(({ name }) => levelOf(name, around));
  const verdict = judgeHeld({
    own: { height, loggedHeight: loggedOf(run) },
    peers,
    highest: Math.max(0, ...peers.map((peer) => ("height" in peer ? (peer.height ?? 0) : 0))),
    stillMs: nowMs - atMs,
    stuckMs: nowMs - atMs,
    asked,
  });
  if (verdict.kind === "askAgain") {
    agent.stillSince = { height, atMs: nowMs, asked: asked + 1 };
    around.askAgain(run);
  }
  if (verdict.kind !== "dropAbove" || volume.raft === undefined) return;
  around.note(`${run.name} drops what its Raft log has above ${verdict.height}`);
  volume.raft.log = blockAt(volume.raft.log, verdict.height);
}

/** A log that ev-node cannot use cannot be read either. */
function loggedOf({ volume: { record, raft } }: PodRun): number | undefined {
  if (record?.change?.kind !== "frozen") return 0;
  return raft?.isSpoilt ? undefined : heightOf(raft?.log);
}

function levelOf(name: string, { group, isHeard, nowMs }: Around): PeerLevel {
  const peer = group.find((one) => one.name === name);
  const { process } = peer ?? {};
  if (peer === undefined || process === undefined || process.upAtMs > nowMs || !isHeard(peer))
    return { name, kind: "absent" };
  if (process.role === "leader") return { name, kind: "leads" };
  if (process.mode === "raft") return { name, kind: "raft" };
  return { name, kind: "level", height: storedHeight(peer.volume), loggedHeight: loggedOf(peer) };
}
