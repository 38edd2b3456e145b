import * as z from "zod";
import { AGENT_PORT } from "../../model/agent-protocol.ts";
import { executionPorts, fixed, TESTAPP_PORT } from "../fixed.ts";
import { changeMessage, type ImmutableField, immutableFields } from "../immutable.ts";
import { app } from "./app.ts";
import { chain } from "./chain.ts";
import { da } from "./da.ts";
import { execution } from "./execution.ts";
import { field, present, type Rule, type TransitionRule } from "./field.ts";
import { membership } from "./membership.ts";
import { migration, migrationWithOrigin, migrationWithoutExecution } from "./migration.ts";
import { p2p, rpc } from "./network.ts";
import { pod } from "./pod.ts";
import { raft } from "./raft.ts";
import { repair } from "./repair.ts";
import { rollout } from "./rollout.ts";
import { choice, imageName, integer, objectName, toggle } from "./scalars.ts";
import { signer } from "./signer.ts";
import { pruning, storage } from "./storage.ts";
import { log, metrics, pprof, tracing } from "./telemetry.ts";

const portFields = [
  { section: "raft", whenAbsent: fixed.raftPort },
  { section: "p2p", whenAbsent: fixed.p2pPort },
  { section: "rpc", whenAbsent: fixed.rpcPort },
  { section: "metrics", whenAbsent: fixed.metricsPort },
] as const;

type Section = (typeof portFields)[number]["section"];

interface Ports extends Partial<Record<Section, { port?: number }>> {
  app?: { kind?: string; ports?: { port: number }[] };
}

const portOf = (path: readonly string[], whenAbsent: number) =>
  `(${present("self", path)} ? self.${path.join(".")} : ${whenAbsent})`;
const portList = `[${portFields.map((f) => portOf([f.section, "port"], f.whenAbsent)).join(", ")}, ${AGENT_PORT}]`;

const nodePorts = (ports: Ports): readonly number[] => [
  ...portFields.map(({ section, whenAbsent }) => ports[section]?.port ?? whenAbsent),
  AGENT_PORT,
];

const distinctPorts: Rule<Ports> = {
  cel: `${portList}.all(p, ${portList}.exists_one(q, p == q))`,
  message: `The ports of raft, p2p, rpc and metrics must differ from each other and from ${AGENT_PORT}, which the agent uses.`,
  holds: (spec) => new Set(nodePorts(spec)).size === nodePorts(spec).length,
};

const freeAppPorts: Rule<Ports> = {
  cel: `!(${present("self", ["app", "ports"])}) || self.app.ports.all(a, !(a.port in ${portList}))`,
  message: `The ports of app must differ from those of raft, p2p, rpc and metrics and from ${AGENT_PORT}, which the agent uses.`,
  holds: (spec) => !(spec.app?.ports ?? []).some(({ port }) => nodePorts(spec).includes(port)),
};

const freeTestappPort: Rule<Ports> = {
  cel: `(${present("self", ["app", "kind"])} && self.app.kind != 'testapp') || !(${TESTAPP_PORT} in ${portList})`,
  message: `Port ${TESTAPP_PORT} is where testapp takes transactions; use another for raft, p2p, rpc and metrics.`,
  holds: (spec) => (spec.app?.kind ?? "testapp") !== "testapp" || !nodePorts(spec).includes(TESTAPP_PORT),
};

const isEvm = `(${present("self", ["app", "kind"])} && self.app.kind == 'evm')`;

const executionOfEvm: Rule<Ports & { execution?: object }> = {
  cel: `${isEvm} == has(self.execution)`,
  message: "spec.execution is required when spec.app.kind is evm, and must be absent otherwise.",
  holds: ({ app: { kind } = {}, execution: given }) => (kind === "evm") === (given !== undefined),
};

const executionPortList = Object.values(executionPorts);

const freeExecutionPorts: Rule<Ports & { execution?: object }> = {
  cel: `!has(self.execution) || ![${executionPortList.join(", ")}].exists(p, p in ${portList})`,
  message: `Ports ${executionPortList.join(", ")} are the execution client's; use others for raft, p2p, rpc and metrics.`,
  holds: (spec) =>
    spec.execution === undefined || !executionPortList.some((port) => nodePorts(spec).includes(port)),
};

// Whoever gives a genesis has decided who proposes blocks; a generated key would never be that proposer.
const givenSigners = ["secretName", "awsKms", "gcpKms"] as const;
const serviceSigners = ["awsKms", "gcpKms"] as const;

