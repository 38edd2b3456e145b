import type { Spec, Status } from "../src/api/evnodecluster.ts";
import { parseCluster } from "../src/api/parse.ts";
import { type AgentAnswer, orderSchema } from "../src/model/agent-protocol.ts";
import { annotations, FINALIZER, labels } from "../src/model/annotations.ts";
import type { Identity } from "../src/model/identity.ts";
import type { KubeObject } from "../src/model/kube-object.ts";
import type { Member, MemberPod } from "../src/model/member.ts";
import { claimName, commonLabels, memberHost, memberName } from "../src/model/names.ts";
import type { EvNodeClusterObject, StatefulSet } from "../src/model/objects.ts";
import type { Action } from "../src/plan/actions.ts";
import { blueprintOf, intentsOf } from "../src/plan/intent.ts";
import { makePlan } from "../src/plan/plan.ts";
import { objectKey, type Snapshot } from "../src/plan/snapshot.ts";
import { actionsOf } from "../src/plan/step.ts";
import { configEntries } from "../src/resources/member-configs.ts";
import { surroundings, workload } from "../src/resources/desired.ts";

/** Objects with defaults, so that a test states only what matters to it. */

export const UID = "uid-of-the-cluster";
const NOW_MS = Date.UTC(2026, 0, 1);

export const spec: Spec = {
  image: "example.org/testapp:1",
  chain: { id: "rollup-1" },
  da: { address: "http://local-da:7980" },
  storage: { size: "1Gi" },
};

export function cluster(over: Partial<EvNodeClusterObject> = {}): EvNodeClusterObject {
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
    },
    spec,
    ...over,
  };
}

export function identity(over: Partial<Identity> = {}): Identity {
  return {
    resourceVersion: "3",
    uid: "uid-of-the-identity",
    clusterId: "c1",
    chainId: "rollup-1",
    proposer: "cHJvcG9zZXI=",
    peerIds: Array.from({ length: 7 }, (_, ordinal) => `12D3KooWA4Xop1JaT3MHxwYMkCepYsv4iPVopMXwCz5iHYdBfeS${ordinal + 1}`),
    clusterDomain: "cluster.local",
    epoch: 1,
    bootstrapped: 1,
    ...over,
  };
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
      .map((name) => ({
        name,
        raft: { kind: "reached", rttMs: 1, ageMs: 100 },
        p2p: { kind: "reached", rttMs: 1, ageMs: 100 },
      })),
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
    role: "follower",
    order: undefined,
    labels: commonLabels("seq"),
    terminating: false,
    ready: true,
    scheduling: "scheduled",
    agent: { kind: "running", restarts: 0, lastExit: undefined },
    evnode: { kind: "running", restarts: 0, lastExit: undefined },
    ...over,
  };
}

/** A member that runs, follows and is well; `says` changes what its agent answers. */
export function member(ordinal: number, over: Partial<Member> = {}, says: Partial<AgentAnswer> = {}): Member {
  const name = memberName("seq", ordinal);
  return {
    ordinal,
    name,
    claimName: claimName("seq", ordinal),
    pod: pod(name),
    claim: {
      uid: `uid-of-claim-${ordinal}`,
      resourceVersion: "5",
      phase: "Bound",
      terminating: false,
      volume: `pv-${ordinal}`,
      storageClass: "standard",
      epoch: 1,
      started: 1,
    },
    report: { kind: "answered", atMs: 0, answer: answer(name, says) },
    ...over,
  };
}

export const silent = { report: { kind: "none", why: "no answer" } } as const;
export const leads = { node: { kind: "open", isLeader: true, height: 100 } } as const;

export function leader(ordinal: number): Member {
  const name = memberName("seq", ordinal);
  return member(ordinal, { pod: pod(name, { role: "leader" }) }, leads);
}

/** A cluster of three that runs well: member 0 leads, every object is as it should be. */
export function snapshot(over: Partial<Snapshot> = {}): Snapshot {
  const members = over.members ?? [leader(0), member(1), member(2)];
  const bare: Snapshot = {
    nowMs: NOW_MS,
    cluster: cluster(),
    parsed: parseCluster(over.cluster ?? cluster(), 1),
    settings: { agentImage: "example.org/operator:1", clusterDomain: "cluster.local", operatorNamespace: "operators" },
    references: {
      signer: { kind: "notAsked" },
      genesis: { kind: "notAsked" },
      daAuthToken: { kind: "notAsked" },
      storageClass: { kind: "notAsked" },
    },
    identity: { kind: "present", identity: identity() },
    chainLock: { kind: "ours" },
    statefulSet: undefined,
    objects: new Map(),
    ...over,
    members,
  };
  if ("statefulSet" in over || "objects" in over) return bare;
  return { ...bare, ...converged(bare) };
}

/** The objects that the builders want, as a server would hold them. */
export function converged(snapshot: Snapshot): Pick<Snapshot, "statefulSet" | "objects"> {
  if (snapshot.identity.kind !== "present") return { statefulSet: undefined, objects: new Map() };
  const fresh = { ...snapshot, statefulSet: undefined, parsed: parseCluster(cluster(), 1) };
  const intents = intentsOf(fresh, snapshot.identity.identity);
  if (!intents?.configs) throw new Error("the builders' own cluster must be valid");
  const blueprint = blueprintOf(fresh, snapshot.identity.identity, intents);
  const objects = surroundings(blueprint, configEntries(intents.configs)).map(({ object }) => stored(object));
  return {
    statefulSet: stored(workload(blueprint).object) as StatefulSet,
    objects: new Map(objects.map((object) => [objectKey(object.kind, object.metadata.name), object])),
  };
}

function stored(object: KubeObject): KubeObject {
  const { kind, metadata } = object;
  return { ...object, metadata: { ...metadata, uid: `uid-of-${kind}-${metadata.name}`, resourceVersion: "1" } };
}

/** A plan in short: what would be done, to what. */
export function brief(snapshot: Snapshot): string[] {
  return actionsOf(makePlan(snapshot)).map(briefAction);
}

function briefAction(action: Action): string {
  switch (action.kind) {
    case "create":
    case "replace":
    case "delete":
      return `${action.kind} ${action.object.kind} ${action.object.metadata.name}`;
    case "order":
      return `order ${action.member.name} ${orderSchema.parse(action.order).kind}`;
    case "labelPod":
      return `label ${action.member.name} ${JSON.stringify(action.labels[labels.role] ?? Object.keys(action.labels))}`;
    case "markClaim":
      return `mark ${action.member.claimName}`;
    case "addFinalizer":
    case "removeFinalizer":
    case "createIdentity":
    case "takeChainLock":
    case "releaseChainLock":
    case "markBootstrapped":
      return action.kind;
  }
}

export function statusWith(over: Partial<Status>): Status {
  return { phase: "Running", ...over };
}

export { annotations };
