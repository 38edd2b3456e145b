import type { BlockHeader } from "../evnode/rpc.ts";
import type { Handover } from "../model/agent-protocol.ts";

export type Pause = Omit<Handover, "ageMs">;

/**
 * The longest pause between two consecutive blocks, the earlier one of several that are equal.
 *
 * | pairs of consecutive blocks | then |
 * | --- | --- |
 * | none | not known |
 * | in none does the upper block name the hash computed for the lower one | not known: more likely this ev-node hashes its headers in another way than that every block here is built on a strange one |
 * | in one or more it does | the pair with the longest pause, whether its own blocks are linked or not |
 */
export function longestPause(blocks: readonly BlockHeader[]): Pause | undefined {
  const byHeight = new Map(blocks.map((block) => [block.height, block]));
  const pairs = blocks.flatMap((last) => {
    const first = byHeight.get(last.height + 1);
    return first === undefined ? [] : [{ last, first, gapMs: first.timeMs - last.timeMs }];
  });
  if (!pairs.some(({ last, first }) => first.lastHeaderHash === last.hash)) return undefined;

  const [longest] = pairs.toSorted(
    (one, other) => other.gapMs - one.gapMs || one.last.height - other.last.height,
  );
  if (longest === undefined) return undefined;
  const { last, first, gapMs } = longest;
  return {
    lastHeight: last.height,
    lastHash: last.hash,
    parentHash: first.lastHeaderHash,
    firstHash: first.hash,
    gapMs,
  };
}
