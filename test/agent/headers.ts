import { headerHash } from "../../src/evnode/header-hash.ts";
import type { BlockHeader } from "../../src/evnode/rpc.ts";

/** The header of a block, built on the one before it. */
export const header = (height: number, timeMs: number, changes: Partial<BlockHeader> = {}): BlockHeader => ({
  chainId: "chain-of-tests",
  height,
  timeMs,
  hash: `hash-${height}`,
  lastHeaderHash: `hash-${height - 1}`,
  appHash: "",
  dataHash: "",
  proposerAddress: "",
  signature: "",
  ...changes,
});

/** A chain whose blocks have these times. */
export class Chain {
  readonly #timeMs: (height: number) => number;
  readonly #hashes: string[] = [""];

  constructor(timeMs: (height: number) => number) {
    this.#timeMs = timeMs;
  }

  hashOf(height: number): string {
    for (let next = this.#hashes.length; next <= height; next += 1) {
      const parent = this.#hashes[next - 1] ?? "";
      const nothing = Buffer.alloc(0);
      this.#hashes[next] = headerHash({
        blockVersion: 0n,
        appVersion: 0n,
        height: BigInt(next),
        time: this.#time(next),
        lastHeaderHash: Buffer.from(parent, "hex"),
        dataHash: nothing,
        appHash: nothing,
        proposerAddress: nothing,
        validatorHash: nothing,
        chainId: "chain-of-tests",
      });
    }
    return this.#hashes[height] ?? "";
  }

  /** What ev-node answers to GetBlock. */
  answer(height: number): object {
    const header = {
      chainId: "chain-of-tests",
      height: String(height),
      time: String(this.#time(height)),
      lastHeaderHash: Buffer.from(this.hashOf(height - 1), "hex").toString("base64"),
    };
    return { block: { header: { header } } };
  }

  #time(height: number): bigint {
    return BigInt(this.#timeMs(height)) * 1_000_000n;
  }
}
