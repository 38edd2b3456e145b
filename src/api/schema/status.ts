import * as z from "zod";
import { field } from "./field.ts";

const text = (max: number, description: string) => field(z.string().max(max), description).optional();

const count = (description: string) =>
  field(z.int32().min(0), description, { keywords: { format: "int32" } }).optional();

const height = (description: string) =>
  field(z.int().min(0), description, { keywords: { format: "int64" } }).optional();

const oneOf = <const T extends readonly string[]>(values: T, description: string) =>
  field(z.enum(values), description).optional();

const list = <S extends z.ZodType>(item: S, maxItems: number, description: string, key?: string) =>
  field(z.array(item).max(maxItems), description, {
    keywords:
      key === undefined
        ? { "x-kubernetes-list-type": "atomic" }
        : { "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [key] },
  }).optional();

const member = z.object({
  name: field(z.string().max(63), "Name of the member, which is the name of its pod."),
  role: oneOf(["Leader", "Follower", "Unknown"], "Role in Raft; Unknown when the member did not answer."),
  state: oneOf(
    ["Waiting", "Preparing", "Running", "Failed", "Terminating", "Missing"],
    "Missing: there is no pod. Waiting: the pod is not running yet. Preparing: the agent has not let ev-node start. Failed: ev-node ends again and again.",
  ),
  ready: field(
    z.boolean(),
    "Whether the pod is ready: it follows the chain and reaches a majority.",
  ).optional(),
  height: height("Height of the member's last block."),
  blocksBehind: height("How many blocks the member is behind the highest one."),
  configRevision: text(63, "Revision of the configuration that the member runs."),
  podRevision: text(63, "Revision of the pod template that the member runs."),
  peersReached: count("How many other members it reaches on the Raft port."),
  peerId: text(128, "Peer id of the member in the peer-to-peer network."),
  node: text(253, "Kubernetes node that the pod is on."),
  lastExit: text(2048, "The last line that ev-node wrote before it last ended."),
  message: text(1024, "What the member waits for, or what is wrong with it."),
});

const condition = z.object({
  type: field(z.string().min(1).max(63), "Type of the condition."),
  status: field(z.enum(["True", "False", "Unknown"]), "Whether the condition holds."),
  reason: field(z.string().min(1).max(63), "Why, in one word. All reasons are documented in the reference."),
  message: field(z.string().max(4096), "Why, in words."),
  observedGeneration: height("Generation of the spec that the condition is about."),
  lastTransitionTime: field(z.string().max(35), "When status last changed.", {
    keywords: { format: "date-time" },
  }),
});

const timing = field(
  z.object({
    source: oneOf(["Default", "RttMax", "Spec"], "Where the time-outs come from."),
    heartbeatTimeout: text(32, "Heartbeat time-out in effect."),
    electionTimeout: text(32, "Election time-out in effect."),
    leaderLeaseTimeout: text(32, "Leader lease time-out in effect."),
    sendTimeout: text(32, "Send time-out in effect."),
  }),
  "Raft's time-outs.",
).optional();

const effective = field(
  z.object({
    defaultsVersion: count("Version of the defaults, fixed when the cluster was created."),
    raftTiming: timing,
    daNamespace: text(128, "Namespace on the data availability layer."),
  }),
  "Values in effect that the spec need not name.",
).optional();

const retained = field(
  z.object({
    claims: list(z.string().max(253), 16, "Volume claims that stay when the cluster is deleted."),
    identity: text(
      253,
      "Secret with the signer, node keys and genesis, which stays when the cluster is deleted.",
    ),
  }),
  "What stays when the cluster is deleted.",
).optional();

export const status = field(
  z.object({
    observedGeneration: height("Generation of the spec that this status is about."),
    phase: oneOf(
      ["Pending", "Bootstrapping", "Levelling", "Running", "Degraded", "Down", "Deleting", "Blocked"],
      "The state in one word, for people. Programs should read the conditions.",
    ),
    leader: text(63, "Name of the member that leads; absent while none or more than one does."),
    height: height("Height of the highest block that a member reports."),
    readyMembers: text(16, "Members that are ready, of all, such as 3/3."),
    replicas: count("Number of members."),
    quorum: oneOf(
      ["Healthy", "AtRisk", "Lost", "Unknown"],
      "Healthy: a majority remains if one member is lost. AtRisk: one more loss stops the chain, or a majority shares a node. Lost: no majority.",
    ),
    chainId: text(64, "Chain id of the genesis in use."),
    proposerAddress: text(128, "Proposer of the chain, in base64: the address of the signer."),
    image: text(512, "Image that the members run."),
    members: list(member, 16, "The members, by ordinal.", "name"),
    effective,
    updatePending: list(z.string().max(256), 64, "Fields whose change has not reached the members yet."),
    retained,
    conditions: list(condition, 16, "What is known about the cluster.", "type"),
  }),
  "What the operator saw, and what it waits for.",
);
