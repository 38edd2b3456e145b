import { z } from "zod";
import { AGENT_PORT, fixed, TESTAPP_PORT } from "../fixed.ts";
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
} & {
  app?: { kind?: string | undefined; ports?: { port: number }[] | undefined } | undefined;
};

const appPortList = `self.?app.?ports.orValue([]).map(p, p.port)`;
const testappPort = `(self.?app.?kind.orValue('testapp') == 'testapp' ? [${TESTAPP_PORT}] : [])`;
const fixedPortList = portFields.map((f) => `self.?${f.section}.?port.orValue(${f.whenAbsent})`).join(", ");
const portList = `([${fixedPortList}, ${AGENT_PORT}] + ${testappPort} + ${appPortList})`;

const distinctPorts: Rule<Ports> = {
  cel: `${portList}.all(p, ${portList}.exists_one(q, p == q))`,
  message: `The ports of app, raft, p2p, rpc and metrics must differ from each other, from ${AGENT_PORT}, which the agent uses, and from ${TESTAPP_PORT} of testapp.`,
  holds: ({ app, ...spec }) => {
    const ports = [
      ...portFields.map(({ section, whenAbsent }) => spec[section]?.port ?? whenAbsent),
      AGENT_PORT,
      ...((app?.kind ?? "testapp") === "testapp" ? [TESTAPP_PORT] : []),
      ...(app?.ports ?? []).map(({ port }) => port),
    ];
    return new Set(ports).size === ports.length;
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
    ).exactOptional(),
  }),
  "When a member counts as ready.",
);

const topology = field(
  z.object({
    spread: choice(
      ["Preferred", "Required"],
      "Spreading of the members over nodes and zones. Preferred: as far as there is room. Required: never two members on one node.",
    ).exactOptional(),
  }),
  "Where the members run.",
);

export const spec = field(
  z.object({
    replicas: field(
      z.literal([3, 5, 7]),
      "Number of members: 3 survive the loss of one, 5 of two, 7 of three. Cannot change.",
      { keywords: { type: "integer", format: "int32" } },
    ).exactOptional(),
    image: field(
      z.string().min(1).max(512),
      "Image of the node. Name a tag that never moves, or a digest, so that all members run the same.",
      {
        rules: [
          matches("^[!-~]+$", "An image is named without spaces, such as ghcr.io/example/mychain:v1.2.3."),
        ],
      },
    ),
    imagePullPolicy: choice(["Always", "IfNotPresent", "Never"], "When the image is pulled.").exactOptional(),
    imagePullSecrets: imagePullSecrets.exactOptional(),
    app: app.exactOptional(),
    chain,
    signer: signer.exactOptional(),
    da,
    raft: raft.exactOptional(),
    p2p: p2p.exactOptional(),
    rpc: rpc.exactOptional(),
    metrics: metrics.exactOptional(),
    log: log.exactOptional(),
    storage,
    readiness: readiness.exactOptional(),
    networkPolicy: toggle(
      "Who may reach the members.",
      "Whether a NetworkPolicy keeps strangers from the members' ports. Raft's port has no authentication: switch this off only if something else guards it.",
    ).exactOptional(),
    disruptionBudget: toggle(
      "What drains of nodes may take.",
      "Whether a PodDisruptionBudget lets only one member at a time be evicted.",
    ).exactOptional(),
    topology: topology.exactOptional(),
    pod: pod.exactOptional(),
  }),
  "What the cluster should be.",
  { rules: [distinctPorts], transitions: immutableFields.map(unchanged) },
);
