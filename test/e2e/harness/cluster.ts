import type { Condition, EvNodeCluster, Spec } from "../../../src/api/evnodecluster.ts";
import { AGENT_PORT } from "../../../src/model/agent-protocol.ts";
import type { KubeObject } from "../../../src/model/kube-object.ts";
import type {
  Event,
  PersistentVolumeClaim,
  Pod,
  PodDisruptionBudget,
  Secret,
  Service,
  StatefulSet,
} from "../../../src/model/objects.ts";
import type { Api, WatchEvent } from "./api.ts";
import { until } from "./until.ts";
import type { World } from "./world.ts";

/** From the apply to the first block on an idle machine it takes 10 s; the rest is for busy ones. */
const START_MS = 300_000;
const DELETE_MS = 120_000;

/**
 * Whoever tests something else than elections wants none by chance: on a machine with few cores a leader that gets
 * no processor for the default lease of 175 ms steps down.
 */
const calm = { heartbeatTimeout: "2s", electionTimeout: "3s", leaderLeaseTimeout: "2s", sendTimeout: "1s" };

export interface ClusterOptions {
  readonly members?: 1 | 3 | 5;
  readonly spec?: Partial<Spec>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** One EvNodeCluster of a test, seen from outside: through the Kubernetes API alone. */
export class Cluster {
  readonly name: string;
  readonly namespace: string;
  readonly members: number;
  readonly manifest: EvNodeCluster;
  readonly world: World;

  constructor(world: World, name: string, { members = 3, spec = {}, annotations = {} }: ClusterOptions = {}) {
    this.world = world;
    this.name = name;
    this.namespace = world.namespace;
    this.members = members;
    this.manifest = {
      apiVersion: "evnode.dev/v1alpha1",
      kind: "EvNodeCluster",
      metadata: { name, namespace: world.namespace, annotations },
      spec: {
        replicas: members,
        image: world.environment.images.node,
        // The namespace makes it unique, so that no lock of another run is in the way.
        chain: { id: `${world.namespace}-${name}`, blockTime: "200ms" },
        da: { address: `http://local-da.${world.namespace}:7980` },
        storage: { size: "1Gi" },
        raft: { timing: calm },
        ...spec,
      },
    };
  }

  get api(): Api {
    return this.world.api;
  }

  get memberNames(): readonly string[] {
    return Array.from({ length: this.members }, (_, ordinal) => `${this.name}-${ordinal}`);
  }

  async apply(): Promise<void> {
    await this.world.kubectl.apply(this.manifest);
  }

  /** Deletes the EvNodeCluster and waits until it and every pod of it is gone. */
  async delete(): Promise<void> {
    const path = this.path("clusters", this.name);
    await this.api.send(path, { method: "DELETE" });
    await until(
      `deletion of ${this.name}`,
      async () => {
        const [cluster, pods] = [await this.api.find(path), await this.pods()];
        if (cluster) return { missing: "the EvNodeCluster is still there" };
        return pods.length === 0 ? { found: true } : { missing: `${pods.length} pods are still there` };
      },
      { withinMs: DELETE_MS },
    );
  }

  async get(): Promise<EvNodeCluster> {
    return this.api.get<EvNodeCluster>(this.path("clusters", this.name));
  }

  async condition(type: Condition["type"]): Promise<Condition | undefined> {
    const { status } = await this.get();
    return status?.conditions?.find((condition) => condition.type === type);
  }

  /** Waits for a condition with this reason, and with words that match all of these. */
  async becomes(
    type: string,
    reason: string,
    words: readonly RegExp[] = [],
    withinMs = 60_000,
  ): Promise<Condition> {
    return until(
      `condition ${type} of ${this.name} with reason ${reason} and ${words.join(" ")}`,
      async () => {
        const found = (await this.get()).status?.conditions?.find((condition) => condition.type === type);
        if (found?.reason === reason && words.every((word) => word.test(found.message))) return { found };
        return {
          missing: found ? `it is ${found.status}, ${found.reason}: ${found.message}` : "there is none",
        };
      },
      { withinMs },
    );
  }

  /** Waits until one member leads and all are ready. */
  async isRunning(withinMs = START_MS): Promise<EvNodeCluster> {
    await this.becomes("Ready", "AllMembersReady", [], withinMs);
    return this.get();
  }

  /** Waits until the status tells this height or a higher one. */
  async reachesHeight(height: number, withinMs: number): Promise<void> {
    await until(
      `height ${height} in the status of ${this.name}`,
      async () => {
        const told = (await this.get()).status?.height ?? 0;
        return told >= height ? { found: told } : { missing: `it tells ${told}` };
      },
      { withinMs, everyMs: 1_000 },
    );
  }

  async pods(): Promise<readonly Pod[]> {
    const pods = await this.api.list<Pod>(this.path("pods"));
    return pods.filter((pod) => isMemberOf(this.name, pod.metadata.name)).toSorted(byName);
  }

  async pod(name: string): Promise<Pod> {
    return this.api.get<Pod>(this.path("pods", name));
  }

  /** Waits until Kubernetes itself says that the member's pod is ready. */
  async becomesReady(member: string, withinMs = START_MS): Promise<void> {
    await until(
      `readiness of ${member}`,
      async () => (isReady(await this.pod(member)) ? { found: true } : { missing: "it is not ready" }),
      { withinMs },
    );
  }

  async leaderPod(): Promise<Pod> {
    return until(
      `a pod of ${this.name} with the leader's label`,
      async () => {
        const leaders = (await this.pods()).filter(
          (pod) => pod.metadata.labels?.["evnode.dev/role"] === "leader",
        );
        const [leader] = leaders;
        return leader && leaders.length === 1
          ? { found: leader }
          : { missing: `${leaders.length} pods have it` };
      },
      { withinMs: 60_000 },
    );
  }