interface Origin {
  chain: { genesis?: object };
  signer?: Partial<Record<(typeof givenSigners)[number], unknown>>;
}

const anySigner = (names: readonly string[]) =>
  names.map((name) => `(${present("self", ["signer", name])})`).join(" || ");

const genesisWithSigner: Rule<Origin> = {
  cel: `!has(self.chain.genesis) || ${anySigner(givenSigners)}`,
  message:
    "A genesis names the proposer of the chain, so spec.chain.genesis needs the proposer's key in spec.signer.secretName, or in a key management service.",
  holds: ({ chain, signer }) =>
    chain.genesis === undefined || givenSigners.some((name) => signer?.[name] !== undefined),
};

const serviceWithGenesis: Rule<Origin> = {
  cel: `has(self.chain.genesis) || !(${anySigner(serviceSigners)})`,
  message:
    "The operator cannot know the address of a key in a key management service, so spec.signer.awsKms and gcpKms need spec.chain.genesis, which names it as the proposer.",
  holds: ({ chain, signer }) =>
    chain.genesis !== undefined || serviceSigners.every((name) => signer?.[name] === undefined),
};

function unchanged(immutable: ImmutableField): TransitionRule {
  const { path, whenAbsent, section } = immutable;
  const at = path.join(".");
  const value = (root: string) =>
    whenAbsent === undefined ? `${root}.${at}` : `(${present(root, path)} ? ${root}.${at} : ${whenAbsent})`;
  const equal = `${value("self")} == ${value("oldSelf")}`;
  const [isPresent, wasPresent] = [present("self", path), present("oldSelf", path)];
  const same =
    whenAbsent === undefined ? `(${isPresent}) == (${wasPresent}) && (!(${isPresent}) || ${equal})` : equal;
  const cel =
    section === undefined ? same : `!(has(self.${section}) && has(oldSelf.${section})) || (${same})`;
  return { cel, message: changeMessage(immutable), at: path };
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
      "Spreading of the members over nodes and zones. Preferred: as far as there is room. Required: a member waits rather than making the spread uneven.",
    ).exactOptional(),
  }),
  "Where the members run.",
);

export const spec = field(
  z.object({
    replicas: field(
      z.literal([1, 3, 5, 7]),
      "Number of members: 3 survive the loss of one, 5 of two, 7 of three. 1 is a single sequencer, which runs without Raft and survives no loss. A change stops the chain for some seconds, so it is not made before spec.membership.approvedEpoch allows it.",
      { keywords: { type: "integer", format: "int32" } },
    ).exactOptional(),
    image: imageName(
      "Image of the node. Name a tag that never moves, or a digest, so that all members run the same.",
    ),
    membership: membership.exactOptional(),
    migration: migration.exactOptional(),
    imagePullPolicy: choice(["Always", "IfNotPresent", "Never"], "When the image is pulled.").exactOptional(),
    imagePullSecrets: imagePullSecrets.exactOptional(),
    app: app.exactOptional(),
    execution: execution.exactOptional(),
    chain,
    signer: signer.exactOptional(),
    da,
    raft: raft.exactOptional(),
    p2p: p2p.exactOptional(),
    rpc: rpc.exactOptional(),
    metrics: metrics.exactOptional(),
    tracing: tracing.exactOptional(),
    pprof: pprof.exactOptional(),
    log: log.exactOptional(),
    storage,
    pruning: pruning.exactOptional(),
    readiness: readiness.exactOptional(),
    rollout: rollout.exactOptional(),
    repair: repair.exactOptional(),
    suspend: field(
      z.boolean(),
      "Whether all members are stopped, in one step. Volumes, identity and chain lock stay, and the chain goes on where it was once this is false again.",
    ).exactOptional(),
    networkPolicy: toggle(
      "Who may reach the members.",
      "Whether a NetworkPolicy keeps strangers from the members' ports. Raft's port has no authentication: switch this off only if something else guards it.",
    ).exactOptional(),
    disruptionBudget: toggle(
      "What drains of nodes may take.",
      "Whether a PodDisruptionBudget lets only one member at a time be evicted. Where replicas is 1 there is none.",
    ).exactOptional(),
    topology: topology.exactOptional(),
    pod: pod.exactOptional(),
  }),
  "What the cluster should be.",
  {
    rules: [
      distinctPorts,
      freeAppPorts,
      freeTestappPort,
      executionOfEvm,
      freeExecutionPorts,
      genesisWithSigner,
      serviceWithGenesis,
      migrationWithOrigin,
      migrationWithoutExecution,
    ],
    transitions: immutableFields.map(unchanged),
  },
);
