import { LEAST_ROUND_TRIPS } from "../model/agent-protocol.ts";
import type { Findings, NodeFinding, Reach } from "./findings.ts";
import type { Trouble } from "./path-trouble.ts";
import type { Readiness } from "./readiness.ts";

/**
 * What is known without all that moves by itself: heights, ages, round-trip times, and texts that name them. Only a
 * change of this is news.
 */
export type Meaning = ReadonlyMap<string, string>;

export function meaningOf(findings: Findings, ready: Readiness): Meaning {
  const { prepare, volume } = findings;
  return new Map([
    ["clusterId", findings.clusterId ?? ""],
    ["configRevision", findings.configRevision ?? ""],
    // Nothing in this text moves by itself, and another reason is another thing to do.
    ["pendingConfig", findings.pendingConfig?.message ?? ""],
    ["restartToken", findings.restartToken ?? ""],
    ["genesis", findings.genesis ?? ""],
    ["voters", findings.voters ?? ""],
    ["executedOrder", findings.executedOrder ?? ""],
    ["refusedOrder", findings.refusedOrder === undefined ? "" : (findings.refusedOrder.id ?? "malformed")],
    ["prepare", prepareMeaning(prepare)],
    ["volume", volumeMeaning(volume)],
    ["settled", findings.isSettled ? "settled" : ""],
    ["mode", findings.mode?.kind ?? ""],
    ["node", nodeMeaning(findings.node)],
    ["execution", executionMeaning(findings.execution)],
    ...findings.peers.flatMap(
      ({ name, raft, raftTrouble, p2p, p2pTrouble, roundTrips }): [string, string][] => [
        [`raft ${name}`, pathMeaning(raft, raftTrouble)],
        [`p2p ${name}`, pathMeaning(p2p, p2pTrouble)],
        [`round trips ${name}`, roundTrips.length >= LEAST_ROUND_TRIPS ? "measured" : ""],
      ],
    ),
    ["handover", handoverMeaning(findings.handover)],
    ["ready", ready.ok ? "ready" : "notReady"],
  ]);
}

function prepareMeaning(prepare: Findings["prepare"]): string {
  if (prepare.kind === "waiting") return `waiting for ${prepare.for}`;
  return prepare.kind === "refused" ? `refused ${prepare.reason}` : prepare.kind;
}

function volumeMeaning(volume: Findings["volume"]): string {
  if (volume.kind !== "intact") return volume.kind;
  const { started, change } = volume;
  const way = change === undefined ? [] : [change.kind === "frozen" ? `frozen to ${change.to}` : "joining"];
  const prepared = change?.prepared === true ? ["prepared"] : [];
  const copy = change?.kind === "joining" ? change.copy : undefined;
  const copied = copy ? [copy.proven ? "a proven copy" : copy.head ? "a copy that was read" : "a copy"] : [];
  return [`intact ${started ? "started" : "new"}`, ...way, ...prepared, ...copied].join(", ");
}

function nodeMeaning(node: NodeFinding): string {
  if (node.kind === "closed") {
    return `closed, metrics ${node.metricsPortOpen ? "open" : "closed"}, raft ${node.raftPortOpen ? "open" : "closed"}`;
  }
  const role = node.isLeader === undefined ? "of unknown role" : node.isLeader ? "leader" : "follower";
  return ["open", role, node.peerId, node.daNamespace].filter((part) => part !== undefined).join(", ");
}

function executionMeaning(execution: Findings["execution"]): string {
  if (execution === undefined) return "";
  const answers = execution.height === undefined ? "never answered" : "has answered";
  return `${answers}, engine ${execution.engine}`;
}

const pathMeaning = ({ kind }: Reach, trouble: Trouble | undefined) =>
  trouble?.lasts === true ? `${kind} for long` : kind;

function handoverMeaning(handover: Findings["handover"]): string {
  return handover === undefined ? "" : `after block ${handover.lastHeight} ${handover.lastHash}`;
}

/** What is different, as `before -> after`; empty when nothing is. */
export function changesOf(before: Meaning, after: Meaning): Readonly<Record<string, string>> {
  const changes: Record<string, string> = {};
  for (const key of new Set([...before.keys(), ...after.keys()])) {
    const [was = "", is = ""] = [before.get(key), after.get(key)];
    if (was !== is) changes[key] = `${was || "none"} -> ${is || "none"}`;
  }
  return changes;
}
