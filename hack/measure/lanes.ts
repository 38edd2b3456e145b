/** Clusters that are written to at once, where there are many. */
export const FEW = 10;

/** Works on so many of these at a time; results come in the order of what they are of. */
export async function inLanes<T, R>(
  lanes: number,
  all: readonly T[],
  work: (one: T) => Promise<R>,
): Promise<readonly R[]> {
  const results = new Map<number, R>();
  const left = [...all.entries()];
  const lane = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const [index, one] = next;
      results.set(index, await work(one));
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return all.flatMap((_, index) => (results.has(index) ? [results.get(index) as R] : []));
}
