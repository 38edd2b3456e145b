import type { ObjectRef } from "../model/kube-object.ts";
import type { Lease } from "../model/objects.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Random } from "../runtime/random.ts";
import type { KubeApi } from "./api.ts";
import type { KubeError } from "./errors.ts";

export interface ElectionOptions {
  readonly api: Pick<KubeApi, "get" | "create" | "patch">;
  readonly lease: ObjectRef;
  /** Never shared by two processes that may run at once: a process takes a Lease with its own identity at once. */
  readonly identity: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Told about every failed request to the API. */
  readonly onFailure: (error: KubeError) => void;
  readonly timing?: ElectionTiming;
}

export interface ElectionTiming {
  /** Others wait this long after the last renewal that they saw. */
  readonly leaseDurationMs: number;
  /** A leader that could not renew for this long leads no more. Shorter than the lease: the difference is the safety. */
  readonly renewDeadlineMs: number;
  /** Between two renewals, and between two attempts to become the leader. */
  readonly retryPeriodMs: number;
}

/** The record must be the one that was judged, or the request must fail. */
export function preconditionsOf(lease: Lease): { readonly uid: string; readonly resourceVersion: string } {
  const { uid, resourceVersion } = lease.metadata;
  if (uid === undefined || resourceVersion === undefined)
    throw new Error("the server sent a Lease without identity");
  return { uid, resourceVersion };
}

/** The API server refuses a MicroTime that does not have exactly six digits after the point. */
export function microTime(epochMs: number): string {
  return new Date(epochMs).toISOString().replace("Z", "000Z");
}
