import type { EvNodeCluster, Status } from "../../../src/api/evnodecluster.ts";
import { labels } from "../../../src/model/annotations.ts";
import { EVNODE_CONTAINER } from "../../../src/model/member.ts";
import type { Pod } from "../../../src/model/objects.ts";
import type { Cluster } from "./cluster.ts";
import { until } from "./until.ts";

/** A member that came to run another process of ev-node. */
export interface SeenRestart {
  readonly member: string;
  readonly isSamePod: boolean;
  readonly isSameAddress: boolean;
}

interface Process {
  readonly uid: string | undefined;
  readonly ip: string | undefined;
  readonly container: string;
}

/** What Kubernetes shows of a rollout, as two watches deliver it: restarts, images, labels and what the status told. */
export class RolloutWatch {
  readonly restarts: SeenRestart[] = [];
  /** What the status told, one after the other. */
  readonly told: Status[] = [];
  /** Members whose pod was ever to run this image, by image. */
  readonly given = new Map<string, Set<string>>();
  readonly #processes = new Map<string, Process>();
  readonly #labelled = new Set<string>();
  readonly #leaders: string[] = [];
  readonly #stop = new AbortController();
  readonly #watching: Promise<unknown>;

  private constructor(cluster: Cluster) {
    const { signal } = this.#stop;
    const field = encodeURIComponent(`metadata.name=${cluster.name}`);
    const path = `${cluster.path("clusters")}?fieldSelector=${field}`;
    this.#watching = Promise.all([
      cluster.watchPods(({ type, object }) => this.#note(object, type === "DELETED"), signal),
      cluster.api.watch<EvNodeCluster>(path, ({ object }) => this.told.push(object.status ?? {}), signal),
    ]);
  }

  /** Watches a part of a test, beginning with what there is: only what comes later counts as a restart. */
  static async during(cluster: Cluster, part: (watch: RolloutWatch) => Promise<void>): Promise<RolloutWatch> {
    const watch = new RolloutWatch(cluster);
    try {
      await until(
        `the watches of ${cluster.name}`,
        async () => {
          const isWhole = watch.#processes.size === cluster.members && watch.told.length > 0;
          return isWhole ? { found: true } : { missing: `${watch.#processes.size} members were seen` };
        },
        { withinMs: 30_000 },
      );
      await part(watch);
    } finally {
      await watch.#end();
    }
    return watch;
  }

  async #end(): Promise<void> {
    this.#stop.abort();
    await this.#watching;
  }

  /** Who was restarted, in order. */
  get order(): readonly string[] {
    return this.restarts.map(({ member }) => member);
  }

  /** Who wore the leader's label, one after the other. */
  get leaders(): readonly string[] {
    return this.#leaders;
  }

  /** How many members the status called updated, one after the other. */
  get updated(): readonly string[] {
    const all = this.told.map(({ updatedMembers = "" }) => updatedMembers);
    return all.filter((count, index) => count !== all[index - 1]);
  }

  /** Members that were to run this image at any time. */
  givenTo(image: string): readonly string[] {
    return [...(this.given.get(image) ?? [])].sort();
  }

  #note(pod: Pod, isGone: boolean): void {
    const { name, uid, labels: worn } = pod.metadata;
    const leads = !isGone && worn?.[labels.role] === "leader";
    if (leads && !this.#labelled.has(name) && this.#leaders.at(-1) !== name) this.#leaders.push(name);
    if (leads) this.#labelled.add(name);
    else this.#labelled.delete(name);
    for (const { image = "" } of pod.spec?.containers ?? [])
      this.given.set(image, (this.given.get(image) ?? new Set()).add(name));

    const container = containerOf(pod);
    const before = this.#processes.get(name);
    if (isGone || container === undefined || before?.container === container) return;
    const ip = pod.status?.podIP;
    this.#processes.set(name, { uid, ip, container });
    if (!before) return;
    this.restarts.push({ member: name, isSamePod: before.uid === uid, isSameAddress: before.ip === ip });
  }
}

function containerOf({ status }: Pod): string | undefined {
  const found = status?.containerStatuses?.find(({ name }) => name === EVNODE_CONTAINER);
  return found?.state?.running ? found.containerID : undefined;
}
