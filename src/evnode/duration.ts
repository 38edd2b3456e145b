const nanosecondsPerUnit: ReadonlyMap<string, bigint> = new Map([
  ["ns", 1n],
  ["us", 1_000n],
  ["µs", 1_000n],
  ["μs", 1_000n],
  ["ms", 1_000_000n],
  ["s", 1_000_000_000n],
  ["m", 60_000_000_000n],
  ["h", 3_600_000_000_000n],
]);

const nanosecondsPerMillisecond = 1_000_000n;
const longestNanoseconds = 2n ** 63n - 1n;
const syntax = /^(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h)/;

/** A Go duration of whole milliseconds, not negative; undefined for everything else. */
export function parseDurationMs(text: string): number | undefined {
  if (text === "0") return 0;

  const nanoseconds = parseNanoseconds(text);
  if (nanoseconds === undefined || nanoseconds % nanosecondsPerMillisecond !== 0n) return undefined;
  return Number(nanoseconds / nanosecondsPerMillisecond);
}

export function formatDurationMs(durationMs: number): string {
  if (!Number.isSafeInteger(durationMs) || durationMs < 0) {
    throw new RangeError(`a duration is a whole number of milliseconds, not ${durationMs}`);
  }
  return durationMs % 1_000 === 0 ? `${durationMs / 1_000}s` : `${durationMs}ms`;
}

function parseNanoseconds(text: string): bigint | undefined {
  if (text === "") return undefined;

  let total = 0n;
  let rest = text;
  while (rest !== "") {
    const part = syntax.exec(rest)?.[0];
    if (part === undefined) return undefined;
    const nanoseconds = parsePart(part);
    if (nanoseconds === undefined) return undefined;
    total += nanoseconds;
    rest = rest.slice(part.length);
  }
  return total > longestNanoseconds ? undefined : total;
}

// A fraction finer than a nanosecond is cut by Go; refusing it keeps what is written equal to what is meant.
function parsePart(part: string): bigint | undefined {
  const unitStart = part.search(/[^\d.]/);
  const [whole = "", fraction = ""] = part.slice(0, unitStart).split(".");
  const scale = nanosecondsPerUnit.get(part.slice(unitStart));
  if (scale === undefined) return undefined;

  const fractionScale = 10n ** BigInt(fraction.length);
  const scaled = BigInt(`0${fraction}`) * scale;
  if (scaled % fractionScale !== 0n) return undefined;
  return BigInt(`0${whole}`) * scale + scaled / fractionScale;
}
