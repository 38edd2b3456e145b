import * as z from "zod";
import { field } from "./field.ts";

const text = (max: number, description: string) => field(z.string().max(max), description).optional();

const count = (description: string) =>
  field(z.int32().min(0), description, { keywords: { format: "int32" } }).optional();

const height = (description: string) =>
  field(z.int().min(0), description, { keywords: { format: "int64" } }).optional();

/** What stands for an observed generation where there is no status yet: see `hack/generate-crd.ts`. */
export const NOT_LOOKED_AT = -1;

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
    "Missing: there is no pod. Waiting: the pod is not running yet. Preparing: the agent has not let ev-node start. Failed: ev-node, or a container beside it, cannot run.",
  ),
  ready: field(
    z.boolean(),
    "Whether the pod is ready: it follows the chain and reaches a majority.",
  ).optional(),
  height: height("Height of the member's last block."),
  blocksBehind: height("How many blocks the member is behind the highest one."),
  executionHeight: height("Height of the member's execution layer; only of an EVM chain."),
  configRevision: text(63, "Revision of the configuration that the member runs."),
  podRevision: text(63, "Revision of the pod template that the member runs."),
  peersReached: count("How many other members it reaches on the Raft port."),
  peerId: text(128, "Peer id of the member in the peer-to-peer network."),
  node: text(253, "Kubernetes node that the pod is on."),
  lastExit: text(2048, "The last line that ev-node wrote before it last ended."),
  lastExitReason: text(63, "What that line means, in a word of docs/exits.md; absent when it is not known."),
  message: text(1024, "What the member waits for, or what is wrong with it."),
});

const time = (description: string) =>
  field(z.string().max(35), description, { keywords: { format: "date-time" } }).optional();

const rolloutStep = z.object({
  member: field(z.string().max(63), "Name of the member."),
  way: oneOf(
    ["Restart", "Replace", "Relabel"],
    "Restart: ev-node is restarted in its pod. Replace: the pod is replaced. Relabel: nothing is restarted.",
  ),
  reason: text(1024, "Why it is at this place, and why it goes this way."),
  state: oneOf(["Waiting", "UnderWay", "Done"], "How far it is."),
});

const rollout = field(
  z.object({
    target: text(63, "Short digest of what the members are to run."),
    planHash: text(63, "Hash by which the plan is approved in mode Plan."),
    changes: list(z.string().max(256), 64, "Fields of the spec that are changed by it."),
    plan: list(rolloutStep, 16, "The members in the order in which they are to be updated.", "member"),
    next: text(63, "The member that is restarted now or next."),
    waitingFor: text(1024, "What the rollout waits for."),
    startedAt: time("When the change began to be taken to the members."),
    leaderChanges: count("How often the leader has changed since then."),
    longestGapMs: height("Longest time between two blocks around a change of the leader since then, in ms."),
    refused: text(1024, "Why this change was taken back, or is not begun."),
  }),
  "A change of the spec on its way to the members; absent when all of them run it.",
).optional();

const lastRollout = field(
  z.object({
    target: text(63, "Short digest of what was to be run."),
    result: oneOf(
      ["Completed", "Reverted"],
      "Reverted: a member did not come up with the change, so all went back.",
    ),
    changes: list(z.string().max(256), 64, "Fields of the spec that were changed."),
    startedAt: time("When it began."),
    finishedAt: time("When the last member took part again."),
    leaderChanges: count("How often the leader changed meanwhile."),
    longestGapMs: height("Longest time between two blocks around a change of the leader, in ms."),
    blocksMissed: count("How many blocks would have fitted into that time."),
  }),
  "The last change that was taken to the members.",
).optional();

const lastHandover = field(
  z.object({
    leader: text(63, "The member that took the lead."),
    at: time("When."),
    height: height("Height of the last block before the longest pause around it."),
    hash: text(128, "Hash of that block."),
    nextHash: text(128, "Hash of the block after it."),
    parentHash: text(
      128,
      "The parent that the block after it names: the same as hash, or the chain is forked.",
    ),
    gapMs: height("Time between the two blocks, in ms."),
    blocksMissed: count("How many blocks would have fitted into that time."),
  }),
  "The last change of the leader, as the new leader saw it.",
).optional();

const repairs = list(
  z.object({
    member: text(63, "The member."),
    order: text(128, "The order to its agent."),
    at: time("When it was ordered."),
    doneAt: time("When the member took part again."),
  }),
  8,
  "The last members that were rebuilt from the others, the newest one last.",
);
const lastDrill = field(
  z.object({
    request: text(63, "What was written into the annotation evnode.dev/drill to ask for it."),
    result: oneOf(
      ["UnderWay", "Succeeded", "Refused", "Failed"],
      "Refused: something spoke against it, and no member was touched. Failed: it was begun, and no handover was seen.",
    ),
    at: time("When it was begun, or refused."),
    from: text(63, "The member that led and stepped down."),
    to: text(63, "The member that leads since."),
    gapMs: height("Time between the last block before and the first one after, in ms."),
    blocksMissed: count("How many blocks would have fitted into that time."),
    message: text(1024, "What was seen, or what spoke against it."),
  }),
  "The last failover drill, or the one that is under way.",
).optional();

