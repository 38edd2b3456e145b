/**
 * Durations as people write them in the spec: whole numbers of h, m, s and ms, such as `1s`, `350ms` or `1m30s`.
 * A subset of Go's syntax: without fractions every value is a whole number of milliseconds and nothing is rounded.
 */
export const DURATION_PATTERN = "^([0-9]{1,6}(h|m|s|ms))+$";

const unitMs: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1 };

/** Milliseconds, or undefined when the text is not a duration. */
export function parseDuration(text: string): number | undefined {
  if (!new RegExp(DURATION_PATTERN).test(text)) return undefined;
  let totalMs = 0;
  for (const [, amount, unit = ""] of text.matchAll(/([0-9]+)(ms|h|m|s)/g)) {
    totalMs += Number(amount) * (unitMs[unit] ?? Number.NaN);
  }
  return totalMs;
}

/** The same syntax, in as few parts as there are: `1h40m`. */
export function formatDuration(durationMs: number): string {
  let restMs = durationMs;
  const parts = Object.entries(unitMs).map(([unit, ms]) => {
    const amount = Math.floor(restMs / ms);
    restMs -= amount * ms;
    return amount === 0 ? "" : `${amount}${unit}`;
  });
  return parts.join("") || "0s";
}
