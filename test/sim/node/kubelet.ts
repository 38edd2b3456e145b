import { isDeepStrictEqual } from "node:util";
import type { Order } from "../../../src/model/agent-protocol.ts";
import { kinds } from "../../../src/model/kinds.ts";
import { AGENT_CONTAINER, EVNODE_CONTAINER, EXECUTION_CONTAINER } from "../../../src/model/member.ts";
import { configEntry } from "../../../src/model/names.ts";
import type { Pod } from "../../../src/model/objects.ts";
import { entryText } from "../../../src/model/secret-text.ts";
import type { Chance } from "../chance.ts";
import { emptyMemory, type Mounted, type PodMemory, SimulatedAgent } from "../member/agent.ts";
import type { PodRun } from "../member/pod-run.ts";
import type { Volume } from "../member/volume.ts";
import type { Registry } from "../registry.ts";
import { configsOf, mountsOf } from "./mounts.ts";
import { NodeContainers, nameOf } from "./node-containers.ts";
import { type NodeTroubles, nodeName, unschedulable } from "./nodes.ts";
import { meaningOf, statusOf, withConditions } from "./pod-status.ts";
import { Rehearsals } from "./rehearsals.ts";

export interface KubeletDependencies {
  readonly registry: Registry;
  readonly chance: Chance;
  readonly troubles: NodeTroubles;
  readonly volumes: ReadonlyMap<string, Volume>;
  /** By uid of the pod. */
  readonly runs: Map<string, PodRun>;
  readonly nowMs: () => number;
  readonly note: (what: string) => void;
  /** What the probes of both containers get. */
  readonly probe: (run: PodRun) => boolean;
  readonly onOrder: (run: PodRun, order: Order) => void;
  readonly onStart: (run: PodRun) => void;
}

/** Share of its looks in which kubelet sees what changed in a pod. */
const SEES = 0.4;
const SEES_WHEN_SLOW = 0.01;
/** After so long without a word from a node, Kubernetes takes its pods for not ready. */
const NODE_GRACE_MS = 40_000;

/** The kubelets of all nodes, with the scheduler before them. */
export class Kubelet {
  readonly containers: NodeContainers;
  readonly #deps: KubeletDependencies;
  readonly #rehearsals: Rehearsals;
  /** Pods whose node was lost: all is new there when it is back. */
  readonly #lost = new Set<string>();
  #agents = 0;

  constructor(deps: KubeletDependencies) {
    this.#deps = deps;
    this.containers = new NodeContainers(deps);
    this.#rehearsals = new Rehearsals(deps);
  }

  /** One look at every pod. */
  tend(): void {
    const { registry, runs } = this.#deps;
    const pods = registry.store.all(kinds.pod);
    for (const pod of pods) {
      const run = runs.get(pod.metadata.uid ?? "");
      if (Rehearsals.isOne(pod)) this.#rehearsals.tend(pod);
      else if (run === undefined) this.#begin(pod);
      else this.#tendRun(pod, run);
    }
    const uids = new Set(pods.map(({ metadata }) => metadata.uid));
    for (const run of runs.values()) if (!uids.has(run.uid)) this.#tendGhost(run);
  }

  /** The machine under the pod starts again: its agent is a new one with an empty memory. */
  reboot(run: PodRun): void {
    const { nowMs, chance } = this.#deps;
    this.containers.exit(run, 137, "its node restarts");
    run.agent = this.#newAgent(run.agent.mounted, run.volume, emptyMemory());
    run.agentStarts += 1;
    run.container.startAtMs = nowMs() + chance.between(3_000, 15_000);
  }

  /** Everything on the node ends without a word, and nothing is heard of it for a while. */
  lose(node: string, forMs: number): void {
    const { troubles, runs } = this.#deps;
    troubles.lose(node, forMs);
    for (const run of runs.values()) {
      if (run.node !== node) continue;
      this.containers.drop(run);
      this.#lost.add(run.uid);
    }
  }

