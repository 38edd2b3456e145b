import { exponentialMs, type Growth } from "./backoff.ts";
import type { Clock } from "./clock.ts";
import { limited } from "./deadline.ts";
import type { Queue } from "./queue.ts";

export type ReconcileResult =
  | { readonly kind: "done"; readonly recheckAfterMs?: number | undefined }
  | { readonly kind: "retry"; readonly error: unknown };

/** Brings one key one step nearer to its goal. The signal aborts at the deadline and when the controller stops. */
export type Reconcile = (key: string, signal: AbortSignal) => Promise<ReconcileResult>;

export type Finished =
  | { readonly kind: "done"; readonly recheckAfterMs: number | undefined }
  | { readonly kind: "retry"; readonly error: unknown; readonly delayMs: number }
  | { readonly kind: "deadline"; readonly delayMs: number }
  | { readonly kind: "bug"; readonly error: unknown; readonly delayMs: number }
  | { readonly kind: "stopped" };

export interface ControllerOptions {
  readonly queue: Queue;
  readonly reconcile: Reconcile;
  readonly clock: Clock;
  /** How many keys are worked on at the same time. */
  readonly workers: number;
  /** One reconcile may take this long before its signal aborts. */
  readonly deadlineMs: number;
  /** Told about every end of a reconcile, for logs and metrics. It may throw: then nothing is recorded. */
  readonly onFinished: (key: string, how: Finished, tookMs: number) => void;
}

export interface ControllerStats {
  readonly running: number;
  /** Age of the reconcile that runs longest; a liveness check compares it with a multiple of the deadline. */
  readonly oldestRunningMs: number;
  readonly oldestRunningKey: string | undefined;
  /** Reconciles that threw although their signal had not aborted. */
  readonly bugs: number;
}

/** A bug does not go away by trying again soon, but the world that provoked it may change. */
const bugGrowth: Growth = { baseMs: 30_000, maxMs: 300_000 };

/** After their signal aborted, running reconciles get this long to notice. */
const ABORT_GRACE_MS = 1_000;

export class Controller {
  readonly #options: ControllerOptions;
  readonly #running = new Map<string, number>();
  readonly #bugs = new Map<string, number>();
  readonly #stopping = new AbortController();
  readonly #workers: Promise<void>[] = [];
  #bugCount = 0;

  constructor(options: ControllerOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#workers.length > 0) throw new Error("a controller can be started once");
    for (let n = 0; n < this.#options.workers; n++) this.#workers.push(this.#work());
  }

  /**
   * Takes no further key, gives running reconciles `graceMs` to end by themselves (0 after lost leadership), then
   * aborts them. Returns the keys that still did not end; their writes may come late.
   */
  async stop(graceMs: number): Promise<readonly string[]> {
    this.#options.queue.shutDown();
    const ended = Promise.all(this.#workers);
    if (graceMs > 0) await this.#atMost(graceMs, ended);
    this.#stopping.abort(new Error("the controller is stopping"));
    await this.#atMost(ABORT_GRACE_MS, ended);
    return [...this.#running.keys()];
  }

  stats(): ControllerStats {
    const nowMs = this.#options.clock.monotonicMs();
    // Keys are in the order of their start.
    const [oldest] = this.#running;
    return {
      running: this.#running.size,
      oldestRunningMs: oldest === undefined ? 0 : nowMs - oldest[1],
      oldestRunningKey: oldest?.[0],
      bugs: this.#bugCount,
    };
  }

  async #work(): Promise<void> {
    const { queue } = this.#options;
    for (let key = await queue.take(); key !== undefined; key = await queue.take()) {
      await this.#runOne(key);
    }
  }

  async #runOne(key: string): Promise<void> {
    const { queue, clock, onFinished } = this.#options;
    const startedMs = clock.monotonicMs();
    this.#running.set(key, startedMs);
    const how = await this.#reconcile(key);
    this.#running.delete(key);
    queue.done(key);
    try {
      onFinished(key, how, clock.monotonicMs() - startedMs);
    } catch {
      // A worker must outlive a broken log or metric.
    }
  }

  async #reconcile(key: string): Promise<Finished> {
    const { clock, deadlineMs, reconcile } = this.#options;
    const limit = limited(clock, deadlineMs, `reconcile of ${key}`, this.#stopping.signal);
    try {
      return this.#settle(key, await reconcile(key, limit.signal));
    } catch (error) {
      if (limit.expired()) return { kind: "deadline", delayMs: this.#options.queue.retry(key) };
      if (limit.signal.aborted) return { kind: "stopped" };
      return this.#recordBug(key, error);
    } finally {
      limit.clear();
    }
  }

  #settle(key: string, result: ReconcileResult): Finished {
    const { queue } = this.#options;
    this.#bugs.delete(key);
    if (result.kind === "retry") return { kind: "retry", error: result.error, delayMs: queue.retry(key) };
    queue.forget(key);
    if (result.recheckAfterMs !== undefined) queue.addAfter(key, result.recheckAfterMs);
    return { kind: "done", recheckAfterMs: result.recheckAfterMs };
  }

  #recordBug(key: string, error: unknown): Finished {
    this.#bugCount += 1;
    const times = (this.#bugs.get(key) ?? 0) + 1;
    this.#bugs.set(key, times);
    const delayMs = exponentialMs(times, bugGrowth);
    this.#options.queue.addAfter(key, delayMs);
    return { kind: "bug", error, delayMs };
  }

  async #atMost(limitMs: number, ended: Promise<unknown>): Promise<void> {
    const limit = limited(this.#options.clock, limitMs, "stopping");
    const expired = new Promise<void>((resolve) => {
      limit.signal.addEventListener("abort", () => resolve(), { once: true });
    });
    await Promise.race([ended, expired]);
    limit.clear();
  }
}
