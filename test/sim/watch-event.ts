import type { WatchEvent } from "../../src/kube/api.ts";
import type { KubeObject } from "../../src/model/kube-object.ts";
import type { Change } from "./versioned-store.ts";

/**
 * What a watch tells of a change: an object that enters the selection is added for it, and one that leaves it is
 * deleted, in its last selected state but with the version of the change.
 */
export function watchEventOf(
  { version, before, after }: Change,
  selects: (object: KubeObject) => boolean,
): WatchEvent<KubeObject> | undefined {
  const wasSelected = before !== undefined && selects(before);
  if (after !== undefined && selects(after)) {
    return { type: wasSelected ? "MODIFIED" : "ADDED", object: after };
  }
  if (!wasSelected) return undefined;
  const metadata = { ...before.metadata, resourceVersion: String(version) };
  return { type: "DELETED", object: { ...before, metadata } };
}
