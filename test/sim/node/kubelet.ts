import { isDeepStrictEqual } from "node:util";
import type { Order } from "../../../src/model/agent-protocol.ts";
import { kinds } from "../../../src/model/kinds.ts";
import type { Pod } from "../../../src/model/objects.ts";
import type { Chance } from "../chance.ts";
import type { Mounted } from "../member/agent.ts";
import { SimulatedAgent } from "../member/agent.ts";
import type { PodRun } from "../member/pod-run.ts";
import type { Volume } from "../member/volume.ts";
import type { Registry } from "../registry.ts";
import { mountsOf } from "./mounts.ts";
import { statusOf } from "./pod-status.ts";

export interface KubeletDependencies {
  readonly registry: Registry;
  readonly chance: Chance;
  readonly volumes: ReadonlyMap<string, Volume>;
  /** By uid of the pod. */
  readonly runs: Map<string, PodRun>;
  readonly nowMs: () => number;
  readonly note: (what: string) => void;
  readonly isReady: (run: PodRun) => boolean;
  readonly onOrder: (run: PodRun, order: Order) => void;
  readonly onStart: (run: PodRun) => void;
}

const BACK_OFF_MS = [0, 2_000, 5_000, 10_000, 20_000];
/** A process that ran this long starts at once after its next exit. */
const WELL_MS = 60_000;

/** The kubelets of all nodes, with the scheduler before them. */
export class Kubelet {
  readonly #deps: KubeletDependencies;
  #agents = 0;

  constructor(deps: KubeletDependencies) {
    this.#deps = deps;
  }

  /** One look at every pod. */
  tend(): void {
    const { registry, runs } = this.#deps;
    const pods = registry.store.all(kinds.pod);
    for (const pod of pods) {
      const run = runs.get(pod.metadata.uid ?? "");
      if (run === undefined) this.#begin(pod);
      else this.#tendRun(pod, run);
    }
    const uids = new Set(pods.map(({ metadata }) => metadata.uid));
    for (const run of runs.values()) if (!uids.has(run.uid)) this.#tendGhost(run);
  }

  /** ev-node ends, and is started again in place, later each time. */
  exit(run: PodRun, code: number, why: string): void {
    if (run.process === undefined) return;
    const { nowMs, note, chance } = this.#deps;
    const isWell = nowMs() - run.process.startedMs > WELL_MS;
    run.restarts += 1;
    const step = isWell ? 0 : Math.min(run.restarts, BACK_OFF_MS.length - 1);
    run.startAtMs = nowMs() + (BACK_OFF_MS[step] ?? 0) + chance.between(200, 1_500);
    run.lastExitCode = code;
    note(`ev-node of ${nameOf(run)} exits with ${code}: ${why}`);
    this.#stop(run);
  }

  /** The machine under the pod starts again: its agent is a new one, and looks at everything anew. */
  reboot(run: PodRun): void {
    const { nowMs, chance } = this.#deps;
    this.exit(run, 137, "its node restarts");
    run.agent = this.#newAgent(run.agent.mounted, run.volume);
    run.startAtMs = nowMs() + chance.between(3_000, 15_000);
  }

