import type { Condition, EvNodeCluster, MemberStatus, Status } from "../api/evnodecluster.ts";
import { ageOf } from "./age.ts";
import { conditionOf, healthOf, isKnown, isLookedAt } from "./health.ts";
import type { Paint } from "./paint.ts";
import { drillText, repairText, rolloutEndText } from "./past.ts";
import { rolloutBranch } from "./rollout-tree.ts";
import { renderTable } from "./table.ts";
import type { Branch } from "./tree.ts";

/** One cluster with its members, what is under way, and what was last. */
export function statusTree(cluster: EvNodeCluster, nowMs: number, paint: Paint): Branch {
  const { status } = cluster;
  if (status === undefined || !isKnown(cluster))
    return { text: titleOf(cluster, paint), children: [{ text: "No operator has looked at it yet." }] };
  return {
    text: titleOf(cluster, paint),
    children: [
      ...staleBranch(cluster, paint),
      chainBranch(status),
      membersBranch(status, paint),
      ...(status.rollout ? [rolloutBranch(status.rollout, paint)] : []),
      ...pendingBranch(status),
      ...networkBranch(status, paint),
      ...pastBranches(status, nowMs),
      ...troubleBranch(status, nowMs, paint),
    ],
  };
}

function titleOf(cluster: EvNodeCluster, paint: Paint): string {
  const { metadata, status } = cluster;
  const colour = { well: paint.good, notWell: paint.bad, unknown: paint.warn }[healthOf(cluster)];
  const ready = conditionOf(cluster, "Ready");
  const words = { True: "ready", False: "not ready", Unknown: "unknown" };
  const said = ready === undefined ? "unknown" : `${words[ready.status]} (${ready.reason})`;
  const phase = status?.phase === undefined ? "" : `, ${status.phase}`;
  return `${paint.strong(`${metadata.namespace}/${metadata.name}`)}  ${colour(said)}${phase}`;
}

function staleBranch(cluster: EvNodeCluster, paint: Paint): readonly Branch[] {
  if (isLookedAt(cluster)) return [];
  const text = "The spec was changed, and no operator has looked at it since; this is about the spec before.";
  return [{ text: paint.warn(text) }];
}

function chainBranch({ chainId, height, image, leaderChangesLastHour: changes }: Status): Branch {
  const told = [
    `chain     ${chainId ?? "not begun"}`,
    height === undefined ? "no block is known" : `height ${height}`,
    ...(image === undefined ? [] : [image]),
    ...(changes === undefined ? [] : [`${times(changes, "leader change")} within the hour`]),
  ];
  return { text: told.join(", ") };
}

function membersBranch(status: Status, paint: Paint): Branch {
  const { members = [], readyMembers = "unknown", quorum = "Unknown", leader } = status;
  const rows = renderTable(members.map((member) => memberRow(member, status, paint)));
  const children = members.map((member, index) => {
    const text = rows[index] ?? member.name;
    return { text, children: troubleOf(member, paint) };
  });
  const who = leader === undefined ? paint.bad("nobody is known to lead") : `${leader} leads`;
  return { text: `members   ${readyMembers} ready, ${who}, quorum ${quorum}`, children };
}

function memberRow(member: MemberStatus, status: Status, paint: Paint): readonly string[] {
  const { name, role = "Unknown", state = "unknown", ready, height, blocksBehind, node } = member;
  const readiness =
    ready === undefined ? paint.warn("readiness unknown") : ready ? "ready" : paint.bad("not ready");
  const lag = blocksBehind === undefined ? "lag unknown" : `${blocksBehind} behind`;
  return [
    name,
    role === "Leader" ? paint.strong(role) : role,
    state,
    readiness,
    height === undefined ? "height unknown" : `height ${height}`,
    lag,
    rttOf(member, status),
    node === undefined ? "no node" : `on ${node}`,
  ];
}

/** From the leader to this one; what the leader of the moment has not measured is not known. */
function rttOf({ name }: MemberStatus, { leader, network }: Status): string {
  if (name === leader) return "-";
  const found = network?.roundTrips?.find(({ from, to }) => from === leader && to === name);
  return found === undefined ? "RTT unknown" : `RTT ${found.rttMs} ms`;
}

function troubleOf({ message, lastExitReason, ready }: MemberStatus, paint: Paint): readonly Branch[] {
  const exit = lastExitReason === undefined ? [] : [{ text: paint.dim(`last exit: ${lastExitReason}`) }];
  if (message === undefined || message === "") return exit;
  return [{ text: ready === true ? paint.dim(message) : paint.warn(message) }, ...exit];
}

function pendingBranch({ updatePending = [] }: Status): readonly Branch[] {
  return updatePending.length === 0 ? [] : [{ text: `pending   ${updatePending.join(", ")}` }];
}

function networkBranch({ network, conditions = [] }: Status, paint: Paint): readonly Branch[] {
  const { maximum, asymmetric = [], recommendedTiming } = network ?? {};
  if (maximum === undefined) return [{ text: "network   no round trip was measured yet" }];
  const fits = conditions.find(({ type }) => type === "TimingFits")?.status;
  const fit = { True: "the timing fits", False: paint.warn("the timing is too short"), Unknown: "" }[
    fits ?? "Unknown"
  ];
  const told = [
    `network   longest round trip ${maximum.rttMs} ms (${maximum.from} to ${maximum.to})`,
    ...(fit === "" ? [] : [fit]),
    ...(recommendedTiming?.rttMax === undefined ? [] : [`recommended rttMax ${recommendedTiming.rttMax}`]),
  ];
  const children = asymmetric.map(({ from, to, rttMs, backMs }) => ({
    text: paint.warn(`${from} measures ${rttMs} ms to ${to}, which measures ${backMs} ms back`),
  }));
  return [{ text: told.join(", "), children }];
}

function pastBranches({ lastRollout, lastDrill, repairs = [] }: Status, nowMs: number): readonly Branch[] {
  const repair = repairs.at(-1);
  return [
    ...(lastRollout ? [{ text: `last rollout  ${rolloutEndText(lastRollout, nowMs)}` }] : []),
    ...(lastDrill ? [{ text: `last drill    ${drillText(lastDrill, nowMs)}` }] : []),
    ...(repair ? [{ text: `last repair   ${repairText(repair, nowMs)}` }] : []),
  ];
}

/** Good when false, where others are good when true. */
const goodWhenFalse = ["Reconciling", "Stalled"];

export function isWell({ type, status }: Condition): boolean {
  return status === (goodWhenFalse.includes(type) ? "False" : "True");
}

function troubleBranch({ conditions = [] }: Status, nowMs: number, paint: Paint): readonly Branch[] {
  const children = conditions
    .filter((condition) => !isWell(condition))
    .map((condition) => {
      const { type, status, reason, message, lastTransitionTime } = condition;
      const colour = status === "Unknown" || type === "Reconciling" ? paint.warn : paint.bad;
      return {
        text: `${colour(`${type} is ${status}`)} for ${ageOf(lastTransitionTime, nowMs)}, ${reason}: ${message}`,
      };
    });
  return children.length === 0 ? [] : [{ text: "not well", children }];
}

const times = (count: number, what: string) => `${count} ${what}${count === 1 ? "" : "s"}`;
