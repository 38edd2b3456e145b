import { annotations, labels } from "../../../src/model/annotations.ts";
import { kinds } from "../../../src/model/kinds.ts";
import { keyOf, type ObjectRef } from "../../../src/model/kube-object.ts";
import { identitySecretName, memberName } from "../../../src/model/names.ts";
import type { Pod } from "../../../src/model/objects.ts";
import { entryText } from "../../../src/model/secret-text.ts";
import { type Following, followObjects, type Scope } from "../follow-objects.ts";
import type { Session } from "../session.ts";
import type { MemberFacts } from "./member.ts";
import { newPod, type SimulatedPod } from "./pod.ts";

/**
 * Stands in for the kubelets of pods that no node takes: gives each an address on this machine, serves its agent
 * there, and writes the pod's status as its containers come up.
 */
export interface SimulatedNode {
  /** The first thing that went wrong, such as an address that could not be listened on. */
  readonly failure: () => unknown;
  stop(): Promise<void>;
}

export async function startSimulatedNode(session: Session, scope: Scope): Promise<SimulatedNode> {
  const node = new Node(session, scope);
  await node.start();
  return node;
}

class Node implements SimulatedNode {
  readonly #session: Session;
  readonly #scope: Scope;
  readonly #stopping = new AbortController();
  readonly #pods = new Map<string, Promise<SimulatedPod>>();
  /** Work on one pod is done in order, as a kubelet does it. */
  readonly #work = new Map<string, Promise<void>>();
  readonly #clusters = new Map<string, Promise<ClusterFacts>>();
  #following: Following | undefined;
  #failure: unknown;
  #addresses = 0;

  constructor(session: Session, scope: Scope) {
    this.#session = session;
    this.#scope = scope;
  }

  readonly failure = (): unknown => this.#failure ?? this.#following?.failure();

  async start(): Promise<void> {
    const where = { ...this.#scope, labelSelector: labels.cluster };
    this.#following = await followObjects(this.#session, kinds.pod, where, (pod, type) =>
      this.#see(pod, type === "DELETED"),
    );
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#following?.stop();
    await Promise.all(this.#work.values());
    const pods = await Promise.all(this.#pods.values());
    await Promise.all(pods.map(async ({ server }) => server.close()));
  }

  #fail(error: unknown): void {
    if (!this.#stopping.signal.aborted) this.#failure ??= error;
  }

  #see(pod: Pod, isGone: boolean): void {
    const { uid = "" } = pod.metadata;
    const before = this.#work.get(uid) ?? Promise.resolve();
    const next = before.then(async () => (isGone ? this.#remove(uid) : this.#follow(uid, pod)));
    this.#work.set(
      uid,
      next.catch((error: unknown) => this.#fail(error)),
    );
  }

  async #follow(uid: string, pod: Pod): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    const known = this.#pods.get(uid) ?? this.#create(pod);
    this.#pods.set(uid, known);
    await (await known).see(pod);
  }

  async #remove(uid: string): Promise<void> {
    const pod = await this.#pods.get(uid);
    this.#pods.delete(uid);
    this.#work.delete(uid);
    await pod?.server.close();
  }

  async #create(pod: Pod): Promise<SimulatedPod> {
    const number = (this.#addresses += 1);
    // Two simulations on one machine keep out of each other's way.
    const address = `127.${64 + (process.pid % 128)}.${number >> 8}.${number & 255}`;
    const facts = await this.#factsOf(pod);
    const { signal } = this.#stopping;
    return newPod(this.#session, facts, pod, { address, signal });
  }

  async #factsOf({ metadata }: Pod): Promise<MemberFacts> {
    const { name, namespace = "", uid = "", labels: worn = {}, annotations: notes = {} } = metadata;
    const cluster = worn[labels.cluster] ?? "";
    const { clusterId, replicas } = await this.#clusterFactsOf({ namespace, name: cluster });
    const members = Array.from({ length: replicas }, (_, ordinal) => memberName(cluster, ordinal));
    return {
      name,
      ordinal: members.indexOf(name),
      podUid: uid,
      peers: members.filter((member) => member !== name),
      clusterId,
      configRevision: notes[annotations.configRevision] ?? "",
      daNamespace: "simulated",
    };
  }

  /** One reading for all members: a kubelet has these mounted, and asks for nothing. */
  async #clusterFactsOf(ref: ObjectRef): Promise<ClusterFacts> {
    const known = this.#clusters.get(keyOf(ref)) ?? readClusterFacts(this.#session, ref);
    this.#clusters.set(keyOf(ref), known);
    return known;
  }
}

interface ClusterFacts {
  readonly clusterId: string;
  readonly replicas: number;
}

async function readClusterFacts(
  { api }: Session,
  { namespace = "", name }: ObjectRef,
): Promise<ClusterFacts> {
  const [secret, cluster] = await Promise.all([
    api.get(kinds.secret, { namespace, name: identitySecretName(name) }),
    api.get(kinds.cluster, { namespace, name }),
  ]);
  const clusterId = secret && entryText(secret, "cluster_id");
  if (clusterId === undefined || !cluster)
    throw new Error(`${namespace}/${name} has members and no identity`);
  return { clusterId, replicas: cluster.spec.replicas ?? 3 };
}
