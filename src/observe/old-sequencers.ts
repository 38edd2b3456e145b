import { answerOf, type Member } from "../model/member.ts";
import type { OldSequencer, OldSequencerLook, ToldBlock, ToldChain } from "../model/old-sequencer.ts";
import type { Clock } from "../runtime/clock.ts";
import type { AskOldSequencer } from "./old-sequencer-client.ts";
import { within } from "./within.ts";

const DEADLINE_MS = 2_000;
/** How often one is asked: before the members start, and afterwards. */
const EVERY_MS = 2_000;
const WATCH_EVERY_MS = 30_000;

export interface Outlook {
  readonly rpcAddress: string;
  readonly members: readonly Member[];
  /** At which its blocks are asked for, until it told one. */
  readonly heights: readonly number[];
  /** The members have started: what is known of it will do, and nobody waits. */
  readonly isOver: boolean;
  /** It is asked now, and waited for. */
  readonly isCertain: boolean;
}

interface Known {
  readonly rpcAddress: string;
  last: OldSequencerLook;
  /** When the last look began, and ended. */
  askedAtMs: number;
  endedAtMs: number;
  /** When the first of the looks began that found nothing but silence since. */
  silentFromMs: number | undefined;
  chain: ToldChain | undefined;
  highest: ToldBlock | undefined;
  /** By height. */
  asked: ReadonlyMap<number, ToldBlock>;
  /** What the members held, and since when. */
  heads: string;
  headsSinceMs: number;
  looking: Promise<void> | undefined;
}

/**
 * The sequencers outside, each as it was seen since this process began to look: a new operator knows nothing of their
 * silence, and waits for it anew. They are asked beside the reconciles, which never wait for who does not answer.
 */
export class OldSequencers {
  readonly #known = new Map<string, Known>();
  readonly #stop = new AbortController();
  readonly #ask: AskOldSequencer;
  readonly #clock: Clock;
  readonly #onChange: (clusterKey: string) => void;

  constructor(ask: AskOldSequencer, clock: Clock, onChange: (clusterKey: string) => void) {
    this.#ask = ask;
    this.#clock = clock;
    this.#onChange = onChange;
  }

  async look(clusterKey: string, outlook: Outlook): Promise<OldSequencer> {
    const { rpcAddress, members, heights, isOver, isCertain } = outlook;
    const nowMs = this.#clock.monotonicMs();
    const before = this.#known.get(clusterKey);
    const known = before?.rpcAddress === rpcAddress ? before : newKnown(rpcAddress, nowMs);
    this.#known.set(clusterKey, known);
    noteHeads(known, members, nowMs);
    const mustWait = isCertain && !isOver;
    // One that is under way may have begun before what is decided upon was seen.
    if (mustWait) await known.looking;
    const isDue = nowMs - known.askedAtMs >= (isOver ? WATCH_EVERY_MS : EVERY_MS);
    if (!known.looking && (isDue || mustWait)) known.looking = this.#lookOnce(clusterKey, known, heights);
    if (mustWait) await known.looking;
    return viewOf(known, this.#clock.monotonicMs());
  }

  forget(clusterKey: string): void {
    this.#known.delete(clusterKey);
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error("the operator stops"));
    await Promise.all([...this.#known.values()].flatMap(({ looking }) => looking ?? []));
  }

  async #lookOnce(clusterKey: string, known: Known, heights: readonly number[]): Promise<void> {
    const { kind } = known.last;
    known.askedAtMs = this.#clock.monotonicMs();
    const open = heights.filter((height) => known.asked.get(height)?.hash === undefined);
    const found = await within(this.#clock, DEADLINE_MS, this.#stop.signal, async (signal) =>
      this.#ask(known.rpcAddress, signal, open),
    );
    known.looking = undefined;
    known.last = found;
    known.endedAtMs = this.#clock.monotonicMs();
    if (found.kind === "silent") known.silentFromMs ??= known.askedAtMs;
    else known.silentFromMs = undefined;
    if (found.kind === "told") noteTold(known, found);
    if (found.kind !== kind) this.#onChange(clusterKey);
  }
}

const newKnown = (rpcAddress: string, nowMs: number): Known => ({
  rpcAddress,
  last: { kind: "notYet" },
  askedAtMs: Number.NEGATIVE_INFINITY,
  endedAtMs: nowMs,
  silentFromMs: undefined,
  chain: undefined,
  highest: undefined,
  asked: new Map(),
  heads: "",
  headsSinceMs: nowMs,
  looking: undefined,
});

/** Blocks of another chain say nothing of this one. */
function noteTold(
  known: Known,
  { block, chain, asked = [] }: Extract<OldSequencerLook, { kind: "told" }>,
): void {
  const isSame = known.chain?.chainId === chain.chainId;
  known.highest = higher(isSame ? known.highest : undefined, block);
  known.asked = new Map([
    ...(isSame ? known.asked : []),
    ...asked.map((told): [number, ToldBlock] => [told.height, told]),
  ]);
  known.chain = isSame ? { ...known.chain, ...chain } : chain;
}

/** Of one height, the block of which the hash was told. */
function higher(known: ToldBlock | undefined, told: ToldBlock): ToldBlock {
  if (known === undefined || told.height > known.height) return told;
  return told.height === known.height && told.hash !== undefined ? told : known;
}

function noteHeads(known: Known, members: readonly Member[], nowMs: number): void {
  const heads = JSON.stringify(members.map((member) => headOf(member)));
  if (heads === known.heads) return;
  known.heads = heads;
  known.headsSinceMs = nowMs;
}

function headOf(member: Member): readonly unknown[] {
  const node = answerOf(member)?.node;
  return node?.kind === "open" ? [node.height, node.head?.height, node.head?.hash] : [];
}

function viewOf(known: Known, nowMs: number): OldSequencer {
  const { last, chain, highest, asked, silentFromMs, endedAtMs, headsSinceMs } = known;
  return {
    last,
    chain,
    highest,
    asked: [...asked.values()],
    silentMs: silentFromMs === undefined ? 0 : endedAtMs - silentFromMs,
    membersStillMs: nowMs - headsSinceMs,
  };
}
