import type { KubeObject } from "../../src/model/kube-object.ts";
import type { Pod } from "../../src/model/objects.ts";
import type { KindRules } from "./kind-rules.ts";
import type { StoredMeta } from "./metadata.ts";
import { timestamp } from "./wire.ts";

export type Propagation = "Background" | "Foreground" | "Orphan";

export interface Deletion {
  readonly propagation: Propagation | undefined;
  readonly gracePeriodSeconds: number | undefined;
  readonly nowMs: number;
}

/** What a deletion makes of an object. */
export type Ending =
  /** It ends already, and not later than was asked for. */
  | { readonly kind: "pending" }
  | { readonly kind: "marked"; readonly object: KubeObject }
  /** Marked, so that watches see it, and removed at once. */
  | { readonly kind: "markedAndGone"; readonly object: KubeObject }
  | { readonly kind: "gone" };

/** The garbage collector takes them away when it is done with the dependents. */
export const FOREGROUND = "foregroundDeletion";
export const ORPHAN = "orphan";

const DEFAULT_GRACE_SECONDS = 30;

export function endingOf(object: KubeObject, rules: KindRules, deletion: Deletion): Ending {
  const grace: Grace = rules.endsGracefully ? graceOf(object, deletion) : { kind: "none" };
  if (grace.kind === "pending") return { kind: "pending" };
  const finalizers = finalizersOf(object.metadata, deletion.propagation);
  if (grace.kind === "none") {
    if (finalizers.length === 0) return { kind: "gone" };
    return { kind: "marked", object: marked(object, finalizers, dyingNow(object.metadata, deletion.nowMs)) };
  }
  const times = dyingWithin(object.metadata, grace.seconds, deletion.nowMs);
  const stays = finalizers.length > 0 || grace.seconds > 0;
  return { kind: stays ? "marked" : "markedAndGone", object: marked(object, finalizers, times) };
}

/** Whether an update has taken away the last thing that kept a deleted object. */
export function isReleased(before: KubeObject, after: KubeObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = before.metadata as StoredMeta;
  if (deletionTimestamp === undefined || deletionGracePeriodSeconds > 0) return false;
  return (after.metadata.finalizers ?? []).length === 0;
}

type Grace =
  | { readonly kind: "none" }
  | { readonly kind: "pending" }
  | { readonly kind: "seconds"; readonly seconds: number };

/** A pod on a node is ended by its kubelet, within its grace period; a deletion may only shorten one that runs. */
function graceOf(object: KubeObject, { gracePeriodSeconds: wanted }: Deletion): Grace {
  const { deletionTimestamp, deletionGracePeriodSeconds: running } = object.metadata as StoredMeta;
  if (deletionTimestamp === undefined) return { kind: "seconds", seconds: firstGraceSeconds(object, wanted) };
  if (running === undefined || running === 0) return { kind: "none" };
  if (wanted === undefined || wanted >= running) return { kind: "pending" };
  return { kind: "seconds", seconds: wanted };
}

function firstGraceSeconds(object: KubeObject, wanted: number | undefined): number {
  const { spec, status } = object as Pod;
  const hasEnded = status?.phase === "Failed" || status?.phase === "Succeeded";
  if (!spec?.nodeName || hasEnded) return 0;
  return wanted ?? spec.terminationGracePeriodSeconds ?? DEFAULT_GRACE_SECONDS;
}

type Times = Pick<StoredMeta, "deletionTimestamp" | "deletionGracePeriodSeconds" | "generation">;

function dyingWithin(before: StoredMeta, seconds: number, nowMs: number): Times {
  if (before.deletionTimestamp === undefined) {
    const times = {
      deletionTimestamp: timestamp(nowMs + seconds * 1000),
      deletionGracePeriodSeconds: seconds,
    };
    return { ...times, ...nextGeneration(before) };
  }
  // A shorter period counts from the first deletion, but does not end in the past.
  const startMs = Date.parse(before.deletionTimestamp) - (before.deletionGracePeriodSeconds ?? 0) * 1000;
  const endMs = startMs + seconds * 1000;
  if (endMs >= nowMs) return { deletionTimestamp: timestamp(endMs), deletionGracePeriodSeconds: seconds };
  return { deletionTimestamp: timestamp(nowMs), deletionGracePeriodSeconds: Math.min(seconds, 1) };
}

function dyingNow(before: StoredMeta, nowMs: number): Times {
  const { deletionTimestamp } = before;
  const isFirst = deletionTimestamp === undefined;
  const endMs = isFirst ? nowMs : Math.min(nowMs, Date.parse(deletionTimestamp));
  const times = { deletionTimestamp: timestamp(endMs), deletionGracePeriodSeconds: 0 };
  return isFirst ? { ...times, ...nextGeneration(before) } : times;
}

/** A deletion counts as a change of the spec, so that controllers see that they have not acted on it. */
function nextGeneration({ generation }: StoredMeta): Times {
  return generation === undefined ? {} : { generation: generation + 1 };
}

function finalizersOf(
  { finalizers = [] }: StoredMeta,
  propagation: Propagation | undefined,
): readonly string[] {
  const others = finalizers.filter((finalizer) => finalizer !== FOREGROUND && finalizer !== ORPHAN);
  switch (propagation) {
    case "Foreground":
      return [...others, FOREGROUND];
    case "Orphan":
      return [...others, ORPHAN];
    case "Background":
      return others;
    case undefined:
      return finalizers;
  }
}

function marked(object: KubeObject, finalizers: readonly string[], times: Times): KubeObject {
  const { finalizers: _, ...metadata } = object.metadata;
  const kept = finalizers.length === 0 ? {} : { finalizers };
  return { ...object, metadata: { ...metadata, ...times, ...kept } };
}
