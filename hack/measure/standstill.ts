import type { Status } from "../../src/api/evnodecluster.ts";

/** One look at a chain and at what the status says about it. */
export interface Look {
  readonly atMs: number;
  /** The highest block that anybody served. */
  readonly top: number;
  /** A condition that says what is wrong, or under way. */
  readonly told: string | undefined;
}

export interface Standstill {
  /** The longest time for which nobody served another block. */
  readonly ms: number;
  /** What was told at its end. */
  readonly told: string | undefined;
  /** For how long beyond the bound nothing was told, of all standstills together. */
  readonly untoldMs: number;
}

/** The longest standstill, by looks in the order in which they were taken. */
export function longestStandstill(looks: readonly Look[], boundMs: number): Standstill {
  let since = looks[0];
  let longest: Standstill = { ms: 0, told: undefined, untoldMs: 0 };
  for (const [index, look] of looks.entries()) {
    if (since === undefined || look.top > since.top) since = look;
    const ms = look.atMs - since.atMs;
    const step = look.atMs - (looks[index - 1]?.atMs ?? look.atMs);
    const untoldMs = longest.untoldMs + (ms > boundMs && look.told === undefined ? step : 0);
    longest = ms > longest.ms ? { ms, told: look.told, untoldMs } : { ...longest, untoldMs };
  }
  return longest;
}

/** What the status says about a change that is not at its end, or about a cluster that does not get on. */
export function toldIn({ conditions = [] }: Status): string | undefined {
  const found =
    conditions.find(({ type, status }) => type === "MembershipComplete" && status === "False") ??
    conditions.find(({ type, status }) => type === "Stalled" && status === "True");
  return found && `${found.reason}: ${found.message}`;
}