  #newAgent(mounted: Mounted, volume: Volume): SimulatedAgent {
    this.#agents += 1;
    return new SimulatedAgent(`a${this.#agents}`, mounted, volume);
  }

  #stop(run: PodRun): void {
    run.process = undefined;
    if (run.volume.lockedBy === run.uid) run.volume.lockedBy = undefined;
  }

  #begin(pod: Pod): void {
    const { registry, chance, volumes, runs, nowMs, note } = this.#deps;
    const { metadata } = pod;
    const { uid = "", namespace = "", name } = metadata;
    const cluster = name.replace(/-\d+$/, "");
    if (metadata.deletionTimestamp !== undefined) {
      if (pod.spec?.nodeName) registry.delete(kinds.pod, metadata, { gracePeriodSeconds: 0 });
      return;
    }
    const claimName = pod.spec?.volumes?.find((one) => one.persistentVolumeClaim)?.persistentVolumeClaim
      ?.claimName;
    const claim = claimName && registry.store.get(kinds.claim, { namespace, name: claimName });
    if (!claim || claim.metadata.deletionTimestamp !== undefined || !chance.is(0.4)) return;
    const volume = volumes.get(claim.spec?.volumeName ?? "");
    if (volume === undefined) return;
    if (!pod.spec?.nodeName) {
      const nodeName = `node-${name.slice(-1)}`;
      // The scheduler writes a subresource, which is not simulated.
      registry.store.put({ ...pod, spec: { containers: [], ...pod.spec, nodeName } });
      return;
    }
    const mounted = mountsOf(registry, pod, cluster);
    if (mounted === undefined) return;
    const agent = this.#newAgent(mounted, volume);
    agent.show(metadata.annotations ?? {});
    runs.set(uid, {
      uid,
      name,
      namespace,
      cluster,
      ip: this.#freeIp(),
      node: pod.spec.nodeName,
      volume,
      agent,
      process: undefined,
      restarts: 0,
      lastExitCode: undefined,
      startAtMs: nowMs() + chance.between(200, 2_000),
      endAtMs: undefined,
      noImageUntilMs: 0,
    });
    note(`pod ${namespace}/${name} begins on ${volume.name}`);
  }

  /** The lowest address that nobody has: addresses pass from one pod to the next. */
  #freeIp(): string {
    const taken = new Set([...this.#deps.runs.values()].map(({ ip }) => ip));
    for (let last = 1; ; last++) if (!taken.has(`10.0.0.${last}`)) return `10.0.0.${last}`;
  }

  #tendRun(pod: Pod, run: PodRun): void {
    const { registry, chance, nowMs, isReady, onOrder } = this.#deps;
    if (pod.metadata.deletionTimestamp !== undefined) {
      run.endAtMs ??= nowMs() + chance.between(300, 4_000);
      if (nowMs() < run.endAtMs) return;
      this.#end(run);
      registry.delete(kinds.pod, pod.metadata, { gracePeriodSeconds: 0 });
      return;
    }
    if (chance.is(0.4)) run.agent.show(pod.metadata.annotations ?? {});
    if (run.process === undefined) {
      const order = run.agent.look(run.volume.lockedBy !== undefined);
      if (order !== undefined) onOrder(run, order);
      this.#startNode(run);
    }
    const status = statusOf(run, isReady(run), nowMs());
    if (!isDeepStrictEqual(status, pod.status)) registry.replaceStatus(kinds.pod, { ...pod, status });
  }

  #startNode(run: PodRun): void {
    const { nowMs, note, onStart } = this.#deps;
    const { volume, agent } = run;
    if (!agent.isPrepared || run.startAtMs > nowMs() || run.noImageUntilMs > nowMs()) return;
    // A database has one owner: the second process waits.
    if (volume.lockedBy !== undefined || volume.raft === undefined) return;
    volume.lockedBy = run.uid;
    const mode = volume.raft.log.length > 0 ? "level" : "raft";
    run.process = { mode, role: "waiting", startedMs: nowMs() };
    note(`ev-node of ${nameOf(run)} starts at height ${volume.raft.log.length}`);
    onStart(run);
  }

  /** A pod that was taken away by force runs on until its node hears of it. */
  #tendGhost(run: PodRun): void {
    const { chance, nowMs } = this.#deps;
    run.endAtMs ??= nowMs() + chance.between(300, 5_000);
    if (nowMs() >= run.endAtMs) this.#end(run);
  }

  #end(run: PodRun): void {
    this.#stop(run);
    this.#deps.runs.delete(run.uid);
    this.#deps.note(`pod ${nameOf(run)} has ended`);
  }
}

const nameOf = ({ namespace, name }: PodRun) => `${namespace}/${name}`;
