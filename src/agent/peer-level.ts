import { current, type PeerFinding } from "./findings.ts";
import type { PeerLevel } from "./levelling.ts";

const STANCE_LIFETIME_MS = 2_500;

/** What a peer's agent said longer ago decides nothing. */
export function isFresh(stance: PeerFinding["stance"], nowMs: number): boolean {
  return stance !== undefined && nowMs - stance.atMs <= STANCE_LIFETIME_MS;
}

/** How a peer stands to Raft and what it holds, by its own agent. */
export function levelOf({ name, stance, height }: PeerFinding, nowMs: number): PeerLevel {
  if (stance === undefined || !isFresh(stance, nowMs)) return { name, kind: "absent" };
  const { mode, leads, isUp } = stance.value;
  if (leads) return { name, kind: "leads" };
  // The agent of a pod that is going away still says how its ev-node ran.
  if (mode?.kind === "raft") return { name, kind: isUp || mode.levelled ? "raft" : "absent" };
  if (mode?.kind !== "level") return { name, kind: "absent" };
  return { name, kind: "level", height: current(height, nowMs), loggedHeight: mode.loggedHeight };
}
