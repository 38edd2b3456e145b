import { labels as keys } from "../model/annotations.ts";
import { answerOf, type Member } from "../model/member.ts";
import { commonLabels } from "../model/names.ts";
import type { Action } from "./actions.ts";
import { LABELS_CHANGED } from "./notices.ts";
import { leadership } from "./quorum.ts";
import type { Decider } from "./step.ts";

/**
 * Keeps the pods' labels: the role, which steers the leader Service, and those that somebody took off. The old
 * leader's label goes before the new one's comes, so that transactions never go to two members.
 */
export const labels: Decider = (snapshot) => {
  const { members, nonMembers, cluster } = snapshot;
  const known = leadership(members);
  const leader = known.kind === "one" ? known.leader : undefined;
  const down = members.flatMap((member) => takeDown(member, leader));
  const up = leader ? setRole(leader, "leader", "leads") : [];
  // Those that are to be members are found by their labels, too.
  const restored = [...members, ...nonMembers].flatMap((member) => restore(member, cluster.metadata.name));
  return { stages: [[...restored, ...down], up].filter((stage) => stage.length > 0) };
};

function takeDown(member: Member, leader: Member | undefined): Action[] {
  if (member === leader || !member.pod) return [];
  const answer = answerOf(member);
  const saysNo = answer?.node.kind === "open" && answer.node.isLeader === false;
  if (saysNo) return setRole(member, "follower", "follows");
  // Silence is no reason to take the label off, unless another member is known to lead.
  const isDown = answer?.node.kind === "closed" || member.pod.terminating;
  const labelled = member.pod.role !== undefined;
  if (labelled && (isDown || (leader !== undefined && member.pod.role === "leader"))) {
    return setRole(member, null, "does not lead");
  }
  return [];
}

function setRole(member: Member, role: "leader" | "follower" | null, why: string): Action[] {
  const { pod } = member;
  if (!pod || (pod.role ?? null) === role) return [];
  return [{ kind: "labelPod", member, pod, labels: { [keys.role]: role }, why: `${member.name} ${why}` }];
}

function restore(member: Member, cluster: string): Action[] {
  const { pod } = member;
  if (!pod || pod.terminating) return [];
  const missing = Object.entries(commonLabels(cluster)).filter(([key, value]) => pod.labels[key] !== value);
  if (missing.length === 0) return [];
  return [{ kind: "labelPod", member, pod, labels: Object.fromEntries(missing), why: LABELS_CHANGED }];
}
