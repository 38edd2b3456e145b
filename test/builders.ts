import type { Spec } from "../src/api/evnodecluster.ts";
import { parseCluster } from "../src/api/parse.ts";
import type { AgentAnswer } from "../src/model/agent-protocol.ts";
import { annotations, FINALIZER } from "../src/model/annotations.ts";
import type { Identity } from "../src/model/identity.ts";
import type { KubeObject } from "../src/model/kube-object.ts";
import type { Member, MemberClaim, MemberPod } from "../src/model/member.ts";
import { claimName, commonLabels, memberName } from "../src/model/names.ts";
import type { EvNodeClusterObject, StatefulSet } from "../src/model/objects.ts";
import { converge } from "../src/plan/converge.ts";
import { intentsOf } from "../src/plan/intent.ts";
import { makePlan } from "../src/plan/plan.ts";
import { blueprintOf } from "../src/plan/rendering.ts";
import { objectKey, type Snapshot } from "../src/plan/snapshot.ts";
import type { Plan } from "../src/plan/step.ts";
import { surroundings, workload } from "../src/resources/desired.ts";
import { configEntries } from "../src/resources/member-configs.ts";
import { briefAction } from "./brief.ts";

/** Objects with defaults, so that a test states only what matters to it. */

export const UID = "uid-of-the-cluster";
export const NOW_MS = Date.UTC(2026, 0, 1);

export const spec: Spec = {
  image: "example.org/testapp:1",
  chain: { id: "rollup-1" },
  da: { address: "http://local-da:7980" },
  storage: { size: "1Gi" },
};

/** What the spec of an EVM chain has besides. */
export const evm = {
  app: { kind: "evm" },
  execution: {
    image: "example.org/ev-reth:1",
    genesisConfigMap: { name: "evm-genesis", key: "genesis.json" },
    genesisHash: `0x${"2b".repeat(32)}`,
    feeRecipient: `0x${"fe".repeat(20)}`,
    storage: { size: "2Gi" },
  },
} as const satisfies Partial<Spec>;

interface ClusterShape {
  readonly metadata?: Partial<EvNodeClusterObject["metadata"]>;
  readonly spec?: Partial<Spec>;
  readonly status?: NonNullable<EvNodeClusterObject["status"]>;
}

export function cluster({ metadata, spec: fields, status }: ClusterShape = {}): EvNodeClusterObject {
  return {
    apiVersion: "evnode.dev/v1alpha1",
    kind: "EvNodeCluster",
    metadata: {
      name: "seq",
      namespace: "rollup",
      uid: UID,
      resourceVersion: "7",
      generation: 1,
      finalizers: [FINALIZER],
      ...metadata,
    },
    spec: { ...spec, ...fields },
    ...(status && { status }),
  };
}

const PEER_ID = "12D3KooWA4Xop1JaT3MHxwYMkCepYsv4iPVopMXwCz5iHYdBfeS";

export function identity(over: Partial<Identity> = {}): Identity {
  return {
    resourceVersion: "3",
    uid: "uid-of-the-identity",
    clusterId: "c1",
    chainId: "rollup-1",
    proposer: "cHJvcG9zZXI=",
    genesisDigest: "digest-of-the-genesis",
    peerIds: ["B", "C", "D", "E", "F", "G", "H"].map((last) => `${PEER_ID}${last}`),
    clusterDomain: "cluster.local",
    hasJwt: false,
    epoch: 1,
    bootstrapped: 1,
    membership: { replicas: 3, raftPort: 5001 },
    withdrawn: undefined,
    ...over,
  };
}

export const present = (over: Partial<Identity> = {}) =>
  ({ kind: "present", identity: identity(over) }) as const;

/** Another member as one member's agent sees it: on the ports that it has, at no known height. */
export function peer(name: string, over: Partial<AgentAnswer["peers"][number]> = {}) {
  const reached = { kind: "reached", rttMs: 1, ageMs: 100 } as const;
  return { name, raft: reached, p2p: reached, ...over };
}

export function answer(member: string, over: Partial<AgentAnswer> = {}): AgentAnswer {
  return {
    protocol: 1,
    version: "a.1",
    member,
    podUid: `uid-of-${member}`,
    clusterId: "c1",
    configRevision: "r1",
    prepare: { kind: "done" },
    volume: { kind: "intact", epoch: 1, started: true },
    node: { kind: "open", isLeader: false, height: 100 },
    peers: [0, 1, 2]
      .map((ordinal) => memberName("seq", ordinal))
      .filter((name) => name !== member)
      .map((name) => peer(name)),
    ready: { ok: true, message: "" },
    ...over,
  };
}

