import { askBlock, viewNode } from "./node-rpc.ts";

/** When a block was made, by the clock of the member that made it; all members are on one machine. */
export interface BlockTime {
  readonly height: number;
  readonly timeMs: number;
}

/** The longest time between two blocks that follow each other. */
export interface Gap {
  readonly ms: number;
  readonly afterHeight: number;
}

/** The header times of all blocks from a height up to the head, as this member holds them. */
export async function blockTimes(ip: string, fromHeight: number): Promise<readonly BlockTime[]> {
  const { height: head } = await viewNode(ip);
  if (head === undefined) return [];
  const heights = Array.from(
    { length: Math.max(0, head - fromHeight + 1) },
    (_, index) => fromHeight + index,
  );
  const blocks = await Promise.all(heights.map(async (height) => askBlock(ip, height)));
  return blocks.flatMap((block) => (block ? [{ height: block.height, timeMs: block.timeMs }] : []));
}

/** Undefined unless two neighbours are among the blocks: a block that was not read is no gap in the chain. */
export function longestGap(blocks: readonly BlockTime[]): Gap | undefined {
  const gaps = blocks.flatMap(({ height, timeMs }) => {
    const next = blocks.find((other) => other.height === height + 1);
    return next ? [{ ms: next.timeMs - timeMs, afterHeight: height }] : [];
  });
  return gaps.toSorted((one, other) => other.ms - one.ms)[0];
}
