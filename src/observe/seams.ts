import { answerOf, type Member } from "../model/member.ts";
import type { Difference } from "../plan/fork.ts";
import type { Clock } from "../runtime/clock.ts";
import { differ, type Inquiry } from "./block-inquiry.ts";

/** How often members are asked again of which one did not tell its block. */
const EVERY_MS = 15_000;
const MAX_ATTEMPTS = 20;

/** Asks these members for single blocks, for as long as a look may take. */
export type Inquire = <T>(members: readonly Member[], ask: (asked: Inquiry) => Promise<T>) => Promise<T>;

interface Known {
  /** How often members were asked for their block at this height; `Infinity` once they have told it. */
  readonly attempts: Map<number, number>;
  difference: Difference | undefined;
  askedAtMs: number;
  looking: Promise<void> | undefined;
}

/**
 * Whether all members hold the same block where a new leader went on. A leader stores and serves a block moments
 * before a majority has it: when it falls then, its successor makes another one, and ev-node keeps both, each where it
 * is. The next block is the same everywhere, so nothing else shows it. Members are asked once all of them answer, and
 * beside the reconciles.
 */
export class Seams {
  readonly #known = new Map<string, Known>();
  readonly #inquire: Inquire;
  readonly #clock: Clock;
  readonly #onChange: (clusterKey: string) => void;

  constructor(inquire: Inquire, clock: Clock, onChange: (clusterKey: string) => void) {
    this.#inquire = inquire;
    this.#clock = clock;
    this.#onChange = onChange;
  }

  /** What was found so far. */
  look(clusterKey: string, members: readonly Member[]): Difference | undefined {
    const seen = this.#known.get(clusterKey);
    const found = seen?.difference === undefined ? [] : [seen.difference.height];
    const heights = [...new Set([...found, ...seamsOf(members)])];
    if (heights.length === 0 && !seen) return undefined;
    const known = seen ?? { attempts: new Map(), difference: undefined, askedAtMs: 0, looking: undefined };
    this.#known.set(clusterKey, known);
    // Of the others no member tells any more that it went on there.
    for (const height of known.attempts.keys()) if (!heights.includes(height)) known.attempts.delete(height);
    const due = heights.filter((height) => this.#isDue(known, height));
    if (due.length > 0 && !known.looking && members.every(isOpen)) {
      const compare = (asked: Inquiry) => this.#compare(known, due, asked, members.length);
      const before = known.difference;
      known.looking = this.#inquire(members, compare).finally(() => {
        known.looking = undefined;
        if (known.difference !== before) this.#onChange(clusterKey);
      });
    }
    return known.difference;
  }

  forget(clusterKey: string): void {
    this.#known.delete(clusterKey);
  }

  async settled(): Promise<void> {
    await Promise.all([...this.#known.values()].flatMap(({ looking }) => looking ?? []));
  }

  #isDue({ attempts, askedAtMs, difference }: Known, height: number): boolean {
    const count = attempts.get(height) ?? 0;
    if (count === 0) return true;
    const mayBeNews = count < MAX_ATTEMPTS || difference?.height === height;
    return mayBeNews && this.#clock.monotonicMs() - askedAtMs >= EVERY_MS;
  }

  async #compare(known: Known, heights: readonly number[], asked: Inquiry, count: number): Promise<void> {
    known.askedAtMs = this.#clock.monotonicMs();
    for (const height of heights) {
      const { blocks, pruned } = await asked.at(height);
      const allTold = blocks.size + pruned.size === count;
      const attempts = known.attempts.get(height) ?? 0;
      known.attempts.set(height, allTold ? Number.POSITIVE_INFINITY : attempts + 1);
      if (differ(blocks)) known.difference ??= { height, equalAt: 0 };
      else if (allTold && known.difference?.height === height) known.difference = undefined;
    }
  }
}

const isOpen = (member: Member) => answerOf(member)?.node.kind === "open";

/** The heights of the first blocks of leaders, as these tell them. */
function seamsOf(members: readonly Member[]): readonly number[] {
  return members.flatMap((member) => {
    const handover = answerOf(member)?.handover;
    return handover ? [handover.lastHeight + 1] : [];
  });
}
