import { z } from "zod";
import { AGENT_PORT, fixed } from "../fixed.ts";
import { changeMessage, type ImmutableField, immutableFields } from "../immutable.ts";
import { app } from "./app.ts";
import { chain, da, signer } from "./chain.ts";
import { field, matches, type Rule, type TransitionRule } from "./field.ts";
import { log, metrics, p2p, rpc } from "./network.ts";
import { pod } from "./pod.ts";
import { raft } from "./raft.ts";
import { choice, integer, objectName, toggle } from "./scalars.ts";
import { storage } from "./storage.ts";

const portFields = [
  { section: "raft", whenAbsent: fixed.raftPort },
  { section: "p2p", whenAbsent: fixed.p2pPort },
  { section: "rpc", whenAbsent: fixed.rpcPort },
  { section: "metrics", whenAbsent: fixed.metricsPort },
] as const;

type Ports = {
  [section in (typeof portFields)[number]["section"]]?: { port?: number | undefined } | undefined;
};

const portList = `[${portFields.map((f) => `self.?${f.section}.?port.orValue(${f.whenAbsent})`).join(", ")}, ${AGENT_PORT}]`;

const distinctPorts: Rule<Ports> = {
  cel: `${portList}.all(p, ${portList}.exists_one(q, p == q))`,
  message: `The ports of raft, p2p, rpc and metrics must differ from each other and from ${AGENT_PORT}, which the agent uses.`,
  holds: (spec) => {
    const ports = portFields.map(({ section, whenAbsent }) => spec[section]?.port ?? whenAbsent);
    return new Set([...ports, AGENT_PORT]).size === portFields.length + 1;
  },
};

// Optional selection makes absent equal to absent only, so the rule holds in both directions.
function unchanged(immutable: ImmutableField): TransitionRule {
  const { path, whenAbsent } = immutable;
  const value = (root: string) =>
    `${root}.?${path.join(".?")}${whenAbsent === undefined ? "" : `.orValue(${whenAbsent})`}`;
  return { cel: `${value("self")} == ${value("oldSelf")}`, message: changeMessage(immutable), at: path };
}

const imagePullSecrets = field(
  z.array(z.object({ name: objectName("Name of the Secret, in the namespace of the cluster.") })).max(8),
  "Secrets with which the image is pulled.",
  { keywords: { "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"] } },
);

const readiness = field(
  z.object({
    maxBlocksBehind: integer(
      1,
      1_000_000,
      "A member counts as ready while it is at most this many blocks behind the best member it reaches.",
    ).optional(),
  }),
  "When a member counts as ready.",
);

const topology = field(
  z.object({
    spread: choice(
      ["Preferred", "Required"],
      "Spreading of the members over nodes and zones. Preferred: as far as there is room. Required: never two members on one node.",
    ).optional(),
  }),
  "Where the members run.",
);

export const spec = field(
  z.object({
    replicas: field(
      z.literal([3, 5, 7]),
      "Number of members: 3 survive the loss of one, 5 of two, 7 of three. Cannot change.",
      { keywords: { type: "integer", format: "int32" } },
    ).optional(),
    image: field(
      z.string().min(1).max(512),
      "Image of the node. Name a tag that never moves, or a digest, so that all members run the same.",
      {
        rules: [
          matches("^[!-~]+$", "An image is named without spaces, such as ghcr.io/example/mychain:v1.2.3."),
        ],
      },
    ),
    imagePullPolicy: choice(["Always", "IfNotPresent", "Never"], "When the image is pulled.").optional(),
    imagePullSecrets: imagePullSecrets.optional(),
    app: app.optional(),
    chain,
    signer: signer.optional(),
    da,
    raft: raft.optional(),
    p2p: p2p.optional(),
    rpc: rpc.optional(),
    metrics: metrics.optional(),
    log: log.optional(),
    storage,
    readiness: readiness.optional(),
    networkPolicy: toggle(
      "Who may reach the members.",
      "Whether a NetworkPolicy keeps strangers from the members' ports. Raft's port has no authentication: switch this off only if something else guards it.",
    ).optional(),
    disruptionBudget: toggle(
      "What drains of nodes may take.",
      "Whether a PodDisruptionBudget lets only one member at a time be evicted.",
    ).optional(),
    topology: topology.optional(),
    pod: pod.optional(),
  }),
  "What the cluster should be.",
  { rules: [distinctPorts], transitions: immutableFields.map(unchanged) },
);
