import { labels, REHEARSAL_NAME } from "../model/annotations.ts";
import { keyOf } from "../model/kube-object.ts";
import type { Pod } from "../model/objects.ts";
import type { Agents } from "./agents.ts";

/** Keeps a long poll to the agent of every member pod that has an address. */
export function followPod(agents: Agents, { metadata, status }: Pod, isGone: boolean): void {
  const { uid: podUid = "", namespace = "" } = metadata;
  const name = metadata.labels?.[labels.cluster];
  const isOver = status?.phase === "Succeeded" || status?.phase === "Failed";
  const ip = status?.podIP;
  if (metadata.labels?.[labels.name] === REHEARSAL_NAME) return;
  if (isGone || isOver || name === undefined || !ip) agents.unfollow(podUid);
  else agents.follow({ podUid, ip, clusterKey: keyOf({ namespace, name }) });
}
