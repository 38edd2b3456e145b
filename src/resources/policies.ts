import type { CompleteSpec } from "../api/complete-spec.ts";
import { executionPorts } from "../api/fixed.ts";
import { AGENT_PORT } from "../model/agent-protocol.ts";
import { labels } from "../model/annotations.ts";
import { disruptionBudgetName, networkPolicyName, selectorLabels } from "../model/names.ts";
import type { NetworkPolicy, PodDisruptionBudget } from "../model/objects.ts";
import { appPorts } from "./app.ts";
import { type Blueprint, ownedMetadata } from "./blueprint.ts";

/**
 * Nothing of a single sequencer can stay while it goes: a budget would either allow every drain or keep its node from
 * being drained at all. A drain moves it as an update does, and no block is made meanwhile.
 */
export const hasDisruptionBudget = ({ disruptionBudget: { enabled }, replicas }: CompleteSpec): boolean =>
  enabled && replicas > 1;

/**
 * At most one member away at a time. `IfHealthyBudget` and never `AlwaysAllow`, which would let a drain take
 * every voter that is not ready.
 */
export function disruptionBudget(blueprint: Blueprint): PodDisruptionBudget {
  return {
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata: ownedMetadata(blueprint, disruptionBudgetName(blueprint.name)),
    spec: {
      maxUnavailable: 1,
      selector: { matchLabels: selectorLabels(blueprint.name) },
      unhealthyPodEvictionPolicy: "IfHealthyBudget",
    },
  };
}

/** The raft port has no authentication: a stranger on it can erase logs. */
export function networkPolicy(blueprint: Blueprint): NetworkPolicy {
  const { raft, p2p, rpc, metrics, execution } = blueprint.intent.spec;
  const executionMetrics = execution ? [executionPorts.metrics] : [];
  const members = { podSelector: { matchLabels: selectorLabels(blueprint.name) } };
  const sameNamespace = { podSelector: {} };
  const operator = {
    namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": blueprint.operatorNamespace } },
    podSelector: { matchLabels: { [labels.name]: "evnode-operator" } },
  };
  const strangersDial = p2p.extraPeers.length > 0;
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: ownedMetadata(blueprint, networkPolicyName(blueprint.name)),
    spec: {
      podSelector: { matchLabels: selectorLabels(blueprint.name) },
      policyTypes: ["Ingress"],
      ingress: [
        { from: [members], ports: tcp(raft.port, ...(strangersDial ? [] : [p2p.port])) },
        ...(strangersDial ? [{ ports: tcp(p2p.port) }] : []),
        { from: [members, operator], ports: tcp(AGENT_PORT) },
        {
          from: [sameNamespace, operator],
          ports: tcp(
            rpc.port,
            metrics.port,
            ...appPorts(blueprint.intent.spec).map(({ port }) => port),
            ...executionMetrics,
          ),
        },
      ],
    },
  };
}

function tcp(...ports: number[]) {
  return ports.map((port) => ({ protocol: "TCP" as const, port }));
}