const suspension = field(
  z.object({
    suspendedAt: time("When the members were told to stop."),
    resumedAt: time("When they were told to start again; absent while the cluster is suspended."),
    height: height("Highest block that a member held then."),
    heads: list(
      z.object({
        member: field(z.string().max(63), "Name of the member."),
        height: height("Its last block."),
        hash: text(128, "Hash of that block."),
      }),
      16,
      "What every member held a moment before; of one that did not answer nothing.",
      "member",
    ),
  }),
  "The suspension of the cluster, or the last one.",
).optional();

const membership = field(
  z.object({
    epoch: count("Number of the membership that makes blocks."),
    nextEpoch: count(
      "What spec.membership.approvedEpoch has to be for a change of spec.replicas to be made.",
    ),
    lastChange: field(
      z.object({
        result: oneOf(
          ["UnderWay", "Completed", "TakingBack", "TakenBack"],
          "TakenBack: it did not come to its end in time, and the old members go on.",
        ),
        from: count("Number of members before."),
        to: count("Number of members after it."),
        epoch: count("The epoch that it began, or would have."),
        startedAt: time("When new members began to get the chain."),
        stoppedAt: time("When the old members were told to stop making blocks."),
        finishedAt: time("When all members of the new epoch took part, or the old ones went on."),
        height: height("Height of the last block of the old epoch."),
        hash: text(128, "Hash of that block."),
        gapMs: height("Longest time between two blocks around it, in ms."),
        message: text(1024, "Why it was taken back."),
      }),
      "The change of the number of members that is under way, or the last one.",
    ).optional(),
  }),
  "The membership, which changes with spec.replicas.",
).optional();

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

const roundTrip = {
  from: field(z.string().max(63), "The member that measures."),
  to: field(z.string().max(63), "The member whose Raft port answers."),
  rttMs: field(z.int32().min(1), "TCP round trip, in whole milliseconds, at least 1.", {
    keywords: { format: "int32" },
  }),
};

const network = field(
  z.object({
    maximum: field(z.object(roundTrip), "The longest round trip between two members.").optional(),
    roundTrips: list(
      z.object(roundTrip),
      42,
      "Round trips of every pair, in both directions. A figure stays while what is measured differs by at most 1 ms or 10 %.",
    ),
    asymmetric: list(
      z.object({
        ...roundTrip,
        backMs: field(z.int32().min(1), "The same, as the other member measures it.", {
          keywords: { format: "int32" },
        }),
      }),
      42,
      "Pairs of which one side measures at least 1.5 times as much as the other, and 5 ms more.",
    ),
    recommendedTiming: field(
      z.object({
        rttMax: text(32, "The spec.raft.rttMax that would take it: a step above the longest round trip."),
        heartbeatTimeout: text(32, "Heartbeat time-out by ev-node's formulas."),
        electionTimeout: text(32, "Election time-out by ev-node's formulas."),
        leaderLeaseTimeout: text(32, "Leader lease time-out by ev-node's formulas."),
        sendTimeout: text(32, "Send time-out by ev-node's formulas."),
      }),
      "The timing that ev-node's formulas give; the one in effect is status.effective.raftTiming. It is never taken by itself.",
    ).optional(),
    timingTooShortSince: time(
      "Since when the timing in effect has been too short for the longest round trip.",
    ),
  }),
  "The network between the members, as their agents measure it.",
).optional();

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

const raftLog = field(
  z.object({
    snapshotThreshold: count("Entries after which a snapshot is made."),
    trailingLogs: count("Entries kept after a snapshot."),
    absenceCovered: text(
      32,
      "How long a member may be away and still catch up from the log, at three entries for each block.",
    ),
  }),
  "How far Raft's log reaches back.",
).optional();

const effective = field(
  z.object({
    defaultsVersion: count("Version of the defaults, fixed when the cluster was created."),
    raftTiming: timing,
    raftLog,
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
    observedGeneration: field(
      z.int().min(NOT_LOOKED_AT),
      "Generation of the spec that this status is about; -1 before the operator has looked at it for the first time.",
      { keywords: { format: "int64" } },
    ).optional(),
    phase: oneOf(
      [
        "Pending",
        "Bootstrapping",
        "Levelling",
        "Suspended",
        "Running",
        "Updating",
        "Degraded",
        "Down",
        "Deleting",
        "Blocked",
      ],
      "The state in one word, for people. Programs should read the conditions.",
    ),
    leader: text(63, "Name of the member that leads; absent while none or more than one does."),
    lastLeader: text(63, "Name of the member that led last, also while none is known to lead."),
    height: height("Height of the highest block that a member reports, or reported last while none does."),
    leaderChangesLastHour: count(
      "How often a member took the lead within the last hour, as far as the members' agents have seen it.",
    ),
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
    network,
    updatedMembers: text(16, "Members that run what the spec asks for, of all, such as 2/3."),
    updatePending: list(
      z.string().max(256),
      64,
      "Fields whose change is not applied yet: it waits, or it was refused.",
    ),
    rollout,
    lastRollout,
    lastHandover,
    repairs,
    lastDrill,
    suspension,
    membership,
    retained,
    conditions: list(condition, 16, "What is known about the cluster.", "type"),
  }),
  "What the operator saw, and what it waits for.",
);