export function pod(name: string, over: Partial<MemberPod> = {}): MemberPod {
  return {
    uid: `uid-of-${name}`,
    resourceVersion: "11",
    ip: "10.0.0.1",
    node: `node-of-${name}`,
    revision: "seq-1",
    configRevision: "r1",
    image: spec.image,
    agentImage: "example.org/operator:1",
    containerId: `container-of-${name}`,
    agentContainerId: `agent-of-${name}`,
    startedAt: new Date(NOW_MS - 3_600_000).toISOString(),
    update: undefined,
    createdAt: new Date(NOW_MS - 3_600_000).toISOString(),
    readySince: new Date(NOW_MS - 3_600_000).toISOString(),
    object: { apiVersion: "v1", kind: "Pod", metadata: { name, namespace: "rollup" } },
    role: "follower",
    order: undefined,
    orderGivenAt: new Date(NOW_MS).toISOString(),
    labels: commonLabels("seq"),
    terminating: false,
    ready: true,
    scheduling: "scheduled",
    agent: { kind: "running", restarts: 0, lastExit: undefined },
    evnode: { kind: "running", restarts: 0, lastExit: undefined },
    execution: { kind: "absent" },
    ...over,
  };
}

export function claim(ordinal: number, over: Partial<MemberClaim> = {}): MemberClaim {
  return {
    uid: `uid-of-claim-${ordinal}`,
    resourceVersion: "5",
    phase: "Bound",
    terminating: false,
    volume: `pv-${ordinal}`,
    storageClass: "standard",
    epoch: 1,
    started: 1,
    ...over,
  };
}

export interface MemberShape {
  readonly pod?: Partial<MemberPod> | "none";
  readonly claim?: Partial<MemberClaim> | "none";
  /** Of its execution client's volume; absent unless it is given. */
  readonly executionClaim?: Partial<MemberClaim>;
  /** What its agent answers. */
  readonly says?: Partial<AgentAnswer> | "nothing";
}

/** A member that runs, follows and is well. */
export function member(ordinal: number, shape: MemberShape = {}): Member {
  const name = memberName("seq", ordinal);
  const isSilent = shape.says === "nothing" || shape.pod === "none";
  const says = shape.says === "nothing" ? {} : shape.says;
  return {
    ordinal,
    name,
    claimName: claimName("seq", ordinal),
    pod: shape.pod === "none" ? undefined : pod(name, shape.pod),
    claim: shape.claim === "none" ? undefined : claim(ordinal, shape.claim),
    executionClaim: shape.executionClaim && claim(ordinal, shape.executionClaim),
    report: isSilent
      ? { kind: "none", why: "no answer" }
      : { kind: "answered", atMs: 0, answer: answer(name, says) },
  };
}

/** Members by ordinal, all alike. */
export const members = (count: number, shape: MemberShape = {}) =>
  Array.from({ length: count }, (_, ordinal) => member(ordinal, shape));

const initializing = {
  kind: "waiting",
  reason: "PodInitializing",
  message: "",
  lastExit: undefined,
} as const;

/** What agents say. */
export const leads = { node: { kind: "open", isLeader: true, height: 100 } } as const;
export const isClosed = {
  node: { kind: "closed", metricsPortOpen: true, raftPortOpen: true, sinceMs: 1 },
} as const;
/** A member whose ev-node does not run yet, on this volume. */
export const has = (volume: AgentAnswer["volume"]) => ({
  pod: { role: undefined, ready: false, evnode: initializing },
  says: {
    node: { kind: "closed", metricsPortOpen: false, raftPortOpen: false, sinceMs: 1 },
    volume,
  } as const,
});
export const isEmpty = has({ kind: "empty" });
export const isPrepared = has({ kind: "intact", epoch: 1, started: false });

export function leader(ordinal: number): Member {
  return member(ordinal, { pod: { role: "leader" }, says: leads });
}

/** A cluster of three that runs well: member 0 leads, every object is as it should be. */
export function snapshot(over: Partial<Snapshot> = {}): Snapshot {
  const bare: Snapshot = {
    nowMs: NOW_MS,
    monotonicMs: 0,
    cluster: cluster(),
    parsed: parseCluster(over.cluster ?? cluster(), 1),
    settings: {
      agentImage: "example.org/operator:1",
      clusterDomain: "cluster.local",
      operatorNamespace: "operators",
      watchNamespace: undefined,
    },
    references: {
      signer: { kind: "notAsked" },
      genesis: { kind: "notAsked" },
      daAuthToken: { kind: "notAsked" },
      storageClass: { kind: "notAsked" },
      executionGenesis: { kind: "notAsked" },
    },
    identity: present(),
    chainLock: { kind: "ours" },
    statefulSet: undefined,
    objects: new Map(),
    members: [leader(0), member(1), member(2)],
    nonMembers: [],
    revisions: new Map(),
    rehearsals: [],
    isCertain: false,
    ...over,
  };
  return { ...converged(bare), ...over, parsed: bare.parsed };
}

