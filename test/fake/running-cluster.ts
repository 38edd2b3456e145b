import { newIdentity } from "../../src/act/identity.ts";
import { parseCluster } from "../../src/api/parse.ts";
import type { AgentAnswer } from "../../src/model/agent-protocol.ts";
import { annotations, labels } from "../../src/model/annotations.ts";
import { kinds } from "../../src/model/kinds.ts";
import { chainLockName, claimName, commonLabels, memberName } from "../../src/model/names.ts";
import type { ConfigMap, PersistentVolumeClaim, Pod, Secret } from "../../src/model/objects.ts";
import type { OldSequencerLook } from "../../src/model/old-sequencer.ts";
import type { AskAgent, AskBlock } from "../../src/observe/agent-client.ts";
import { Agents } from "../../src/observe/agents.ts";
import { followPod } from "../../src/observe/follow-pod.ts";
import type { Look, ObserveDependencies } from "../../src/observe/look.ts";
import { observe } from "../../src/observe/observe.ts";
import { OldSequencers } from "../../src/observe/old-sequencers.ts";
import { Partings } from "../../src/observe/partings.ts";
import { World } from "../../src/observe/world.ts";
import type { Snapshot } from "../../src/plan/snapshot.ts";
import { answer, cluster, converged, leads, NOW_MS, snapshot, UID } from "../builders.ts";
import { seededRandom } from "../runtime/seeded-random.ts";
import { settle, VirtualClock } from "../runtime/virtual-clock.ts";
import { MemoryApi } from "./memory-api.ts";

export const namespace = "rollup";
export const operators = "operators";

/** A cluster in memory, with agents that answer what the test says, seen through the real caches and polls. */
export class RunningCluster {
  readonly clock = new VirtualClock();
  readonly api = new MemoryApi(this.clock);
  readonly world = new World(this.api, this.api.caches, this.clock);
  /** What the agent of each pod answers; one that is absent does not. */
  readonly says = new Map<string, Partial<AgentAnswer>>();
  readonly asked: string[] = [];
  readonly agents: Agents;
  /** What the sequencer outside answers, when one is named. */
  oldSequencerSays: OldSequencerLook = { kind: "silent", why: "there is none" };
  readonly oldSequencers = new OldSequencers(
    async () => this.oldSequencerSays,
    this.clock,
    () => {},
  );
  /** What agents answer for a block; by default they are of a version that does not tell any. */
  blockSays: AskBlock = async () => ({ kind: "cannot" });
  readonly partings = new Partings(
    (...asked) => this.blockSays(...asked),
    this.clock,
    () => {},
  );
  readonly #deps: ObserveDependencies;

  constructor() {
    this.agents = new Agents(this.#ask, this.clock, seededRandom(1), () => {});
    const settings = {
      agentImage: "example.org/operator:1",
      clusterDomain: "cluster.local",
      operatorNamespace: operators,
      watchNamespace: undefined,
    };
    const { world, agents, oldSequencers, partings, clock } = this;
    this.#deps = { world, agents, oldSequencers, partings, settings, clock };
  }

  look(how?: Look): Promise<Snapshot | undefined> {
    return observe(this.#deps, namespace, "seq", how);
  }

  /** As `look`, of a cluster that is there. */
  async see(): Promise<Snapshot> {
    const seen = await this.look();
    if (!seen) throw new Error("the cluster is there");
    return seen;
  }

  /** What was read from the server since the last call, in short. */
  readsSince(): string[] {
    const { reads } = this.api;
    this.api.requests.length = 0;
    return reads;
  }

  /** Makes pod and claim of a member, and an agent that answers. */
  startMember(ordinal: number, says: Partial<AgentAnswer> = {}): void {
    const name = memberName("seq", ordinal);
    this.api.put(podObject(name));
    this.api.put(claimObject(ordinal));
    this.says.set(name, says);
  }

  /** Lets the watches show everything, and the agents of all pods be asked for the first time. */
  async deliver(): Promise<void> {
    this.api.deliver();
    for (const pod of this.api.all())
      if (pod.kind === kinds.pod.kind) followPod(this.agents, pod as Pod, false);
    await settle();
  }

  readonly #ask: AskAgent = (ip, { after, waitMs }, signal) => {
    const name = ip.replace("ip-of-", "");
    this.asked.push(`${name} ${waitMs}`);
    const said = this.says.get(name);
    if (!said) return Promise.reject(new Error("connection refused"));
    const now = answer(name, { podUid: uidOf(name), ...said });
    if (now.version !== after) return Promise.resolve(now);
    return new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
    });
  };
}

