import { kinds } from "../../src/model/kinds.ts";
import type { Pod } from "../../src/model/objects.ts";
import type { Session } from "./session.ts";

/** A set of members, ours or the yardstick's. */
export interface Members {
  readonly namespace: string;
  readonly selector: string;
  readonly count: number;
}

export async function podsOf(
  { api }: Pick<Session, "api">,
  { namespace, selector }: Members,
): Promise<readonly Pod[]> {
  const { items } = await api.list(kinds.pod, { namespace, labelSelector: selector, resourceVersion: "0" });
  return items.toSorted((one, other) => (one.metadata.name < other.metadata.name ? -1 : 1));
}

export function isReady({ status, metadata }: Pod): boolean {
  if (metadata.deletionTimestamp !== undefined) return false;
  return (status?.conditions ?? []).some(({ type, status: value }) => type === "Ready" && value === "True");
}
