import { setTimeout as sleep } from "node:timers/promises";
import { blockRequest, parseState, type RpcRequest, stateRequest } from "../../../src/evnode/rpc.ts";
import { EVNODE_CONTAINER } from "../../../src/model/member.ts";
import type { Pod } from "../../../src/model/objects.ts";
import { ChainRecord } from "./chain-record.ts";
import type { Cluster } from "./cluster.ts";
import { readBlock } from "./header-hash.ts";
import { until } from "./until.ts";

const RPC_PORT = 7331;
const LOOK_EVERY_MS = 300;
/** Blocks read from one member in one look. */
const MAX_BLOCKS = 400;
const AT_ONCE = 8;

/**
 * Reads every block of every member from ev-node itself, for as long as a test runs, and remembers all of them. It
 * asks neither the operator nor its agents.
 */
export class Observer {
  readonly record: ChainRecord;
  readonly #cluster: Cluster;
  readonly #stop = new AbortController();
  readonly #readings = new Map<string, Reading>();
  readonly #loop: Promise<void>;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
    this.record = new ChainRecord(cluster.members);
    this.#loop = this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#loop;
  }

  /** Waits for a block above the given one that a majority has. */
  async risesAbove(height: number, withinMs = 60_000): Promise<number> {
    return until(
      `a block above ${height} of ${this.#cluster.name}`,
      async () => {
        const { top } = this.record;
        return top > height ? { found: top } : { missing: `the highest block that a majority has is ${top}` };
      },
      { withinMs },
    );
  }

  /** Waits until blocks have come to be after this moment. */
  async goesOn(blocks = 5, withinMs = 60_000): Promise<number> {
    return this.risesAbove(this.record.top + blocks, withinMs);
  }

  /** Waits until the blocks of every member were read up to a height that is not below today's. */
  async hasReadAll(withinMs = 60_000): Promise<void> {
    const { top } = this.record;
    await until(
      `all blocks up to ${top} from every member`,
      async () => {
        const behind = this.#cluster.memberNames.filter((member) => this.#readTo(member) < top);
        const heights = behind.map((member) => `${member} at ${this.#readTo(member)}`);
        return behind.length === 0 ? { found: true } : { missing: heights.join(", ") };
      },
      { withinMs },
    );
  }

  #readTo(member: string): number {
    return this.#readings.get(member)?.readTo ?? 0;
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const pods = await this.#cluster.pods().catch(() => []);
      // A member that does not answer is read in a later look.
      await Promise.all(pods.map((pod) => this.#read(pod).catch(() => undefined)));
      await sleep(LOOK_EVERY_MS, undefined, { signal: this.#stop.signal }).catch(() => undefined);
    }
  }

  async #read(pod: Pod): Promise<void> {
    const state = await this.#ask(pod, stateRequest);
    const parsed = state === undefined ? undefined : parseState(state);
    if (parsed?.kind !== "parsed") return;
    const reading = this.#readingOf(pod);
    const last = Math.min(parsed.value.height, reading.readTo + MAX_BLOCKS);
    while (reading.readTo < last) {
      const size = Math.min(AT_ONCE, last - reading.readTo);
      const heights = Array.from({ length: size }, (_, index) => reading.readTo + 1 + index);
      const seen = await Promise.all(heights.map((height) => this.#readBlock(pod, height)));
      const missing = seen.indexOf(false);
      reading.readTo += missing === -1 ? size : missing;
      if (missing !== -1) return;
    }
  }

  #readingOf({ metadata: { name, uid }, status }: Pod): Reading {
    const container = status?.containerStatuses?.find((one) => one.name === EVNODE_CONTAINER);
    const process = `${uid} ${container?.containerID ?? ""}`;
    const before = this.#readings.get(name);
    if (before?.process === process) return before;
    if (before) this.record.readAgain(name);
    const reading = { process, readTo: 0 };
    this.#readings.set(name, reading);
    return reading;
  }

  async #readBlock(pod: Pod, height: number): Promise<boolean> {
    const answer = await this.#ask(pod, blockRequest(height));
    if (answer === undefined) return false;
    const isBlock = answer.includes('"header"');
    if (isBlock) this.record.see(pod.metadata.name, readBlock(answer));
    else this.record.seeHole(pod.metadata.name, height);
    return isBlock;
  }

  async #ask(pod: Pod, { method, path, body }: RpcRequest): Promise<string | undefined> {
    const question = { method, path, ...(body === undefined ? {} : { body }) };
    return (await this.#cluster.world.reach(pod, RPC_PORT, question))?.text;
  }
}

interface Reading {
  /** Which process it is about: another one is read from the first block on. */
  readonly process: string;
  /** Every block up to this height was read. */
  readTo: number;
}
