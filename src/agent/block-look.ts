import { blockRequest, isBlockMissing, parseBlock, parseRpcError } from "../evnode/rpc.ts";
import type { BlockAnswer } from "../model/agent-protocol.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Board } from "./board.ts";
import { heightOf } from "./findings.ts";
import type { HttpClient, HttpResult } from "./http-client.ts";
import { LOOPBACK } from "./node-rpc.ts";

const DEADLINE_MS = 1_000;
/** Whoever wants more at once keeps ev-node from its work. */
const MAX_AT_ONCE = 4;

export interface BlockLookDependencies {
  readonly http: HttpClient;
  readonly board: Board;
  readonly clock: Clock;
}

/** Tells which block ev-node of this pod holds at one height. Asked for where members were found to differ. */
export class BlockLook {
  readonly #given: BlockLookDependencies;
  #rpcPort: number | undefined;
  #underWay = 0;

  constructor(given: BlockLookDependencies) {
    this.#given = given;
  }

  /** The config says where ev-node listens. */
  use(rpcPort: number): void {
    this.#rpcPort = rpcPort;
  }

  /**
   * | ev-node | then |
   * | --- | --- |
   * | has the block | its hash |
   * | has none there, and is further | pruned |
   * | anything else, or too many ask | unknown, and why |
   */
  async at(height: number): Promise<BlockAnswer> {
    if (this.#rpcPort === undefined) return unknown("the member is not prepared yet");
    if (this.#underWay >= MAX_AT_ONCE) return unknown(`${MAX_AT_ONCE} blocks are asked for already`);
    this.#underWay += 1;
    try {
      const target = { address: LOOPBACK, port: this.#rpcPort };
      const result = await this.#given.http.send(target, blockRequest(height), DEADLINE_MS);
      return this.#meaningOf(result, height);
    } finally {
      this.#underWay -= 1;
    }
  }

  #meaningOf(result: HttpResult, height: number): BlockAnswer {
    if (result.kind === "refused") return unknown("ev-node does not answer");
    if (result.kind === "failed") return unknown(result.why.slice(0, 200));
    if (result.status !== 200) return this.#meaningOfRefusal(result.status, result.body, height);
    const reading = parseBlock(result.body);
    // Asked for height 0, or by a later version, it might tell another one.
    if (reading.kind !== "parsed" || reading.value.height !== height)
      return unknown("the answer of ev-node is not that block");
    return { kind: "held", hash: reading.value.hash };
  }

  #meaningOfRefusal(status: number, body: string, height: number): BlockAnswer {
    const reading = parseRpcError(body);
    const isMissing = reading.kind === "parsed" && isBlockMissing(reading.value);
    if (!isMissing) return unknown(`ev-node answers with HTTP status ${status}`);
    return (this.#height() ?? 0) >= height ? { kind: "pruned" } : unknown("ev-node has not come so far");
  }

  #height(): number | undefined {
    const { board, clock } = this.#given;
    const { node } = board.findings();
    return heightOf(node, clock.monotonicMs());
  }
}

const unknown = (why: string): BlockAnswer => ({ kind: "unknown", why });