const uidOf = (name: string) => `uid-of-${name}`;

/** A cluster of three that was bootstrapped and runs; member 0 leads. */
export async function runningCluster(over: Parameters<typeof cluster>[0] = {}): Promise<RunningCluster> {
  const running = new RunningCluster();
  const { api } = running;
  api.put(cluster(over));
  const secret = api.put(IDENTITY);
  api.put(lockFor(secret));
  for (const ordinal of [0, 1, 2]) running.startMember(ordinal, ordinal === 0 ? leads : {});
  await running.deliver();
  const seen = await running.see();
  const wanted = converged({ ...seen, parsed: snapshot().parsed });
  for (const made of [...wanted.objects.values(), ...(wanted.statefulSet ? [wanted.statefulSet] : [])]) {
    api.put(made);
  }
  running.world.forget(kinds.secret, { namespace, name: "seq-config" });
  await running.deliver();
  running.readsSince();
  running.asked.length = 0;
  return running;
}

async function identitySecret(): Promise<Secret> {
  const parsed = parseCluster(cluster(), 1);
  if (parsed.kind === "invalid") throw new Error("the builders' cluster is valid");
  const secret = await newIdentity({
    cluster: "seq",
    namespace,
    spec: parsed.spec,
    clusterDomain: "cluster.local",
    given: {},
    random: seededRandom(2),
    nowMs: NOW_MS,
  });
  const notes = { [annotations.bootstrapped]: "1", [annotations.membership]: "3 members, raft port 5001" };
  const { metadata } = secret;
  const clusterId = { cluster_id: Buffer.from("c1").toString("base64") };
  return {
    ...secret,
    metadata: { ...metadata, annotations: { ...metadata.annotations, ...notes } },
    data: { ...secret.data, ...clusterId },
  };
}

/** Sealing a signer takes its time. */
const IDENTITY = await identitySecret();

function lockFor({ metadata }: Secret): ConfigMap {
  const proposer = metadata.annotations?.[annotations.proposer] ?? "";
  const name = chainLockName("rollup-1", proposer);
  const data = { chainId: "rollup-1", proposer, namespace, name: "seq", uid: UID, clusterId: "c1" };
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { namespace: operators, name }, data };
}

export function podObject(name: string, over: Partial<Pod["metadata"]> = {}): Pod {
  const runs = { restartCount: 0, state: { running: {} }, image: "i", imageID: "i", ready: true };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace,
      uid: uidOf(name),
      labels: {
        ...commonLabels("seq"),
        [labels.role]: name === "seq-0" ? "leader" : "follower",
        [labels.revision]: "seq-1",
      },
      annotations: { [annotations.configRevision]: "r1" },
      ...over,
    },
    spec: { nodeName: `node-of-${name}`, containers: [] },
    status: {
      phase: "Running",
      podIP: `ip-of-${name}`,
      conditions: [{ type: "Ready", status: "True" }],
      initContainerStatuses: [{ name: "agent", ...runs }],
      containerStatuses: [{ name: "evnode", ...runs }],
    },
  };
}

export function claimObject(ordinal: number, notes: Record<string, string> = marked): PersistentVolumeClaim {
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name: claimName("seq", ordinal), namespace, labels: commonLabels("seq"), annotations: notes },
    status: { phase: "Bound" },
  };
}

const marked = { [annotations.epoch]: "1", [annotations.started]: "1" };
