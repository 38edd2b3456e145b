import { annotations, labels } from "../src/model/annotations.ts";
import type { KubeObject } from "../src/model/kube-object.ts";
import { AGENT_CONTAINER, EVNODE_CONTAINER, podOf } from "../src/model/member.ts";
import type { Pod, PodDisruptionBudget, StatefulSet } from "../src/model/objects.ts";
import type { Action } from "../src/plan/actions.ts";
import { objectKey, type Snapshot } from "../src/plan/snapshot.ts";
import type { Template } from "../src/plan/update-way.ts";
import { answer, member, peer } from "./builders.ts";
import { podFrom } from "./member-traits.ts";

/**
 * A cluster in which every write has its effect at once and nothing else ever happens: what a rollout comes to when the
 * world is kind. One step of it is two seconds.
 */
export class NaiveCluster {
  /** Who was taken away, and for which revision. */
  readonly taken: string[] = [];
  #seen: Snapshot;
  readonly #pods = new Map<string, Pod>();
  readonly #revisions = new Map<string, string>();
  #leader: string;
  #containers = 0;

  constructor(seen: Snapshot, leader: string) {
    this.#seen = seen;
    this.#leader = leader;
    for (const { name, pod } of seen.members) if (pod) this.#pods.set(name, pod.object);
    for (const [name, template] of seen.revisions) this.#revisions.set(JSON.stringify(template), name);
  }

  /** Another wish of the owner. */
  ask(wanted: Pick<Snapshot, "cluster" | "parsed">): void {
    this.#seen = { ...this.#seen, ...wanted };
  }

  look(isCertain: boolean): Snapshot {
    const names = [...this.#pods.keys()];
    const members = [...this.#pods].map(([name, pod], ordinal) => {
      const peers = names.filter((other) => other !== name).map((other) => peer(other, { height: 100 }));
      const says = answer(name, {
        podUid: pod.metadata.uid ?? "",
        configRevision: pod.metadata.annotations?.[annotations.configRevision] ?? "",
        node: { kind: "open", isLeader: name === this.#leader, height: 100 },
        peers,
        ready: { ok: true, message: "", forMs: 2_000 },
      });
      return {
        ...member(ordinal),
        pod: podOf(pod),
        report: { kind: "answered", atMs: 0, answer: says } as const,
      };
    });
    const revisions = new Map(
      [...this.#revisions].map(([text, name]) => [name, JSON.parse(text) as Template]),
    );
    return { ...this.#seen, members, revisions, isCertain };
  }

  step(actions: readonly Action[]): void {
    for (const action of actions) this.#apply(action);
    this.#seen = { ...this.#seen, nowMs: this.#seen.nowMs + 2_000 };
  }

  #apply(action: Action): void {
    switch (action.kind) {
      case "updatePod":
        return this.#update(action.member.name, action.object, action.takesAway);
      case "finishUpdate": {
        const { [annotations.update]: _, ...notes } = action.pod.object.metadata.annotations ?? {};
        const marks = { ...action.pod.object.metadata.labels, [labels.revision]: action.revision };
        const metadata = { ...action.pod.object.metadata, annotations: notes, labels: marks };
        return void this.#pods.set(action.member.name, { ...action.pod.object, metadata });
      }
      case "removePod":
        return this.#replace(action.member.name);
      case "turnRollout":
        return this.#turn(action.statefulSet);
      case "claimBudget":
        return this.#put(counted(action.budget));
      case "replace":
        if (action.object.kind === "StatefulSet") return this.#turn(action.object as StatefulSet);
        return this.#put(action.object);
      case "rehearse":
        this.#seen = {
          ...this.#seen,
          rehearsals: [...this.#seen.rehearsals, { ...action.pod, status: { phase: "Succeeded" } }],
        };
        return;
      case "endRehearsal":
        this.#seen = {
          ...this.#seen,
          rehearsals: this.#seen.rehearsals.filter(
            ({ metadata }) => metadata.name !== action.pod.metadata.name,
          ),
        };
        return;
      case "endRequest": {
        const { [annotations[action.annotation]]: _, ...notes } =
          this.#seen.cluster.metadata.annotations ?? {};
        const metadata = { ...this.#seen.cluster.metadata, annotations: notes };
        return this.ask({ ...this.#seen, cluster: { ...this.#seen.cluster, metadata } });
      }
      case "create":
      case "delete":
      case "turnDrill":
      case "turnSuspension":
      case "turnMembership":
      case "decideMembership":
      case "withdrawMembership":
      case "moveMember":
      case "order":
      case "labelPod":
      case "markClaim":
      case "endApproval":
      case "addFinalizer":
      case "removeFinalizer":
      case "createIdentity":
      case "takeChainLock":
      case "releaseChainLock":
      case "markBootstrapped":
        throw new Error(`a cluster that runs well needs no ${action.kind}`);
    }
  }

  #put(object: KubeObject): void {
    const key = objectKey(object.kind, object.metadata.name);
    this.#seen = { ...this.#seen, objects: new Map([...this.#seen.objects, [key, object]]) };
  }

  #turn(statefulSet: StatefulSet): void {
    const text = JSON.stringify(statefulSet.spec?.template);
    const updateRevision = this.#revisions.get(text) ?? `seq-made-${this.#revisions.size}`;
    this.#revisions.set(text, updateRevision);
    const status = { observedGeneration: 1, updateRevision } as NonNullable<StatefulSet["status"]>;
    this.#seen = { ...this.#seen, statefulSet: { ...statefulSet, status } };
  }

  /** Another image, or another token, and the container is another one. */
  #update(name: string, object: Pod, takesAway: boolean): void {
    const before = this.#pods.get(name);
    const imageOf = (pod: Pod | undefined, list: "containers" | "initContainers") =>
      pod?.spec?.[list]?.[0]?.image;
    const token = (pod: Pod | undefined) => pod?.metadata.annotations?.[annotations.restartToken];
    const isOther = imageOf(before, "containers") !== imageOf(object, "containers");
    const ends = isOther || token(before) !== token(object);
    const isOtherAgent = imageOf(before, "initContainers") !== imageOf(object, "initContainers");
    if (ends !== takesAway)
      throw new Error(`${name} ${ends ? "ends" : "goes on"}, which was not what was planned`);
    const after = ends ? this.#another(object, EVNODE_CONTAINER) : object;
    this.#pods.set(name, isOtherAgent ? this.#another(after, AGENT_CONTAINER) : after);
    if (ends) this.#lose(name);
  }

