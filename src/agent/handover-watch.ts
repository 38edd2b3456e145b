import { type BlockHeader, blockRequest, parseBlock, parseState, stateRequest } from "../evnode/rpc.ts";
import { LEADS_KEPT } from "../model/agent-protocol.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Board } from "./board.ts";
import { heightOf } from "./findings.ts";
import type { Log } from "./log.ts";
import { longestPause } from "./longest-pause.ts";
import type { AskNode } from "./node-rpc.ts";

/** The lead is seen up to half a second late, and the blocks of that time are more the faster the chain is. */
const BLOCKS_BELOW = 6;
/** What the last leader still brought into the Raft log comes before the pause. */
const BLOCKS_ABOVE = 6;
/** From here on the pause is over. */
const BLOCKS_AWAITED = 2;
/** Waiting costs nothing: the height is known anyway. A leader that makes no block for so long is not told of. */
const GIVE_UP_AFTER_MS = 300_000;
/** Blocks that could not be read are asked for again, but not for ever. */
const MAX_ATTEMPTS = 3;

interface Lead {
  readonly atMs: number;
  /** The chain's, when this member was first seen leading; undefined until ev-node told it. */
  height: number | undefined;
  attempts: number;
}

export interface HandoverWatchDependencies {
  readonly ask: AskNode;
  readonly board: Board;
  readonly clock: Clock;
  readonly log: Log;
}

/** Finds out, once for each time that this member takes the lead, how long the chain stood still for it. */
export class HandoverWatch {
  readonly #given: HandoverWatchDependencies;
  #leads = false;
  /** The lead that was taken and not looked into yet. */
  #lead: Lead | undefined;

  constructor(given: HandoverWatchDependencies) {
    this.#given = given;
  }

  /** To be called after every look at who leads. The height is asked for at once: later, it says less. */
  async notice(): Promise<void> {
    const { node } = this.#given.board.findings();
    const leads = node.kind === "open" && node.isLeader === true;
    if (leads === this.#leads) return;
    this.#leads = leads;
    this.#lead = undefined;
    if (!leads) return;
    const atMs = this.#given.clock.monotonicMs();
    const { board } = this.#given;
    board.update({ leads: [atMs, ...board.findings().leads].slice(0, LEADS_KEPT) });
    this.#lead = { atMs, height: await this.#askHeight(), attempts: 0 };
  }

  /** To be called now and then. Asks for blocks when the pause is over, and for nothing before and after. */
  async tend(): Promise<void> {
    const { board, clock, log } = this.#given;
    const lead = this.#lead;
    if (lead === undefined) return;
    const nowMs = clock.monotonicMs();
    if (nowMs - lead.atMs > GIVE_UP_AFTER_MS || lead.attempts >= MAX_ATTEMPTS) {
      this.#lead = undefined;
      log.warn({ height: lead.height }, "cannot tell how this member took the lead");
      return;
    }
    lead.height ??= await this.#askHeight();
    const { node } = board.findings();
    const top = heightOf(node, nowMs);
    if (lead.height === undefined || top === undefined || top < lead.height + BLOCKS_AWAITED) return;

    lead.attempts += 1;
    const pause = longestPause(await this.#blocksAround(lead.height, top));
    // Lost meanwhile: what was read may be of another leader.
    if (pause === undefined || this.#lead !== lead) return;
    this.#lead = undefined;
    board.update({ handover: { ...pause, atMs: lead.atMs } });
  }

  /** One after the other, so that a new leader has little to do with it. */
  async #blocksAround(height: number, top: number): Promise<readonly BlockHeader[]> {
    const blocks: BlockHeader[] = [];
    const last = Math.min(top, height + BLOCKS_ABOVE);
    for (let next = Math.max(1, height - BLOCKS_BELOW); next <= last; next += 1) {
      const block = await this.#given.ask(blockRequest(next), parseBlock);
      if (block?.value.height === next) blocks.push(block.value);
    }
    return blocks;
  }

  async #askHeight(): Promise<number | undefined> {
    return (await this.#given.ask(stateRequest, parseState))?.value.height;
  }
}
