import type { Block } from "./block.ts";

/** A chain as the world knows it, whatever any member says: the blocks that a majority of a Raft group agreed on. */
interface Chain {
  /** By height, from 1. */
  readonly blocks: string[];
}

/** Logs that differ in an old block differ in all that follow. */
const RECHECKED = 3;

/** All chains, by chain id and signer: whoever signs with one key signs one chain. */
export class Chains {
  readonly #chains = new Map<string, Chain>();
  #made = 0;

  /** A name that no other block has. */
  newBlock(): string {
    this.#made += 1;
    return `b${this.#made}`;
  }

  /** A majority holds this block and all before it. Returns the first height at which another one was agreed on. */
  commit(key: string, head: Block): number | undefined {
    const { blocks } = this.#chains.get(key) ?? this.#begin(key);
    const from = Math.min(blocks.length, head.height) - RECHECKED;
    let forkedAt: number | undefined;
    for (let block: Block | undefined = head; block && block.height > from; block = block.parent) {
      const known = blocks[block.height - 1];
      if (known === undefined) blocks[block.height - 1] = block.id;
      else if (known !== block.id) forkedAt = block.height;
    }
    return forkedAt;
  }

  #begin(key: string): Chain {
    const chain = { blocks: [] };
    this.#chains.set(key, chain);
    return chain;
  }
}