  #newAgent(mounted: Mounted, volume: Volume, memory: PodMemory): SimulatedAgent {
    this.#agents += 1;
    return new SimulatedAgent(`a${this.#agents}`, mounted, volume, memory);
  }

  #sees(node: string): boolean {
    const { chance, troubles } = this.#deps;
    return chance.is(troubles.isSlow(node) ? SEES_WHEN_SLOW : SEES);
  }

  #begin(pod: Pod): void {
    const { registry, volumes, troubles } = this.#deps;
    const { metadata, spec } = pod;
    if (metadata.deletionTimestamp !== undefined) {
      if (spec?.nodeName && !troubles.isLost(spec.nodeName))
        registry.delete(kinds.pod, metadata, { gracePeriodSeconds: 0 });
      return;
    }
    const { namespace = "", name } = metadata;
    const claimName = spec?.volumes?.find((one) => one.name === "data")?.persistentVolumeClaim?.claimName;
    const claim = claimName && registry.store.get(kinds.claim, { namespace, name: claimName });
    const node = nodeName(Number(name.slice(-1)));
    if (!claim || claim.metadata.deletionTimestamp !== undefined || !this.#sees(node)) return;
    const volume = volumes.get(claim.spec?.volumeName ?? "");
    if (volume === undefined || troubles.isLost(node)) return;
    if (spec?.nodeName) this.#run(pod, spec.nodeName, volume);
    else this.#schedule(pod, node);
  }

  #schedule(pod: Pod, node: string): void {
    const { registry } = this.#deps;
    const why = unschedulable(pod);
    // The scheduler writes a subresource, which is not simulated.
    if (why === undefined) {
      registry.store.put({ ...pod, spec: { containers: [], ...pod.spec, nodeName: node } });
      return;
    }
    const refusal = {
      type: "PodScheduled",
      status: "False" as const,
      reason: "Unschedulable",
      message: why,
    };
    const conditions = withConditions(pod.status?.conditions, [refusal], registry.nowMs);
    registry.replaceStatus(kinds.pod, { ...pod, status: { ...pod.status, conditions } });
  }

  #run(pod: Pod, node: string, volume: Volume): void {
    const { registry, chance, runs, nowMs, note } = this.#deps;
    const { uid = "", namespace = "", name, annotations = {} } = pod.metadata;
    const cluster = name.replace(/-\d+$/, "");
    const mounts = mountsOf(registry, pod, cluster);
    if (mounts === undefined) return;
    const agent = this.#newAgent(mounts.mounted, volume, emptyMemory());
    agent.show(annotations);
    const container = {
      image: imageOf(pod.spec?.containers, EVNODE_CONTAINER),
      id: undefined,
      startedMs: 0,
      starts: 0,
      lastExit: undefined,
      backOffs: 0,
      startAtMs: nowMs() + chance.between(200, 2_000),
      refusal: undefined,
      noImageUntilMs: 0,
    };
    runs.set(uid, {
      uid,
      name,
      namespace,
      cluster,
      node,
      volume,
      container,
      agent,
      ip: this.#freeIp(),
      agentImage: imageOf(pod.spec?.initContainers, AGENT_CONTAINER),
      agentStarts: 1,
      agentAwayUntilMs: 0,
      configs: mounts.configs,
      process: undefined,
      hasLayer: pod.spec?.initContainers?.some((one) => one.name === EXECUTION_CONTAINER) ?? false,
      isReady: false,
      told: "",
      behindSinceMs: undefined,
      absentSinceMs: nowMs(),
      leaderlessSinceMs: nowMs(),
      endAtMs: undefined,
    });
    note(`pod ${namespace}/${name} begins on ${volume.name}`);
  }

  /** The lowest address that nobody has: addresses pass from one pod to the next. */
  #freeIp(): string {
    const taken = new Set([...this.#deps.runs.values()].map(({ ip }) => ip));
    for (let last = 1; ; last++) if (!taken.has(`10.0.0.${last}`)) return `10.0.0.${last}`;
  }

  #tendRun(pod: Pod, run: PodRun): void {
    const { registry, troubles, chance, nowMs } = this.#deps;
    if (troubles.isLost(run.node)) {
      if (troubles.lostForMs(run.node) > NODE_GRACE_MS) this.#showLost(pod);
      return;
    }
    if (this.#lost.delete(run.uid)) this.reboot(run);
    if (pod.metadata.deletionTimestamp !== undefined) this.#end(run);
    else if (this.#sees(run.node)) this.#sync(pod, run);
    this.#tendAgent(run);
    this.containers.tend(run);
    if (run.endAtMs !== undefined && nowMs() >= run.endAtMs && run.process === undefined) {
      this.#ended(run);
      registry.delete(kinds.pod, pod.metadata, { gracePeriodSeconds: 0 });
      return;
    }
    if (run.process === undefined) run.isReady = false;
    else if (chance.is(0.5)) run.isReady = this.#deps.probe(run);
    this.#tell(pod, run);
  }

  /** The status is put together only when it may differ from what the pod has. */
  #tell(pod: Pod, run: PodRun): void {
    const { registry, nowMs } = this.#deps;
    const at = { nowMs: nowMs(), epochMs: registry.nowMs };
    const told = `${pod.metadata.resourceVersion} ${meaningOf(run, at)}`;
    if (told === run.told) return;
    run.told = told;
    const status = statusOf(run, pod.status, at);
    if (!isDeepStrictEqual(status, pod.status)) registry.replaceStatus(kinds.pod, { ...pod, status });
  }

  /** Images in the pod, annotations and Secrets reach the containers after a while. */
  #sync(pod: Pod, run: PodRun): void {
    const { registry, chance, nowMs } = this.#deps;
    run.agent.show(pod.metadata.annotations ?? {});
    if (chance.is(0.3)) run.configs = configsOf(registry, run.namespace, run.cluster) ?? run.configs;
    const image = imageOf(pod.spec?.containers, EVNODE_CONTAINER);
    if (image !== run.container.image) this.containers.replaceImage(run, image);
    const agentImage = imageOf(pod.spec?.initContainers, AGENT_CONTAINER);
    if (agentImage === run.agentImage) return;
    run.agentImage = agentImage;
    run.agentStarts += 1;
    run.agentAwayUntilMs = nowMs() + chance.between(1_000, 4_000);
    // What it had written down is still there: the pod is the same.
    run.agent = this.#newAgent(run.agent.mounted, run.volume, run.agent.memory);
    run.agent.show(pod.metadata.annotations ?? {});
  }

  #tendAgent(run: PodRun): void {
    const { nowMs, onOrder } = this.#deps;
    if (run.agentAwayUntilMs > nowMs()) return;
    const { agent, configs, name } = run;
    const isDue = agent.tendConfig((revision) => entryText(configs, configEntry(name, revision)));
    if (isDue) this.containers.terminate(run);
    const isOfOtherKind = agent.tendRunKind(run.process, () => this.#deps.chance.is(0.6));
    if (isOfOtherKind) this.containers.terminate(run);
    if (run.process !== undefined && agent.isPrepared && !agent.isOnItsWay) return;
    const order = agent.look(run.process);
    if (agent.mustEnd) this.containers.terminate(run);
    // The first start waits for the agent, which sees to it before it lets ev-node run at all.
    if (run.container.starts === 0) agent.tendRunKind(undefined, () => true);
    if (order !== undefined) onOrder(run, order);
  }

  #end(run: PodRun): void {
    const { chance, nowMs } = this.#deps;
    if (run.endAtMs === undefined && this.#sees(run.node)) run.endAtMs = nowMs() + chance.between(300, 2_500);
    if (run.endAtMs !== undefined) this.containers.terminate(run);
  }

  #showLost(pod: Pod): void {
    const told = [{ type: "Ready", status: "False" as const }];
    const conditions = withConditions(pod.status?.conditions, told, this.#deps.registry.nowMs);
    const status = { ...pod.status, conditions };
    if (!isDeepStrictEqual(status, pod.status))
      this.#deps.registry.replaceStatus(kinds.pod, { ...pod, status });
  }

  /** A pod that was taken away by force runs on until its node hears of it. */
  #tendGhost(run: PodRun): void {
    const { chance, nowMs, troubles } = this.#deps;
    if (troubles.isLost(run.node)) return;
    run.endAtMs ??= nowMs() + chance.between(300, 5_000);
    if (nowMs() >= run.endAtMs) this.#ended(run);
  }

  #ended(run: PodRun): void {
    this.containers.drop(run);
    this.#deps.runs.delete(run.uid);
    this.#lost.delete(run.uid);
    this.#deps.note(`pod ${nameOf(run)} has ended`);
  }
}

type Named = readonly { readonly name: string; readonly image?: string }[];

const imageOf = (containers: Named | undefined, name: string): string =>
  containers?.find((one) => one.name === name)?.image ?? "";