  async claim(name: string): Promise<PersistentVolumeClaim | undefined> {
    return this.api.find<PersistentVolumeClaim>(this.path("claims", name));
  }

  async statefulSet(): Promise<StatefulSet> {
    return this.api.get<StatefulSet>(this.path("statefulSets", this.name));
  }

  async service(suffix: "" | "-leader" | "-rpc"): Promise<Service> {
    return this.api.get<Service>(this.path("services", this.name + suffix));
  }

  async budget(): Promise<PodDisruptionBudget> {
    return this.api.get<PodDisruptionBudget>(this.path("budgets", this.name));
  }

  async secret(name: string): Promise<Secret> {
    return this.api.get<Secret>(this.path("secrets", name));
  }

  /** Waits until nothing of this cluster is left in a collection; answers what is, when the time is over. */
  async isGoneFrom(collection: keyof typeof collections, withinMs = 30_000): Promise<readonly string[]> {
    const left = async () => {
      const objects = await this.api.list<KubeObject>(this.path(collection));
      return objects.map(({ metadata }) => metadata.name).filter((name) => isNamedAfter(this.name, name));
    };
    await until(
      `end of the ${collection} of ${this.name}`,
      async () => {
        const names = await left();
        return names.length === 0 ? { found: true } : { missing: names.join(", ") };
      },
      { withinMs },
    ).catch(() => undefined);
    return left();
  }

  /** What was told about the cluster, oldest first. */
  async events(): Promise<readonly Event[]> {
    const events = await this.api.list<Event>(this.path("events"));
    const ours = events.filter(
      ({ regarding }) => regarding?.kind === "EvNodeCluster" && regarding.name === this.name,
    );
    return ours.toSorted((a, b) => ((a.eventTime ?? "") < (b.eventTime ?? "") ? -1 : 1));
  }

  /** Waits for an event whose note matches. */
  async tells(reason: string, note: RegExp, withinMs = 30_000): Promise<Event> {
    return until(
      `event ${reason} with ${note} about ${this.name}`,
      async () => {
        const events = await this.events();
        const found = events.find((event) => event.reason === reason && note.test(event.note ?? ""));
        const told = events.map((event) => `${event.reason}: ${event.note}`).join("; ");
        return found ? { found } : { missing: `told was: ${told}` };
      },
      { withinMs },
    );
  }

  /** What a member's own agent says, over the way that the operator takes, or undefined while it is silent. */
  async agent(member: string): Promise<AgentView | undefined> {
    const pod = await this.api.find<Pod>(this.path("pods", member));
    const answer = pod && (await this.world.reach(pod, AGENT_PORT, { path: "/v1/state?waitMs=0" }));
    return answer?.status === 200 ? (JSON.parse(answer.text) as AgentView) : undefined;
  }

  /** Calls back with every change of the pods, also of those that only once were members. */
  async watchPods(onEvent: (event: WatchEvent<Pod>) => void, signal: AbortSignal): Promise<void> {
    const watched = (event: WatchEvent<Pod>) => {
      if (isMemberOf(this.name, event.object.metadata.name)) onEvent(event);
    };
    await this.api.watch<Pod>(this.path("pods"), watched, signal);
  }

  path(collection: keyof typeof collections, name?: string): string {
    const path = `${collections[collection][0]}/namespaces/${this.namespace}/${collections[collection][1]}`;
    return name === undefined ? path : `${path}/${name}`;
  }
}

export interface AgentView {
  readonly prepare: { readonly kind: string; readonly for?: string; readonly message?: string };
  readonly volume: {
    readonly kind: string;
    readonly message?: string;
    readonly change?: { readonly copy?: { readonly head?: { readonly height: number } } };
  };
  readonly mode?: { readonly kind: string };
  readonly node: { readonly kind: string; readonly height?: number; readonly isLeader?: boolean };
  readonly ready: { readonly ok: boolean; readonly message: string };
}

const collections = {
  clusters: ["/apis/evnode.dev/v1alpha1", "evnodeclusters"],
  pods: ["/api/v1", "pods"],
  claims: ["/api/v1", "persistentvolumeclaims"],
  services: ["/api/v1", "services"],
  secrets: ["/api/v1", "secrets"],
  configMaps: ["/api/v1", "configmaps"],
  serviceAccounts: ["/api/v1", "serviceaccounts"],
  statefulSets: ["/apis/apps/v1", "statefulsets"],
  budgets: ["/apis/policy/v1", "poddisruptionbudgets"],
  networkPolicies: ["/apis/networking.k8s.io/v1", "networkpolicies"],
  events: ["/apis/events.k8s.io/v1", "events"],
  endpointSlices: ["/apis/discovery.k8s.io/v1", "endpointslices"],
} as const;

/** By name and not by label: tests take labels off. */
function isMemberOf(cluster: string, pod: string): boolean {
  return pod.startsWith(`${cluster}-`) && /^\d+$/.test(pod.slice(cluster.length + 1));
}

const isNamedAfter = (cluster: string, name: string) => name === cluster || name.startsWith(`${cluster}-`);

const byName = (a: KubeObject, b: KubeObject) => (a.metadata.name < b.metadata.name ? -1 : 1);

/** Which processes run, so that a restart or replacement of any shows. */
export function processesOf(pods: readonly Pod[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    pods.map(({ metadata, status }) => {
      const containers = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
      const restarts = containers.map(({ name, restartCount }) => `${name}:${restartCount}`).join(" ");
      return [metadata.name, `${metadata.uid} ${restarts}`];
    }),
  );
}

export const isReady = ({ status }: Pod): boolean =>
  status?.conditions?.some((condition) => condition.type === "Ready" && condition.status === "True") ?? false;
