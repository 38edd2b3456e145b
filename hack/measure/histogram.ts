/** The value below which a share of the observations lies, by Prometheus' own rule: straight within a bucket. */
export function quantile(metrics: string, name: string, share: number): number | undefined {
  const buckets = bucketsOf(metrics, name);
  const total = buckets.at(-1)?.count ?? 0;
  if (total === 0) return undefined;
  const rank = share * total;
  const at = buckets.findIndex(({ count }) => count >= rank);
  const [bucket, before = { bound: 0, count: 0 }] = [buckets[at], buckets[at - 1]];
  // Beyond the last bound nothing is known.
  if (bucket === undefined || !Number.isFinite(bucket.bound)) return before.bound;
  const within = (rank - before.count) / (bucket.count - before.count);
  return before.bound + (bucket.bound - before.bound) * within;
}

interface Bucket {
  readonly bound: number;
  /** Of all observations up to the bound. */
  readonly count: number;
}

/** Of a histogram with one series, in the order of its bounds. */
function bucketsOf(metrics: string, name: string): readonly Bucket[] {
  return metrics.split("\n").flatMap((line) => {
    if (!line.startsWith(`${name}_bucket{`)) return [];
    const bound = /le="([^"]+)"/.exec(line)?.[1] ?? "";
    const count = Number(line.slice(line.lastIndexOf("}") + 1));
    return [{ bound: bound === "+Inf" ? Number.POSITIVE_INFINITY : Number(bound), count }];
  });
}
