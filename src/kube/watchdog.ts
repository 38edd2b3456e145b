import type { Clock } from "../runtime/clock.ts";

export type Verdict = "silent" | "overdue";

/** Ends a stream that says nothing for `silenceMs`, or that goes on for longer than `totalMs`. */
export class Watchdog {
  readonly #clock: Clock;
  readonly #silenceMs: number;
  readonly #controller = new AbortController();
  readonly #cancelTotal: () => void;
  readonly #outer: AbortSignal;
  readonly #onOuter = () => this.#controller.abort(this.#outer.reason);
  #cancelSilence: () => void;
  #heardMs: number;
  #verdict: Verdict | undefined;

  constructor(
    clock: Clock,
    limits: { readonly silenceMs: number; readonly totalMs: number },
    outer: AbortSignal,
  ) {
    this.#clock = clock;
    this.#silenceMs = limits.silenceMs;
    this.#heardMs = clock.monotonicMs();
    this.#cancelSilence = clock.after(limits.silenceMs, () => this.#checkSilence());
    this.#cancelTotal = clock.after(limits.totalMs, () => this.#end("overdue"));
    this.#outer = outer;
    if (outer.aborted) this.#onOuter();
    else outer.addEventListener("abort", this.#onOuter, { once: true });
  }

  /** Aborts at a verdict, or with the outer signal. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get verdict(): Verdict | undefined {
    return this.#verdict;
  }

  /** The stream said something. */
  heard(): void {
    // The timer is not moved for each of thousands of events; it looks at this when it fires.
    this.#heardMs = this.#clock.monotonicMs();
  }

  clear(): void {
    this.#cancelSilence();
    this.#cancelTotal();
    this.#outer.removeEventListener("abort", this.#onOuter);
  }

  #checkSilence(): void {
    const restMs = this.#heardMs + this.#silenceMs - this.#clock.monotonicMs();
    if (restMs > 0) this.#cancelSilence = this.#clock.after(restMs, () => this.#checkSilence());
    else this.#end("silent");
  }

  #end(verdict: Verdict): void {
    this.#verdict = verdict;
    this.#controller.abort(new Error(`the stream is ${verdict}`));
  }
}
