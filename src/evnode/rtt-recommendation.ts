/**
 * The values of `rttMax` that are recommended. Up to the first one the timing is the same; the last one is the
 * longest that the spec takes. Each is at most a third longer than the one before.
 */
const steps = [
  25, 30, 40, 50, 60, 80, 100, 125, 150, 200, 250, 300, 400, 500, 600, 800, 1_000, 1_250, 1_500, 2_000, 2_500,
  3_000, 4_000, 5_000,
] as const;
const LONGEST_MS = 5_000;

/** A round trip may grow by so much before another value is recommended. */
const HEADROOM = 1.25;
/** A shorter value is recommended when no more than this share of the one that stands is needed. */
const WORTH_A_ROLLOUT = 0.5;

/**
 * The `rttMax` for a longest round trip. It is no shorter than the round trip, and moves as little as can be: whoever
 * takes it restarts every member.
 *
 * | stands | measured | then |
 * | --- | --- | --- |
 * | nothing | any | the step above it, with headroom |
 * | a value | longer than that | the step above what is measured, with headroom |
 * | a value | so short that half of the value is enough with headroom, and no pair is unknown | the step above that |
 * | a value | anything else | the value |
 *
 * With noise of 20 % to both sides the longest measured is half as long again as the shortest. Two steps up each take
 * a quarter more, so after the first value there is at most one change; and a step down takes more than that.
 */
export function recommendedRttMax(
  standingMs: number | undefined,
  measuredMs: number,
  isEveryPairKnown: boolean,
): number {
  const neededMs = measuredMs * HEADROOM;
  const fitting = steps.find((step) => step >= neededMs) ?? LONGEST_MS;
  if (standingMs === undefined || measuredMs > standingMs) return fitting;
  return isEveryPairKnown && neededMs <= standingMs * WORTH_A_ROLLOUT ? fitting : standingMs;
}
