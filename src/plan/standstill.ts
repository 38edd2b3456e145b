import { type Head, headsOf } from "./fork.ts";
import { leadership } from "./quorum.ts";
import type { Snapshot } from "./snapshot.ts";
import { appliedIntent } from "./stored-intent.ts";

/** The clocks of two machines differ, and an answer may be half a minute old. */
const LEAST_MS = 60_000;
const MANY_BLOCK_TIMES = 20;
/** A new leader begins the interval anew, and may change again meanwhile. */
const LAZY_INTERVALS = 3;

/** In words, that no blocks come although there is a leader to make them; undefined while they do, or may. */
export function standstillOf(snapshot: Snapshot): string | undefined {
  const known = leadership(snapshot.members);
  const head = lastOfStandstill(snapshot);
  if (known.kind !== "one" || !head) return undefined;
  const made = new Date(Math.max(0, head.timeMs)).toISOString();
  return `${known.leader.name} leads, but block ${head.height}, made at ${made}, is still the last one.`;
}

/** The newest block, when it is older than any that is still the newest one of a chain that goes on. */
export function lastOfStandstill({ members, statefulSet, nowMs }: Snapshot): Head | undefined {
  const spec = appliedIntent(statefulSet)?.spec;
  const head = newestOf(headsOf(members));
  if (!spec || !head) return undefined;
  const { lazy, blockTimeMs } = spec.chain;
  const limitMs =
    LAZY_INTERVALS * (lazy?.intervalMs ?? 0) + Math.max(LEAST_MS, MANY_BLOCK_TIMES * blockTimeMs);
  return nowMs - head.timeMs > limitMs ? head : undefined;
}

function newestOf(heads: readonly Head[]): Head | undefined {
  const [newest] = [...heads].sort((one, other) => other.timeMs - one.timeMs);
  return newest;
}
