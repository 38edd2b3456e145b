import { blockRequest, parseBlock } from "../../src/evnode/rpc.ts";
import type { Pod } from "../../src/model/objects.ts";
import { ChainRecord } from "../../test/e2e/harness/chain-record.ts";
import { readBlock } from "../../test/e2e/harness/header-hash.ts";
import type { BlockTime } from "./block-gaps.ts";
import { askText, viewNode } from "./node-rpc.ts";

const AT_ONCE = 8;

/**
 * Reads the blocks of every member as ev-node serves them, and remembers what was ever served: two blocks of one
 * height, a block on another parent and a hole all show.
 */
export class ChainSurvey {
  readonly #record: ChainRecord;
  readonly #times = new Map<number, number>();
  readonly #readTo = new Map<string, number>();

  constructor(members: number) {
    this.#record = new ChainRecord(members);
  }

  /** What must not be in any chain, in words. */
  problems(): readonly string[] {
    return this.#record.problems();
  }

  /** Heights of which more than one block was ever served, in words, whoever served it and whether it is still there. */
  replaced(): readonly string[] {
    return this.#record.servedTwice();
  }

  /** The highest block that a majority served. */
  top(): number {
    return this.#record.top;
  }

  /** When each block that was read was made. */
  times(): readonly BlockTime[] {
    return [...this.#times].map(([height, timeMs]) => ({ height, timeMs }));
  }

  /**
   * Reads what each member has beyond the last look, and every block from `againFrom` on anew. True when every one of
   * these members was read up to its head.
   */
  async look(pods: readonly Pod[], againFrom?: number): Promise<boolean> {
    const whole = await Promise.all(
      pods.map(async ({ metadata: { name }, status }) => {
        if (againFrom !== undefined) this.#forget(name, againFrom);
        return status?.podIP !== undefined && this.#read(name, status.podIP);
      }),
    );
    return !whole.includes(false);
  }

  #forget(member: string, from: number): void {
    this.#record.readAgain(member, from);
    this.#readTo.set(member, Math.min(this.#readTo.get(member) ?? 0, from - 1));
  }

  async #read(member: string, ip: string): Promise<boolean> {
    const { height: head } = await viewNode(ip);
    if (head === undefined) return false;
    let next = (this.#readTo.get(member) ?? 0) + 1;
    while (next <= head) {
      const heights = Array.from({ length: Math.min(AT_ONCE, head - next + 1) }, (_, index) => next + index);
      const seen = await Promise.all(heights.map(async (height) => this.#see(member, ip, height)));
      // A member that stops to answer is read on at the next look.
      if (seen.includes(false)) return false;
      next += heights.length;
      this.#readTo.set(member, next - 1);
    }
    return true;
  }

  async #see(member: string, ip: string, height: number): Promise<boolean> {
    const answer = await askText(ip, blockRequest(height));
    if (answer === undefined) return false;
    const header = parseBlock(answer.body);
    if (answer.status !== 200 || header.kind !== "parsed") {
      this.#record.seeHole(member, height);
      return true;
    }
    this.#record.see(member, readBlock(answer.body));
    this.#times.set(height, header.value.timeMs);
    return true;
  }
}
