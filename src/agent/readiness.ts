import type { VolumeChange } from "../model/agent-protocol.ts";
import { majorityOf } from "../model/majority.ts";
import { current, type ExecutionFinding, type Findings, heightBeside } from "./findings.ts";

/** How long ago a peer's raft port may have been reached last. */
const RAFT_REACH_LIFETIME_MS = 5_000;

export interface Readiness {
  readonly ok: boolean;
  readonly message: string;
}

/** Ready means in sync: what a disruption budget and `kubectl drain` go by, with or without an operator. */
export function judgeReadiness(findings: Findings, maxBlocksBehind: number, nowMs: number): Readiness {
  const { prepare, mode, volume, node, peers, execution } = findings;
  if (prepare.kind !== "done") return notReady("the member is not prepared yet");
  if (volume.kind === "intact" && volume.change !== undefined)
    return notReady(changeMessage(volume.epoch, volume.change));
  if (mode?.kind === "level") return notReady(levelMessage(mode, node));
  if (mode?.kind === "single" && (volume.kind !== "intact" || !volume.started))
    return notReady(`its volume is not the one that it was started on: ${lossOf(volume)}`);
  if (node.kind === "closed") {
    return notReady(
      node.metricsPortOpen || node.raftPortOpen
        ? `ev-node runs, but its HTTP server is closed${mode?.kind === "single" ? "" : ": it knows no leader"}`
        : `ev-node does not run${execution?.engine === "closed" ? ", nor does its execution client" : ""}`,
    );
  }

  const height = current(node.height, nowMs);
  if (height === undefined) return notReady("ev-node's height is not known");
  for (const peer of peers) {
    const behind = (heightBeside(node.height, peer, nowMs) ?? 0) - height;
    if (behind > maxBlocksBehind) {
      return notReady(`${behind} blocks behind ${peer.name}, tolerated are ${maxBlocksBehind}`);
    }
  }

  const lack = execution && executionLack(execution, maxBlocksBehind, nowMs);
  if (lack !== undefined) return notReady(lack);

  const reached = peers.filter(
    ({ raftReachedAtMs: atMs }) => atMs !== undefined && nowMs - atMs <= RAFT_REACH_LIFETIME_MS,
  );
  const members = peers.length + 1;
  const majority = majorityOf(members);
  if (reached.length + 1 < majority) {
    const missing = peers.filter((peer) => !reached.includes(peer)).map(({ name }) => name);
    return notReady(
      `reaches ${reached.length + 1} of ${members} members on the raft port, itself included, needs ${majority}; not reached: ${missing.join(", ")}`,
    );
  }
  return { ok: true, message: "in sync" };
}

/**
 * ev-node elects without regard to the execution layer, and a leader whose layer is far behind makes no block before it
 * has executed all of them (evstack/ev-node#3255).
 */
function executionLack(
  { height, blocksBehind, engine }: ExecutionFinding,
  maxBlocksBehind: number,
  nowMs: number,
): string | undefined {
  if (engine === "closed") return "the execution client does not run: its engine port is closed";
  if (current(height, nowMs) === undefined) return "the height of the execution layer is not known";
  const behind = current(blocksBehind, nowMs);
  if (behind === undefined) return "it is not known how far the execution layer is behind";
  if (behind <= maxBlocksBehind) return undefined;
  return `the execution layer is ${behind} blocks behind ev-node's own, tolerated are ${maxBlocksBehind}`;
}

const lossOf = (volume: Findings["volume"]) =>
  "message" in volume ? volume.message : `it is ${volume.kind}`;

function changeMessage(epoch: number, change: VolumeChange): string {
  const way =
    change.kind === "frozen"
      ? `is frozen in epoch ${epoch}, for the change of the membership to epoch ${change.to}`
      : `joins for epoch ${epoch}, which has not begun`;
  return `${way}: it runs as a full node until then`;
}

/** Told in the member's status as well. */
function levelMessage(
  { loggedHeight }: Extract<NonNullable<Findings["mode"]>, { kind: "level" }>,
  node: Findings["node"],
): string {
  const height = node.kind === "open" ? node.height?.value : undefined;
  const holds = `holds block ${height ?? "?"}, its Raft log has ${loggedHeight ?? "?"}`;
  return `levels with the other members before Raft may elect a leader: ${holds}`;
}

function notReady(message: string): Readiness {
  return { ok: false, message };
}
