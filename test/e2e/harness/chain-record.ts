import type { SeenBlock } from "./header-hash.ts";

interface MemberChain {
  readonly blocks: Map<number, SeenBlock>;
  readonly holes: Set<number>;
}

/** Every block that any member ever served, and what each member serves now. Remembers what a member forgets. */
export class ChainRecord {
  readonly #majority: number;
  readonly #members = new Map<string, MemberChain>();
  /** Height -> hash -> members that served it at any time. */
  readonly #ever = new Map<number, Map<string, Set<string>>>();

  constructor(members: number) {
    this.#majority = Math.floor(members / 2) + 1;
  }

  see(member: string, block: SeenBlock): void {
    const chain = this.#chain(member);
    chain.blocks.set(block.height, block);
    chain.holes.delete(block.height);
    const hashes = this.#ever.get(block.height) ?? new Map<string, Set<string>>();
    this.#ever.set(block.height, hashes);
    const servedBy = hashes.get(block.hash) ?? new Set<string>();
    hashes.set(block.hash, servedBy.add(member));
  }

  /** The member has a block above this height, but not this one. */
  seeHole(member: string, height: number): void {
    this.#chain(member).holes.add(height);
  }

  /** The member was restarted: what it serves from now on is read again, from this height on. */
  readAgain(member: string, from = 1): void {
    const chain = this.#chain(member);
    const isAgain = (height: number) => height >= from;
    for (const height of [...chain.blocks.keys()].filter(isAgain)) chain.blocks.delete(height);
    for (const height of [...chain.holes].filter(isAgain)) chain.holes.delete(height);
  }

  /** The highest block that a majority served, and so no longer goes away. */
  get top(): number {
    const settled = [...this.#ever].filter(([, hashes]) =>
      [...hashes.values()].some(({ size }) => size >= this.#majority),
    );
    return Math.max(0, ...settled.map(([height]) => height));
  }

  hashAt(height: number): string | undefined {
    const [settled] = [...(this.#ever.get(height) ?? [])].filter(([, { size }]) => size >= this.#majority);
    return settled?.[0];
  }

  /** What must not be in any chain: two blocks of one height, a block on another parent, a hole. */
  problems(): readonly string[] {
    const heights = [...this.#ever.keys()].sort((a, b) => a - b);
    const members = [...this.#members];
    return [
      ...heights.flatMap((height) => this.#forkAt(height)),
      ...members.flatMap(([member, chain]) => linkProblems(member, chain.blocks)),
      ...members.flatMap(([member, { holes }]) =>
        [...holes].map((height) => `${member} lacks block ${height}`),
      ),
    ];
  }

  /**
   * Blocks that were served by fewer than a majority and are gone. ev-node serves a block moments before a majority
   * has it, so a leader that is killed may take its last one with it.
   */
  withdrawn(): readonly string[] {
    return [...this.#ever].flatMap(([height, hashes]) =>
      [...hashes].flatMap(([hash, servedBy]) => {
        const isHeld = [...this.#members.values()].some(({ blocks }) => blocks.get(height)?.hash === hash);
        return isHeld || hashes.size === 1
          ? []
          : [`block ${height} ${short(hash)} of ${[...servedBy].join(", ")}`];
      }),
    );
  }

  /** Heights of which more than one block was ever served, also by a single member, and also if it is gone. */
  servedTwice(): readonly string[] {
    return [...this.#ever].flatMap(([height, hashes]) =>
      hashes.size < 2 ? [] : [this.#describe(height, [...hashes])],
    );
  }

  #forkAt(height: number): readonly string[] {
    const hashes = [...(this.#ever.get(height) ?? [])];
    const settled = hashes.filter(([, servedBy]) => servedBy.size >= this.#majority);
    const held = hashes.filter(([hash]) =>
      [...this.#members.values()].some(({ blocks }) => blocks.get(height)?.hash === hash),
    );
    if (settled.length < 2 && held.length < 2) return [];
    return [this.#describe(height, hashes)];
  }

  #describe(height: number, hashes: readonly (readonly [string, ReadonlySet<string>])[]): string {
    const each = hashes.map(([hash, servedBy]) => `${short(hash)} (${[...servedBy].join(", ")})`);
    return `there are ${hashes.length} blocks of height ${height}: ${each.join(" and ")}`;
  }

  #chain(member: string): MemberChain {
    const chain = this.#members.get(member) ?? { blocks: new Map(), holes: new Set() };
    this.#members.set(member, chain);
    return chain;
  }
}

function linkProblems(member: string, blocks: ReadonlyMap<number, SeenBlock>): readonly string[] {
  return [...blocks.values()].flatMap(({ height, parent }) => {
    const below = blocks.get(height - 1);
    if (below === undefined || below.hash === parent) return [];
    return [
      `${member}: block ${height} is built on ${short(parent)}, but block ${height - 1} is ${short(below.hash)}`,
    ];
  });
}

const short = (hash: string) => hash.slice(0, 12);
