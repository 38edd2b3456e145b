import type { Member } from "../model/member.ts";
import type { HeldBlock, Parting } from "../model/parting.ts";
import type { Difference } from "../plan/fork.ts";
import type { Clock } from "../runtime/clock.ts";
import type { AskBlock } from "./agent-client.ts";
import { type Blocks, differ, Inquiry, nobodyAsked } from "./block-inquiry.ts";
import { Seams } from "./seams.ts";
import { within } from "./within.ts";

/** All requests of one look. */
const DEADLINE_MS = 3_000;
/** How many heights one look asks for: a chain of a billion blocks takes four looks. */
const HEIGHTS_PER_LOOK = 8;
/** How often members that hold different blocks are asked again, and those that did not tell. */
const EVERY_MS = 15_000;

export interface Scene {
  readonly members: readonly Member[];
  /** By what the agents tell anyway; undefined while that shows none. Where leaders went on is looked at besides. */
  readonly difference: Difference | undefined;
  /** They are asked now, and waited for. */
  readonly isCertain: boolean;
}

interface Known {
  /** Equal at `low`, different at `high`. */
  low: number;
  high: number;
  /** A height between them at which two members told the same block, though perhaps not those that differ. */
  hint: number | undefined;
  /** At `high`; undefined until they were asked for. */
  blocks: Blocks | undefined;
  view: Parting | undefined;
  askedAtMs: number;
  /** Not all heights were asked for yet, and nothing is in the way. */
  hasMore: boolean;
  looking: Promise<void> | undefined;
}

/**
 * Narrows a difference between members down to the first height, by bisection. What was found is remembered until the
 * members hold the same block there: the agents' own answers show a difference only for as long as their newest
 * checkpoints do. Members are asked beside the reconciles, which never wait but for a certain look.
 */
export class Partings {
  readonly #known = new Map<string, Known>();
  readonly #stop = new AbortController();
  readonly #ask: AskBlock;
  readonly #clock: Clock;
  readonly #onChange: (clusterKey: string) => void;
  readonly #seams: Seams;

  constructor(ask: AskBlock, clock: Clock, onChange: (clusterKey: string) => void) {
    this.#ask = ask;
    this.#clock = clock;
    this.#onChange = onChange;
    this.#seams = new Seams((members, look) => this.#inquire(members, look), clock, onChange);
  }

  async look(clusterKey: string, scene: Scene): Promise<Parting | undefined> {
    const { members, isCertain } = scene;
    const seam = this.#seams.look(clusterKey, members);
    const difference = scene.difference ?? seam;
    const before = this.#known.get(clusterKey);
    // Nobody told these blocks when asked for them, and nobody shows them any more.
    if (!difference && before?.blocks === undefined) {
      this.#known.delete(clusterKey);
      return undefined;
    }
    const known = before ?? newKnown();
    this.#known.set(clusterKey, known);
    if (isCertain) await known.looking;
    if (difference && known.blocks === undefined && !known.looking) {
      known.high = difference.height;
      known.hint = difference.equalAt;
    }
    const isDue = known.hasMore || this.#clock.monotonicMs() - known.askedAtMs >= EVERY_MS;
    if (!known.looking && (isDue || isCertain))
      known.looking = this.#lookOnce(clusterKey, known, members).finally(() => {
        known.looking = undefined;
      });
    if (isCertain) await known.looking;
    return this.#known.get(clusterKey)?.view;
  }

  forget(clusterKey: string): void {
    this.#known.delete(clusterKey);
    this.#seams.forget(clusterKey);
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error("the operator stops"));
    await Promise.all([...this.#known.values()].flatMap(({ looking }) => looking ?? []));
    await this.#seams.settled();
  }

  async #lookOnce(clusterKey: string, known: Known, members: readonly Member[]): Promise<void> {
    const before = JSON.stringify(known.view);
    known.askedAtMs = this.#clock.monotonicMs();
    const isFound = known.blocks !== undefined && known.high - known.low === 1;
    await this.#inquire(members, (asked) => (isFound ? askAgain(known, asked) : narrow(known, asked)));
    const isOver = known.blocks !== undefined && !differ(known.blocks);
    if (isOver && this.#known.get(clusterKey) === known) this.forget(clusterKey);
    if (isOver || known.hasMore || JSON.stringify(known.view) !== before) this.#onChange(clusterKey);
  }

  async #inquire<T>(members: readonly Member[], look: (asked: Inquiry) => Promise<T>): Promise<T> {
    return within(this.#clock, DEADLINE_MS, this.#stop.signal, async (signal) =>
      look(new Inquiry(members, { ask: this.#ask, clock: this.#clock, signal })),
    );
  }
}

const newKnown = (): Known => ({
  low: 0,
  high: 1,
  hint: undefined,
  blocks: undefined,
  view: undefined,
  askedAtMs: Number.NEGATIVE_INFINITY,
  hasMore: true,
  looking: undefined,
});

/** Asks at so many heights, and notes how far that leads. */
async function narrow(known: Known, asked: Inquiry): Promise<void> {
  known.hasMore = false;
  if (known.blocks === undefined) {
    const { blocks, silent } = await asked.at(known.high);
    if (!differ(blocks)) {
      known.view = {
        kind: "notAsked",
        why: silent ?? `asked for block ${known.high}, they tell the same one`,
      };
      return;
    }
    known.blocks = blocks;
    known.view = told(known.high, blocks, "lower ones are being asked for");
  }
  for (let count = 0; known.high - known.low > 1; count += 1) {
    const height = nextHeight(known);
    const { blocks, silent } = count < HEIGHTS_PER_LOOK ? await asked.at(height) : nobodyAsked;
    if (count === HEIGHTS_PER_LOOK || asked.isOver) {
      known.hasMore = true;
      return;
    }
    if (differ(blocks)) {
      known.high = height;
      known.blocks = blocks;
    } else if ([...known.blocks.keys()].every((member) => blocks.has(member))) {
      known.low = height;
    } else {
      known.view = told(known.high, known.blocks, silent ?? `not all tell block ${height}`);
      return;
    }
  }
  known.view = told(known.high, known.blocks);
}

/** The hint first, if it is of use: below it there may be nothing but pruned blocks. */
function nextHeight({ low, high, hint = low }: Known): number {
  return low < hint && hint < high ? hint : low + Math.floor((high - low) / 2);
}

/**
 * What who does not tell held, it may hold still. A block that is pruned is nobody's any more, nor is one on a volume
 * that is gone: of that the members are rebuilt, and nothing may be frozen for it.
 */
async function askAgain(known: Known, asked: Inquiry): Promise<void> {
  known.hasMore = false;
  const { blocks, pruned } = await asked.at(known.high);
  const kept = [...(known.blocks ?? [])].filter(([member, { claim }]) => {
    return !pruned.has(member) && asked.hasVolume(member, claim);
  });
  known.blocks = new Map([...kept, ...blocks]);
  known.view = told(known.high, known.blocks);
}

function told(height: number, blocks: Blocks, open?: string): Parting {
  const held = [...blocks].map(([member, { hash }]): HeldBlock => ({ member, hash }));
  held.sort((one, other) => (one.member < other.member ? -1 : 1));
  return { kind: "asked", height, blocks: held, ...(open === undefined ? {} : { open }) };
}
