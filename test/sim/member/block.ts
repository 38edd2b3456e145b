/** A block with all before it. Logs and stores share their blocks, so that a longer chain costs no copy. */
export interface Block {
  readonly height: number;
  readonly term: number;
  readonly id: string;
  readonly timeMs: number;
  /** The id of block 1, which members compare. */
  readonly firstId: string;
  readonly parent: Block | undefined;
}

/** The end of a chain; undefined before its first block. */
export type Head = Block | undefined;

export const heightOf = (head: Head): number => head?.height ?? 0;

export function nextBlock(parent: Head, made: Pick<Block, "term" | "id" | "timeMs">): Block {
  return { ...made, height: heightOf(parent) + 1, firstId: parent?.firstId ?? made.id, parent };
}

/** The block at this height, looked for from the end. */
export function blockAt(head: Head, height: number): Head {
  let block = head;
  while (block !== undefined && block.height > height) block = block.parent;
  return block?.height === height ? block : undefined;
}

/** Whether all blocks up to this one are in the chain that ends with `head`. */
export const isPartOf = (block: Head, head: Head): boolean =>
  block === undefined || blockAt(head, block.height) === block;
