import type { Recorded } from "./recorded-watch.ts";
import type { EndpointSlice } from "./role-timeline.ts";

/** Where a Service led between two moments, by what its slices called ready, in milliseconds. */
export interface ServiceGap {
  readonly toNobodyMs: number;
  /** To another pod than the one it should. */
  readonly toAnotherMs: number;
}

export function serviceGap(
  slices: readonly Recorded<EndpointSlice>[],
  pod: string,
  { fromMs, untilMs }: { readonly fromMs: number; readonly untilMs: number },
): ServiceGap {
  const ready = new Map<string, readonly string[]>();
  let [toNobodyMs, toAnotherMs] = [0, 0];
  let lastMs = fromMs;
  const count = (toMs: number) => {
    const passedMs = Math.min(toMs, untilMs) - lastMs;
    if (passedMs <= 0) return;
    const pods = [...ready.values()].flat();
    if (pods.length === 0) toNobodyMs += passedMs;
    else if (pods.some((one) => one !== pod)) toAnotherMs += passedMs;
    lastMs += passedMs;
  };
  for (const { type, object, atMs } of slices) {
    count(atMs);
    const targets = (object.endpoints ?? []).filter(({ conditions }) => conditions?.ready !== false);
    const names = targets.map(({ targetRef }) => targetRef?.name ?? "");
    ready.set(object.metadata.name, type === "DELETED" ? [] : names);
  }
  count(untilMs);
  return { toNobodyMs, toAnotherMs };
}
