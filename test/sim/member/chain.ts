/** A chain as the world knows it, whatever any member says: the blocks that a majority of a Raft group agreed on. */
interface Chain {
  /** By height, from 1. */
  readonly blocks: string[];
  readonly clusters: Set<string>;
}

export type Committed = "new" | "known" | "fork";

/** All chains, by chain id and signer: whoever signs with one key signs one chain. */
export class Chains {
  readonly #chains = new Map<string, Chain>();
  #made = 0;

  /** A name that no other block has. */
  newBlock(): string {
    this.#made += 1;
    return `b${this.#made}`;
  }

  /** A majority holds this block at this height. */
  commit(key: string, clusterId: string, height: number, block: string): Committed {
    const chain = this.#chains.get(key) ?? { blocks: [], clusters: new Set() };
    this.#chains.set(key, chain);
    chain.clusters.add(clusterId);
    const known = chain.blocks[height - 1];
    if (known !== undefined) return known === block ? "known" : "fork";
    chain.blocks[height - 1] = block;
    return "new";
  }

  height(key: string): number {
    return this.#chains.get(key)?.blocks.length ?? 0;
  }
}