/** A cluster that was just applied: nothing but the EvNodeCluster exists. */
export function justApplied(over: Partial<Snapshot> = {}): Snapshot {
  return snapshot({
    identity: { kind: "absent" },
    chainLock: { kind: "unknown" },
    statefulSet: undefined,
    objects: new Map(),
    members: members(3, { pod: "none", claim: "none" }),
    ...over,
  });
}

/** A cluster whose objects exist and whose members have never started; `shape` is how each of them is. */
export function unstarted(shape: MemberShape, over: Partial<Snapshot> = {}): Snapshot {
  const claim = { epoch: undefined, started: undefined };
  return snapshot({
    identity: present({ bootstrapped: undefined }),
    members: members(3, { claim, ...shape }),
    ...over,
  });
}

/** This snapshot with the objects that `applied` wants, as a server would hold them. */
export function converged(snapshot: Snapshot, applied: EvNodeClusterObject = cluster()): Snapshot {
  if (snapshot.identity.kind !== "present") return snapshot;
  const fresh = { ...snapshot, statefulSet: undefined, parsed: parseCluster(applied, 1) };
  const intents = intentsOf(fresh, snapshot.identity.identity);
  if (!intents?.configs) throw new Error("the applied cluster must be valid");
  const blueprint = blueprintOf(fresh, snapshot.identity.identity, intents.current);
  const around = surroundings(blueprint, configEntries(intents.configs)).map(({ object }) => stored(object));
  return {
    ...snapshot,
    statefulSet: seenByController(stored(workload(blueprint).object) as StatefulSet),
    objects: objectMap(around),
  };
}

/** This object with further annotations. */
export function withNotes<T extends KubeObject>(object: T, notes: Readonly<Record<string, string>>): T {
  const { metadata } = object;
  return { ...object, metadata: { ...metadata, annotations: { ...metadata.annotations, ...notes } } };
}

/** This snapshot as it is once the operator has written the configs that it wants. */
export function withConfigs(seen: Snapshot): Snapshot {
  const written = (converge(seen).stages ?? []).flat().flatMap((action) => {
    const isSecret = action.kind === "replace" && action.object.kind === "Secret";
    return isSecret ? [[objectKey("Secret", action.object.metadata.name), action.object] as const] : [];
  });
  return { ...seen, objects: new Map([...seen.objects, ...written]) };
}

/** The revision that `pod()` is of is the newest one. */
function seenByController(statefulSet: StatefulSet): StatefulSet {
  const status = { observedGeneration: 1, updateRevision: "seq-1" } as NonNullable<StatefulSet["status"]>;
  return { ...statefulSet, metadata: { ...statefulSet.metadata, generation: 1 }, status };
}

/** This snapshot with another text for the intent on its StatefulSet, or none at all. */
export function withIntent(snapshot: Snapshot, text: string | undefined): Snapshot {
  const { statefulSet } = snapshot;
  if (!statefulSet) throw new Error("the snapshot has a StatefulSet");
  const { [annotations.intent]: _, ...others } = statefulSet.metadata.annotations ?? {};
  const notes = text === undefined ? others : { ...others, [annotations.intent]: text };
  return {
    ...snapshot,
    statefulSet: { ...statefulSet, metadata: { ...statefulSet.metadata, annotations: notes } },
  };
}

export const objectMap = (objects: readonly KubeObject[]) =>
  new Map(objects.map((object) => [objectKey(object.kind, object.metadata.name), object]));

function stored<T extends KubeObject>(object: T): T {
  const { kind, metadata } = object;
  return {
    ...object,
    metadata: { ...metadata, uid: `uid-of-${kind}-${metadata.name}`, resourceVersion: "1" },
  };
}

/** A plan in short: decider by decider, stage by stage, what would be done to what. */
export function brief(plan: Plan): string[] {
  return plan.decided.flatMap(({ by, stages }) =>
    stages.map((stage) => `${by}: ${stage.map(briefAction).join(", ")}`),
  );
}

export const briefPlan = (snapshot: Snapshot): string[] => brief(makePlan(snapshot));
