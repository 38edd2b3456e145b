import { blockAt, type Head, heightOf } from "../../../test/sim/member/block.ts";
import type { PodRun } from "../../../test/sim/member/pod-run.ts";

/** A process of ev-node that has ended. */
export interface Ending {
  readonly member: string;
  readonly wasLeader: boolean;
  /** What ran. */
  readonly image: string;
  readonly atMs: number;
}

/** What truly happened since some moment, whatever anybody was told. */
export interface Past {
  readonly sinceMs: number;
  readonly endings: readonly Ending[];
  /** Who led, in order; the first of them led already when it began. */
  readonly leaders: readonly string[];
  readonly blocks: number;
  /** Blocks that a member held and that became others. */
  readonly replaced: number;
  readonly longestPauseMs: number;
  /** Of all blocks. */
  readonly firstBlockAtMs: number | undefined;
  /** How many members were without a running ev-node at one time. */
  readonly mostAway: number;
}

interface Seen {
  readonly process: PodRun["process"];
  readonly role: string;
}

/** Watches the members themselves, from outside: no word of the operator counts here. */
export class Witness {
  readonly #last = new Map<string, Seen>();
  /** The first block that anybody held, by height. */
  readonly #blocks: string[] = [];
  /** How far each member's blocks were compared. */
  readonly #compared = new Map<string, Head>();
  #endings: Ending[] = [];
  #leaders: string[] = [];
  #replaced = 0;
  #blockAtMs = 0;
  #firstBlockAtMs: number | undefined;
  #longestPauseMs = 0;
  #mostAway = 0;
  #since = { ms: 0, height: 0, replaced: 0 };
  readonly #members: number;

  constructor(members: number) {
    this.#members = members;
  }

  /** From here on the past is another one. */
  begin(nowMs: number): void {
    this.#endings = [];
    this.#leaders = this.#leaders.slice(-1);
    this.#longestPauseMs = 0;
    this.#mostAway = 0;
    this.#since = { ms: nowMs, height: this.height, replaced: this.#replaced };
    this.#blockAtMs = nowMs;
  }

  get height(): number {
    return this.#blocks.length;
  }

  get replaced(): number {
    return this.#replaced;
  }

  get past(): Past {
    return {
      sinceMs: this.#since.ms,
      endings: [...this.#endings],
      leaders: [...this.#leaders],
      blocks: this.height - this.#since.height,
      replaced: this.#replaced - this.#since.replaced,
      longestPauseMs: this.#longestPauseMs,
      firstBlockAtMs: this.#firstBlockAtMs,
      mostAway: this.#mostAway,
    };
  }

  /** One look at all members. */
  look(runs: readonly PodRun[], nowMs: number): void {
    const before = this.height;
    for (const run of runs) {
      this.#compare(run);
      this.#follow(run, nowMs);
    }
    const running = runs.filter(({ process }) => process !== undefined).length;
    this.#mostAway = Math.max(this.#mostAway, this.#members - running);
    if (this.height > 0) this.#firstBlockAtMs ??= nowMs;
    if (this.height > before) this.#blockAtMs = nowMs;
    else if (before > 0) this.#longestPauseMs = Math.max(this.#longestPauseMs, nowMs - this.#blockAtMs);
  }

  #follow({ name, process }: PodRun, nowMs: number): void {
    const last = this.#last.get(name);
    if (last?.process !== undefined && last.process !== process) {
      const { image } = last.process;
      this.#endings.push({ member: name, wasLeader: last.role === "leader", image, atMs: nowMs });
    }
    this.#last.set(name, { process, role: process?.role ?? "none" });
    if (process?.role === "leader" && this.#leaders.at(-1) !== name) this.#leaders.push(name);
  }

  /** From the newest block back to one that was compared before. */
  #compare({ name, volume }: PodRun): void {
    const head = volume.stored;
    const compared = this.#compared.get(name);
    if (head === compared) return;
    const isOnTop = compared === undefined || blockAt(head, compared.height) === compared;
    const from = isOnTop ? heightOf(compared) : 0;
    const blocks = [];
    for (let block = head; block !== undefined && block.height > from; block = block.parent)
      blocks.push(block);
    for (const { height, id } of blocks.toReversed()) {
      const known = this.#blocks[height - 1];
      if (known === undefined) this.#blocks[height - 1] = id;
      else if (known !== id) this.#replaced += 1;
    }
    this.#compared.set(name, head);
  }
}
