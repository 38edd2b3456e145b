import { kinds } from "../model/kinds.ts";
import { keyOf } from "../model/kube-object.ts";
import type { Lease } from "../model/objects.ts";
import { limited, orAborted } from "../runtime/deadline.ts";
import { KubeError, type KubeErrorKind, toKubeError } from "./errors.ts";
import { type ElectionOptions, type ElectionTiming, microTime, preconditionsOf } from "./lease-record.ts";

export interface LeadershipOptions extends ElectionOptions {
  readonly timing: ElectionTiming;
  /** The Lease as it was written when leadership began. */
  readonly taken: Lease;
  /** When that request was sent, on the monotonic clock. */
  readonly sentMs: number;
}

const moved: ReadonlySet<KubeErrorKind> = new Set(["Conflict", "Invalid", "NotFound"]);

/** Whether a write failed because the Lease is not what it was at the last renewal. */
function hasMoved(error: unknown): boolean {
  return error instanceof KubeError && moved.has(error.kind);
}

/**
 * One term of a leader. It renews its Lease until it is released or lost; once over, it stays over.
 *
 * Time counts from before a request was sent: others count from when they saw its effect, which is later. So this
 * process knows that its term is over while others still have to wait.
 */
export class Leadership {
  readonly #options: LeadershipOptions;
  readonly #over = new AbortController();
  readonly #releasing = new AbortController();
  readonly #renewing: Promise<void>;
  #lease: Lease;
  #renewedMs: number;
  #cancelDeadline: () => void;

  constructor(options: LeadershipOptions) {
    this.#options = options;
    this.#lease = options.taken;
    this.#renewedMs = options.sentMs;
    this.#cancelDeadline = this.#startDeadline();
    this.#renewing = this.#renewRegularly();
  }

  /** Aborts when the term ends, by loss or by release. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  /**
   * To be asked before every write. After the process stood still for a while, this knows that the term is over
   * before any timer could tell.
   */
  stillLeading(): boolean {
    if (this.#over.signal.aborted) return false;
    if (this.#restMs() > 0) return true;
    this.#end(`it was not renewed for ${this.#options.timing.renewDeadlineMs} ms`);
    return false;
  }

  /** Ends the term and lets the next leader begin at once. To be called when nothing is written any more. */
  async release(): Promise<void> {
    const { clock, timing, onFailure } = this.#options;
    this.#releasing.abort(new Error("the lease is being released"));
    await this.#renewing;
    if (!this.stillLeading()) return;
    this.#end("it was released");
    const limit = limited(clock, timing.renewDeadlineMs / 2, "the release of the lease");
    try {
      await this.#writeReleased(limit.signal);
    } catch (error) {
      onFailure(toKubeError(error, this.#asked("release")));
    } finally {
      limit.clear();
    }
  }

  async #renewRegularly(): Promise<void> {
    const { clock, timing } = this.#options;
    const stop = AbortSignal.any([this.#over.signal, this.#releasing.signal]);
    let delayMs = timing.retryPeriodMs;
    while (this.stillLeading()) {
      await clock.sleep(delayMs, stop).catch(() => {});
      if (stop.aborted || !this.stillLeading()) return;
      const startedMs = clock.monotonicMs();
      await this.#tryToRenew(stop);
      delayMs = Math.max(0, startedMs + timing.retryPeriodMs - clock.monotonicMs());
    }
  }

  async #tryToRenew(stop: AbortSignal): Promise<void> {
    const { clock, timing, onFailure } = this.#options;
    // Short enough for two further tries when an answer does not come.
    const limit = limited(clock, timing.renewDeadlineMs / 3, "the renewal of the lease", stop);
    try {
      await this.#renew(limit.signal);
    } catch (error) {
      if (!stop.aborted) onFailure(toKubeError(error, this.#asked("renew")));
    } finally {
      limit.clear();
    }
  }

  async #renew(signal: AbortSignal): Promise<void> {
    try {
      await this.#writeRenewed(signal);
    } catch (error) {
      if (!hasMoved(error)) throw error;
      if (await this.#lookAgain(signal)) await this.#writeRenewed(signal);
    }
  }

  async #writeRenewed(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const sentMs = clock.monotonicMs();
    this.#lease = await orAborted(this.#write({ renewTime: microTime(clock.nowMs()) }), signal);
    if (this.stillLeading()) this.#extend(sentMs);
  }

  /** Either somebody else took the Lease, or a renewal that was given up arrived after all: then it is still ours. */
  async #lookAgain(signal: AbortSignal): Promise<boolean> {
    const { api, lease: ref, identity } = this.#options;
    const current = await orAborted(api.get(kinds.lease, ref), signal);
    if (current === undefined) {
      this.#end("it was deleted");
      return false;
    }
    if (current.spec?.holderIdentity !== identity) {
      this.#end(`${current.spec?.holderIdentity ?? "nobody"} holds it`);
      return false;
    }
    this.#lease = current;
    return true;
  }

  async #writeReleased(signal: AbortSignal): Promise<void> {
    const renewTime = microTime(this.#options.clock.nowMs());
    const released = { holderIdentity: "", leaseDurationSeconds: 1, renewTime };
    try {
      await orAborted(this.#write(released), signal);
    } catch (error) {
      if (!hasMoved(error)) throw error;
      if (await this.#lookAgain(signal)) await orAborted(this.#write(released), signal);
    }
  }

  #write(spec: Readonly<Record<string, unknown>>): Promise<Lease> {
    const { api, lease: ref } = this.#options;
    return api.patch(kinds.lease, ref, { spec }, preconditionsOf(this.#lease));
  }

  #extend(sentMs: number): void {
    this.#renewedMs = sentMs;
    this.#cancelDeadline();
    this.#cancelDeadline = this.#startDeadline();
  }

  #startDeadline(): () => void {
    return this.#options.clock.after(this.#restMs(), () => this.stillLeading());
  }

  #restMs(): number {
    const { clock, timing } = this.#options;
    return this.#renewedMs + timing.renewDeadlineMs - clock.monotonicMs();
  }

  #end(why: string): void {
    if (this.#over.signal.aborted) return;
    this.#cancelDeadline();
    this.#over.abort(new Error(`the lease ${keyOf(this.#options.lease)} is no longer held: ${why}`));
  }

  #asked(verb: string) {
    return { verb, kind: "Lease", name: keyOf(this.#options.lease) };
  }
}
