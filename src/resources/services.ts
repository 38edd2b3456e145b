import { AGENT_PORT } from "../model/agent-protocol.ts";
import { labels } from "../model/annotations.ts";
import { headlessServiceName, leaderServiceName, rpcServiceName, selectorLabels } from "../model/names.ts";
import type { Service } from "../model/objects.ts";
import { appPorts } from "./app.ts";
import { type Blueprint, ownedMetadata } from "./blueprint.ts";

interface NamedPort {
  readonly name: string;
  readonly port: number;
}

/** Gives every member its host name. Members must find each other before they are ready. */
export function headlessService(blueprint: Blueprint): Service {
  const { raft, p2p, rpc, metrics } = blueprint.intent.spec;
  const ports = [
    { name: "raft", port: raft.port },
    { name: "p2p", port: p2p.port },
    { name: "rpc", port: rpc.port },
    { name: "metrics", port: metrics.port },
    { name: "agent", port: AGENT_PORT },
  ];
  return service(blueprint, headlessServiceName(blueprint.name), ports, {
    clusterIP: "None",
    publishNotReadyAddresses: true,
  });
}

/**
 * Transactions go here: only the leader takes them. The role label alone decides, not readiness, so that a new
 * leader is served as soon as it is known.
 */
export function leaderService(blueprint: Blueprint): Service {
  const name = leaderServiceName(blueprint.name);
  const leader = service(blueprint, name, clientPorts(blueprint), { publishNotReadyAddresses: true });
  const selector = { ...selectorLabels(blueprint.name), [labels.role]: "leader" };
  return { ...leader, spec: { ...leader.spec, selector } };
}

/** Every member in sync, for reads. */
export function rpcService(blueprint: Blueprint): Service {
  return service(blueprint, rpcServiceName(blueprint.name), clientPorts(blueprint), {});
}

function clientPorts({ intent }: Blueprint): NamedPort[] {
  return [{ name: "rpc", port: intent.spec.rpc.port }, ...appPorts(intent.spec)];
}

function service(
  blueprint: Blueprint,
  name: string,
  ports: readonly NamedPort[],
  extra: NonNullable<Service["spec"]>,
): Service {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: ownedMetadata(blueprint, name),
    spec: {
      type: "ClusterIP",
      selector: selectorLabels(blueprint.name),
      ports: ports.map(({ name, port }) => ({ name, port, protocol: "TCP", targetPort: port })),
      ...extra,
    },
  };
}
