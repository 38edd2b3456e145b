import { describe, expect, test } from "vitest";
import type { Reach } from "../../src/agent/findings.ts";
import { type RoundTrips, roundTripOf, withRoundTrip } from "../../src/agent/round-trips.ts";
import { NOW } from "./findings.ts";

const reached = (rttMs: number, atMs = NOW): Reach => ({ kind: "reached", rttMs, atMs });
const refused = (rttMs: number, atMs = NOW): Reach => ({ kind: "refused", rttMs, atMs });
const after = (...looks: readonly Reach[]) =>
  looks.reduce<RoundTrips>((known, look) => withRoundTrip(known, look), []);

describe("the round trip that is told", () => {
  test.each<[string, RoundTrips, ReturnType<typeof roundTripOf>]>([
    ["is none before the first answer", after(), undefined],
    ["is none where nothing answers", after({ kind: "timedOut", atMs: NOW }, { kind: "unknown" }), undefined],
    ["is the one there is", after(reached(3)), { medianMs: 3, samples: 1 }],
    [
      "counts a refusal, which took the way there and back as well",
      after(refused(2)),
      { medianMs: 2, samples: 1 },
    ],
    [
      "is the middle one, not the mean",
      after(reached(1), reached(900), refused(2)),
      { medianMs: 2, samples: 3 },
    ],
    [
      "lies between the two in the middle",
      after(reached(4), reached(1), reached(2), reached(3)),
      { medianMs: 2.5, samples: 4 },
    ],
    ["has two decimals", after(reached(0.123_456)), { medianMs: 0.12, samples: 1 }],
    [
      "is of the last two minutes",
      after(reached(9, NOW - 120_001), reached(1, NOW - 120_000)),
      { medianMs: 1, samples: 1 },
    ],
  ])("%s", (_, known, expected) => {
    expect(roundTripOf(known, NOW)).toEqual(expected);
  });

  test("is not moved by looks that a busy processor held up, as long as they are fewer than half", () => {
    const looks = Array.from({ length: 60 }, (_, look) => reached(look % 5 < 2 ? 80 : 1));
    expect(roundTripOf(after(...looks), NOW)).toEqual({ medianMs: 1, samples: 60 });
  });

  test("rests on the last sixty looks", () => {
    const looks = Array.from({ length: 200 }, (_, look) => reached(look));
    expect(after(...looks).map(({ value }) => value)).toEqual(Array.from({ length: 60 }, (_, n) => 140 + n));
  });
});
