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

  /** Heights at which all members were stopped at once. */
  readonly #stops: number[] = [];

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

  /** The member was restarted: what it serves from now on is read again from the first block. */
  readAgain(member: string): void {
    this.#members.delete(member);
  }

  /** All members are stopped at once from here on. */
  totalStop(): void {
    this.#stops.push(Math.max(0, ...this.#ever.keys()));
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

  /**
   * What must not be in any chain: two blocks of one height, a block on another parent, a hole. The head at a total
   * stop is left out: see `replacedHeads`.
   */
  problems(): readonly string[] {
    const heights = [...this.#ever.keys()].sort((a, b) => a - b);
    const members = [...this.#members];
    const isHead = (height: number) => this.#isHeadOfStop(height);
    return [
      ...heights.filter((height) => !isHead(height)).flatMap((height) => this.#forkAt(height)),
      ...members.flatMap(([member, chain]) => linkProblems(member, chain.blocks, isHead)),
      ...members.flatMap(([member, { holes }]) =>
        [...holes].map((height) => `${member} lacks block ${height}`),
      ),
    ];
  }

  /**
   * Heads at a total stop that exist twice. The testapp of ev-node can make its last block again when all members
   * start together: the first leader does not wait for a block that is in Raft's log and not yet in its store. The
   * operator does not prevent that yet, see the changelog.
   */
  replacedHeads(): readonly string[] {
    const heights = [...this.#ever.keys()].filter((height) => this.#isHeadOfStop(height));
    return heights.flatMap((height) => this.#forkAt(height));
  }

  #isHeadOfStop(height: number): boolean {
    return this.#stops.some((head) => height >= head && height <= head + 2);
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

  #forkAt(height: number): readonly string[] {
    const hashes = [...(this.#ever.get(height) ?? [])];
    const settled = hashes.filter(([, servedBy]) => servedBy.size >= this.#majority);
    const held = hashes.filter(([hash]) =>
      [...this.#members.values()].some(({ blocks }) => blocks.get(height)?.hash === hash),
    );
    if (settled.length < 2 && held.length < 2) return [];
    const each = hashes.map(([hash, servedBy]) => `${short(hash)} (${[...servedBy].join(", ")})`);
    return [`there are ${hashes.length} blocks of height ${height}: ${each.join(" and ")}`];
  }

  #chain(member: string): MemberChain {
    const chain = this.#members.get(member) ?? { blocks: new Map(), holes: new Set() };
    this.#members.set(member, chain);
    return chain;
  }
}

function linkProblems(
  member: string,
  blocks: ReadonlyMap<number, SeenBlock>,
  isLeftOut: (height: number) => boolean,
): readonly string[] {
  return [...blocks.values()].flatMap(({ height, parent }) => {
    const below = blocks.get(height - 1);
    if (below === undefined || below.hash === parent || isLeftOut(height - 1)) return [];
    return [
      `${member}: block ${height} is built on ${short(parent)}, but block ${height - 1} is ${short(below.hash)}`,
    ];
  });
}

const short = (hash: string) => hash.slice(0, 12);