  #another(pod: Pod, container: string): Pod {
    this.#containers += 1;
    const list = container === EVNODE_CONTAINER ? "containerStatuses" : "initContainerStatuses";
    const statuses = (pod.status?.[list] ?? []).map((one) => ({
      ...one,
      containerID: `made-${this.#containers}`,
    }));
    return { ...pod, status: { ...pod.status, [list]: statuses } };
  }

  #replace(name: string): void {
    const { statefulSet } = this.#seen;
    if (!statefulSet?.spec) throw new Error("the cluster has a StatefulSet");
    const made = podFrom(statefulSet.spec.template, name, statefulSet.status?.updateRevision ?? "");
    this.#containers += 1;
    const metadata = { ...made.metadata, uid: `made-${this.#containers}` };
    this.#pods.set(name, this.#another({ ...made, metadata }, EVNODE_CONTAINER));
    this.#lose(name);
  }

  /** A leader that goes hands over to the next. */
  #lose(name: string): void {
    this.taken.push(`${name} for ${this.#seen.statefulSet?.status?.updateRevision ?? "?"}`);
    if (name !== this.#leader) return;
    this.#leader = [...this.#pods.keys()].find((other) => other !== name) ?? name;
  }
}

/** As the budget's controller counts: who is disrupted is not healthy. */
function counted(budget: PodDisruptionBudget): PodDisruptionBudget {
  const { status } = budget;
  if (!status) return budget;
  const disruptionsAllowed = Object.keys(status.disruptedPods ?? {}).length === 0 ? 1 : 0;
  return { ...budget, status: { ...status, disruptionsAllowed } };
}
