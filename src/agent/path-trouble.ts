import type { Reach } from "./findings.ts";

/** That a port of a peer has not been open, though it could be, since a moment of the agent's clock. */
export interface Trouble {
  readonly sinceMs: number;
  /** So long that it is no pause of a restart. */
  readonly lasts: boolean;
}

/** Before ev-node runs anywhere nothing moves, and a person waits to be told. */
const LASTS_BEFORE_START_MS = 5_000;
/** A pod that is replaced has another address, and name servers may give the old one for half a minute. */
const LASTS_MS = 45_000;

export interface TroubleView {
  readonly before: Trouble | undefined;
  /** Whether the peer's own agent says that ev-node listens on this port; undefined when it has not said so lately. */
  readonly listens: boolean | undefined;
  readonly mayRun: boolean;
  readonly nowMs: number;
}

/**
 * | the port | then |
 * | --- | --- |
 * | reached, or not looked at | no trouble |
 * | refused, and nobody is known to listen | no trouble: the path is there |
 * | refused, although the peer's ev-node listens | trouble |
 * | silent, or a name without an address | trouble |
 */
export function troubleWith(
  reach: Reach,
  { before, listens, mayRun, nowMs }: TroubleView,
): Trouble | undefined {
  if (reach.kind === "reached" || reach.kind === "unknown") return undefined;
  if (reach.kind === "refused" && listens !== true) return undefined;
  const sinceMs = before?.sinceMs ?? nowMs;
  return { sinceMs, lasts: nowMs - sinceMs >= (mayRun ? LASTS_MS : LASTS_BEFORE_START_MS) };
}
