import { kinds } from "../model/kinds.ts";
import { keyOf } from "../model/kube-object.ts";
import type { Lease } from "../model/objects.ts";
import { jitteredMs } from "../runtime/backoff.ts";
import { limited, orAborted } from "../runtime/deadline.ts";
import { KubeError, type KubeErrorKind, toKubeError } from "./errors.ts";
import { Leadership } from "./leadership.ts";
import { type ElectionOptions, type ElectionTiming, microTime, preconditionsOf } from "./lease-record.ts";

const defaultTiming: ElectionTiming = {
  leaseDurationMs: 15_000,
  renewDeadlineMs: 10_000,
  retryPeriodMs: 2_000,
};

/** So that several candidates do not always collide. */
const JITTER = 0.2;

/** Another candidate was faster. */
const lostRace: ReadonlySet<KubeErrorKind> = new Set(["AlreadyExists", "Conflict", "Invalid", "NotFound"]);

/**
 * Sees to it that one process at a time leads, by a Lease that the leader renews. Time stamps of others are never
 * compared with the own clock: what counts is how long a record has been seen unchanged here.
 */
export class LeaderElection {
  readonly #options: ElectionOptions;
  readonly #timing: ElectionTiming;
  /** The record that was seen last, and since when it has been the same. */
  #seen: { readonly resourceVersion: string | undefined; readonly sinceMs: number } | undefined;

  constructor(options: ElectionOptions) {
    this.#options = options;
    this.#timing = options.timing ?? defaultTiming;
  }

  /** Waits until this process leads. Undefined when the signal aborts first. */
  async acquire(signal: AbortSignal): Promise<Leadership | undefined> {
    const { clock, random, onFailure } = this.#options;
    const { renewDeadlineMs, retryPeriodMs } = this.#timing;
    while (!signal.aborted) {
      // An attempt that hangs must not keep this process from the next one.
      const limit = limited(clock, renewDeadlineMs / 2, "the attempt to become the leader", signal);
      try {
        const leadership = await this.#attempt(limit.signal);
        if (leadership !== undefined) return leadership;
      } catch (error) {
        if (signal.aborted) return undefined;
        onFailure(toKubeError(error, { verb: "take", kind: "Lease", name: keyOf(this.#options.lease) }));
      } finally {
        limit.clear();
      }
      await clock.sleep(jitteredMs(retryPeriodMs, JITTER, random), signal).catch(() => {});
    }
    return undefined;
  }

  async #attempt(signal: AbortSignal): Promise<Leadership | undefined> {
    const { api, lease: ref, clock } = this.#options;
    const current = await orAborted(api.get(kinds.lease, ref), signal);
    const isFree = current === undefined || this.#isFree(current);
    if (!isFree) return undefined;
    const sentMs = clock.monotonicMs();
    try {
      const taken = await orAborted(this.#take(current), signal);
      return new Leadership({ ...this.#options, timing: this.#timing, taken, sentMs });
    } catch (error) {
      if (error instanceof KubeError && lostRace.has(error.kind)) return undefined;
      throw error;
    }
  }

  #isFree(current: Lease): boolean {
    const nowMs = this.#options.clock.monotonicMs();
    const { resourceVersion } = current.metadata;
    if (this.#seen?.resourceVersion !== resourceVersion) this.#seen = { resourceVersion, sinceMs: nowMs };
    const { holderIdentity: holder = "", leaseDurationSeconds } = current.spec ?? {};
    if (holder === "" || holder === this.#options.identity) return true;
    const durationMs =
      leaseDurationSeconds === undefined ? this.#timing.leaseDurationMs : leaseDurationSeconds * 1000;
    return nowMs - (this.#seen?.sinceMs ?? nowMs) >= durationMs;
  }

  #take(current: Lease | undefined): Promise<Lease> {
    const { api, lease: ref, identity, clock } = this.#options;
    const now = microTime(clock.nowMs());
    const spec = {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(this.#timing.leaseDurationMs / 1000),
      acquireTime: now,
      renewTime: now,
    };
    if (current === undefined) {
      return api.create(kinds.lease, {
        apiVersion: "coordination.k8s.io/v1",
        kind: "Lease",
        metadata: ref,
        spec: { ...spec, leaseTransitions: 0 },
      });
    }
    const { leaseTransitions = 0, holderIdentity } = current.spec ?? {};
    const changes = holderIdentity === identity ? 0 : 1;
    const patch = { spec: { ...spec, leaseTransitions: leaseTransitions + changes } };
    return api.patch(kinds.lease, ref, patch, preconditionsOf(current));
  }
}
