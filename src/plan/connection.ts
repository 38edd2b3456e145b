import type { Finding } from "../api/conditions.ts";
import { type Path, type PathState, type Port, pathsBetween, stateOf } from "./paths.ts";
import { soleOf } from "./quorum.ts";
import type { Snapshot } from "./snapshot.ts";
import { appliedIntent } from "./stored-intent.ts";

type Trouble = Extract<PathState, "blocked" | "refused" | "unresolved">;

/** The gravest first. */
const troubles = ["blocked", "unresolved", "refused"] as const satisfies readonly Trouble[];

const reasons = {
  blocked: "PathBlocked",
  unresolved: "NameUnresolved",
  refused: "PathRefused",
} as const satisfies Record<Trouble, Finding<"Connected">["reason"]>;

/** Which members reach which, on the ports that they need of each other. Names every pair that is in trouble. */
export function connectionFinding(snapshot: Snapshot): Finding<"Connected"> {
  const paths = pathsBetween(snapshot.members);
  const found = (reason: Finding<"Connected">["reason"], message: string) => {
    return { type: "Connected", reason, message } as const;
  };
  const bad = troubles.filter((trouble) => paths.some((path) => stateOf(path) === trouble));
  const [worst] = bad;
  if (worst !== undefined) return found(reasons[worst], troubleMessage(snapshot, paths, bad));
  if (snapshot.members.length === 0) return found("PathsUnknown", "There are no members yet.");
  const unknown = paths.filter((path) => stateOf(path) === "unknown");
  if (unknown.length > 0)
    return found("PathsUnknown", `Not known are the paths ${pairNames(unknown).join(", ")}.`);
  if (soleOf(snapshot.members)) return found("PathsOpen", "A single member needs no path to another.");
  return found("PathsOpen", "Every member can reach every other one on the Raft and the P2P port.");
}

function troubleMessage(snapshot: Snapshot, paths: readonly Path[], bad: readonly Trouble[]): string {
  const { namespace = "default" } = snapshot.cluster.metadata;
  const names = portNames(snapshot);
  const describe = {
    blocked: (which: readonly Path[]) =>
      `Blocked, no answer, as behind a firewall or a NetworkPolicy: ${withPorts(which, names)}. Look at what lies between them, first at: kubectl get networkpolicies -n ${namespace}.`,
    unresolved: (which: readonly Path[]) =>
      `The name of the other member has no address, or that of another pod: ${pairNames(which).join(", ")}. Look at the cluster's DNS, and at: kubectl get endpointslices -n ${namespace}.`,
    refused: (which: readonly Path[]) =>
      `Refused, nothing listens although ev-node runs there, or a firewall rejects: ${withPorts(which, names)}.`,
  };
  return bad.map((trouble) => describe[trouble](paths.filter((path) => stateOf(path) === trouble))).join(" ");
}

type PortNames = Readonly<Record<Port, string>>;

function portNames({ statefulSet }: Snapshot): PortNames {
  const spec = appliedIntent(statefulSet)?.spec;
  const withNumber = (name: string, port: number | undefined) => (port ? `${name} ${port}` : name);
  return { raft: withNumber("Raft port", spec?.raft.port), p2p: withNumber("P2P port", spec?.p2p.port) };
}

const pairName = ({ from, to }: Path) => `${from} to ${to}`;

const pairNames = (paths: readonly Path[]) => [...new Set(paths.map(pairName))];

function withPorts(paths: readonly Path[], names: PortNames): string {
  const ports = (pair: string) =>
    paths.filter((path) => pairName(path) === pair).map(({ port }) => names[port]);
  return pairNames(paths)
    .map((pair) => `${pair} on ${ports(pair).join(" and ")}`)
    .join(", ");
}
