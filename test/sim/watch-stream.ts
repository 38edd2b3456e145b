import type { WatchEvent } from "../../src/kube/api.ts";
import { KubeError } from "../../src/kube/errors.ts";
import type { KubeObject } from "../../src/model/kube-object.ts";
import type { Clock } from "../../src/runtime/clock.ts";

/** How a stream ends: by the server, by the network, or not at all although nothing comes any more. */
export type StreamEnd = "closed" | "broken" | "mute";

const BOOKMARK_EVERY_MS = 60_000;
/** So that a watch that is renewed begins where it ended. */
const LAST_BOOKMARK_BEFORE_END_MS = 2_000;
/** A server gives up a watch whose client does not read. */
const MAX_UNREAD = 10_000;

/** The side of the server. */
export interface Source {
  /** Up to which version everything was told. */
  version(): number;
  release(): void;
}

/** One open watch, from the server's side: events go in, and are read at the other end whenever the client likes. */
export class WatchStream {
  readonly #clock: Clock;
  readonly #endMs: number;
  readonly #unread: WatchEvent<KubeObject>[] = [];
  readonly #source: Source;
  readonly #cancelTimeout: () => void;
  #cancelBookmark = () => {};
  #state: "open" | StreamEnd = "open";
  #wake = () => {};

  constructor(clock: Clock, timeoutSeconds: number, source: Source) {
    this.#clock = clock;
    this.#source = source;
    this.#endMs = clock.monotonicMs() + timeoutSeconds * 1000;
    this.#cancelTimeout = clock.after(timeoutSeconds * 1000, () => this.end("closed"));
    this.#scheduleBookmark();
  }

  tell(event: WatchEvent<KubeObject>): void {
    if (this.#state !== "open") return;
    this.#unread.push(event);
    if (this.#unread.length > MAX_UNREAD) this.end("broken");
    this.#wake();
  }

  /** A stream ends once: what is mute stays so. */
  end(end: StreamEnd): void {
    if (this.#state === "open") this.#state = end;
    this.#wake();
  }

  async *events(signal: AbortSignal): AsyncGenerator<WatchEvent<KubeObject>> {
    const onAbort = () => this.#wake();
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      while (!signal.aborted) {
        if (this.#state === "broken") throw new KubeError("Unavailable", "ECONNRESET the connection broke");
        const event = this.#state === "mute" ? undefined : this.#unread.shift();
        if (event !== undefined) yield event;
        else if (this.#state === "closed") return;
        else await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    } finally {
      signal.removeEventListener("abort", onAbort);
      this.#cancelTimeout();
      this.#cancelBookmark();
      this.#source.release();
    }
  }

  #scheduleBookmark(): void {
    const restMs = this.#endMs - LAST_BOOKMARK_BEFORE_END_MS - this.#clock.monotonicMs();
    if (restMs <= 0) return;
    this.#cancelBookmark = this.#clock.after(Math.min(BOOKMARK_EVERY_MS, restMs), () => {
      this.tell({ type: "BOOKMARK", resourceVersion: String(this.#source.version()) });
      this.#scheduleBookmark();
    });
  }
}
