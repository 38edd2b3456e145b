import { createHash } from "node:crypto";

/** Everything that happened in one run, in order, in words. Two runs of one seed must have the same. */
export class History {
  readonly #lines: string[] = [];
  readonly #nowMs: () => number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  note(what: string): void {
    this.#lines.push(`${(this.#nowMs() / 1000).toFixed(3).padStart(9)}  ${what}`);
  }

  get length(): number {
    return this.#lines.length;
  }

  last(count: number): readonly string[] {
    return this.#lines.slice(-count);
  }

  digest(): string {
    return createHash("sha256").update(this.#lines.join("\n")).digest("hex").slice(0, 16);
  }
}
