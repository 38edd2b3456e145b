import { parseTimestampMs } from "../evnode/timestamp.ts";

const units = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
] as const;

/** A time span in one unit, two of the smallest at most, as kubectl tells ages: `12s`, `5m`, `30h`, `4d`. */
export function span(ms: number): string {
  const found = units.find(([, unitMs]) => ms >= 2 * unitMs);
  if (found === undefined) return `${Math.max(0, Math.floor(ms / 1_000))}s`;
  const [unit, unitMs] = found;
  return `${Math.floor(ms / unitMs)}${unit}`;
}

/** `5m ago`; the text itself when it is no time. */
export function ago(time: string | undefined, nowMs: number): string {
  const atMs = parseTimestampMs(time ?? "");
  return atMs === undefined ? (time ?? "at an unknown time") : `${span(nowMs - atMs)} ago`;
}

export function ageOf(time: string | undefined, nowMs: number): string {
  const atMs = parseTimestampMs(time ?? "");
  return atMs === undefined ? "unknown" : span(nowMs - atMs);
}
