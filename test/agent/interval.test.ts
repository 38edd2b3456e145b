import { expect, test } from "vitest";
import { repeat } from "../../src/agent/interval.ts";
import { fixedRandom } from "../runtime/seeded-random.ts";
import { VirtualClock } from "../runtime/virtual-clock.ts";

/** When the runs began, each of which takes so long. */
async function startsWithin(totalMs: number, takesMs: number, chance = 0.5): Promise<readonly number[]> {
  const clock = new VirtualClock();
  const stop = new AbortController();
  const starts: number[] = [];
  const interval = { clock, random: fixedRandom(chance), signal: stop.signal, everyMs: 1_000, jitter: 0.2 };
  const over = repeat(interval, async () => {
    starts.push(clock.monotonicMs());
    if (takesMs > 0) await clock.sleep(takesMs);
  });
  await clock.advance(totalMs);
  stop.abort();
  await clock.advance(takesMs);
  await over;
  return starts;
}

test.each<[title: string, takesMs: number, chance: number, starts: readonly number[]]>([
  ["runs begin once in an interval", 0, 0.5, [0, 1_000, 2_000, 3_000]],
  ["what a run takes is part of the interval", 400, 0.5, [0, 1_000, 2_000, 3_000]],
  ["a run that takes longer is followed by a short rest", 1_200, 0.5, [0, 1_250, 2_500]],
  ["chance may shorten the interval", 0, 0, [0, 800, 1_600, 2_400, 3_200]],
  ["chance may lengthen the interval", 0, 1, [0, 1_200, 2_400]],
])("%s", async (_, takesMs, chance, starts) => {
  expect(await startsWithin(3_300, takesMs, chance)).toEqual(starts);
});
