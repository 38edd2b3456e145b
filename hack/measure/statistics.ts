/** What a list of measured values comes down to. Undefined values never count as zero: they are left out. */
export interface Summary {
  readonly count: number;
  readonly median: number;
  readonly best: number;
  readonly worst: number;
}

/** Undefined for no values at all: then there is nothing to say, rather than zero. */
export function summaryOf(values: readonly (number | undefined)[]): Summary | undefined {
  const known = values.filter((value) => value !== undefined).sort((a, b) => a - b);
  const [best, worst, median] = [known.at(0), known.at(-1), medianOf(known)];
  if (best === undefined || worst === undefined || median === undefined) return undefined;
  return { count: known.length, median, best, worst };
}

/** The middle of a sorted list; between two middles their mean. */
function medianOf(sorted: readonly number[]): number | undefined {
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.ceil(sorted.length / 2) - 1];
  return upper === undefined || lower === undefined ? undefined : (lower + upper) / 2;
}

/** Ours as a share of the yardstick's, such as `0.42`. */
export function ratio(ours: number | undefined, yardstick: number | undefined): string {
  if (ours === undefined || yardstick === undefined || yardstick === 0) return "unknown";
  return (ours / yardstick).toFixed(2);
}
