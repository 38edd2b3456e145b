/** A height of which more than one block was served. */
export interface Fork {
  readonly height: number;
  readonly blocks: readonly ServedBlock[];
}

export interface ServedBlock {
  readonly hash: string;
  /** All that served it at any time. */
  readonly servedBy: readonly string[];
}

/** Every block that was ever served, by whom, whether or not it is still there. */
export class Ledger {
  readonly #blocks = new Map<number, Map<string, Set<string>>>();

  see(node: string, height: number, hash: string): void {
    const hashes = this.#blocks.get(height) ?? new Map<string, Set<string>>();
    this.#blocks.set(height, hashes);
    hashes.set(hash, (hashes.get(hash) ?? new Set()).add(node));
  }

  /** The highest block that anybody served. */
  top(): number {
    return Math.max(0, ...this.#blocks.keys());
  }

  /** From the lowest height on. */
  forks(): readonly Fork[] {
    return [...this.#blocks]
      .filter(([, hashes]) => hashes.size > 1)
      .sort(([one], [other]) => one - other)
      .map(([height, hashes]) => ({
        height,
        blocks: [...hashes].map(([hash, servedBy]) => ({ hash, servedBy: [...servedBy].sort() })),
      }));
  }
}

/** Such as `block 13: 4be2a1c09f3d of node-1, 90ab33f01c2e of node-2 and node-3`. */
export function describeFork({ height, blocks }: Fork): string {
  const each = blocks.map(({ hash, servedBy }) => `${hash.slice(0, 12)} of ${servedBy.join(" and ")}`);
  return `block ${height}: ${each.join(", ")}`;
}
