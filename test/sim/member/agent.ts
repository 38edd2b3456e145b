import { type ChangeVerdict, isOfChange, judgeChange } from "../../../src/agent/change-orders.ts";
import type { PeerFinding } from "../../../src/agent/findings.ts";
import type { MemberFacts } from "../../../src/agent/member-facts.ts";
import { endsNode, judgeOrder, type OrderVerdict, readOrder, whereUp } from "../../../src/agent/orders.ts";
import { judgePrepare, shownReport } from "../../../src/agent/prepare.ts";
import type { VolumeOwner, VolumeState } from "../../../src/agent/volume.ts";
import type { VolumeReport } from "../../../src/agent/volume-keeper.ts";
import { fitsEpoch } from "../../../src/agent/volume-record.ts";
import {
  type AgentAnswer,
  type Handover,
  LEAST_ROUND_TRIPS,
  type Order,
} from "../../../src/model/agent-protocol.ts";
import { annotations } from "../../../src/model/annotations.ts";
import { factsOf } from "./config-facts.ts";
import { executeOn } from "./execute.ts";
import type { InstalledConfig, NodeProcess } from "./pod-run.ts";
import { stateOf, storedHeight, type Volume } from "./volume.ts";

/** What kubelet mounted: who this member is. */
export interface Mounted {
  readonly owner: Omit<VolumeOwner, "epoch" | "single">;
  readonly proposer: string;
  /** Digest of the genesis, and the id of its node key; unknown where the Secret cannot be read. */
  readonly genesis: string | undefined;
  readonly peerId: string | undefined;
  readonly raftAddress: string;
  readonly maxBlocksBehind: number;
}

/** What the agent keeps beside ev-node's config: in memory, so it goes with the pod, and when its node restarts. */
export interface PodMemory {
  readonly executed: string[];
  config: InstalledConfig | undefined;
  /** The config was installed for ev-node. Until then the one that the pod names is read again at each look. */
  isInstalled: boolean;
  /** As what ev-node runs from its next start on, and whether one that ran before may be of the other kind. */
  runKind: "member" | "fullNode";
  /** The restart token that was acted upon, or that the pod was made with; undefined before the first look. */
  token: { readonly text: string | undefined } | undefined;
}

export const emptyMemory = (): PodMemory => ({
  executed: [],
  config: undefined,
  isInstalled: false,
  runKind: "member",
  token: undefined,
});

/** Of the path to another member: what lasts, and how long it took. */
export type PathMemory = Pick<PeerFinding, "raftTrouble" | "p2pTrouble" | "roundTrips"> & {
  readonly rtt: AgentAnswer["peers"][number]["rtt"];
};

/** How this member took the lead. */
type Taken = Omit<Handover, "ageMs"> & { readonly atMs: number };

/** The agent of one pod. Its judgements are those of the real agent; only files and sockets are not there. */
export class SimulatedAgent {
  readonly mounted: Mounted;
  readonly memory: PodMemory;
  /** Which raft ports it reached last, and when. */
  readonly reachedAtMs = new Map<string, number>();
  /** What it made of the paths to the others, by their names. */
  readonly paths = new Map<string, PathMemory>();
  handover: Taken | undefined;
  /** When this member took the lead, the last time first. */
  leadsAtMs: readonly number[] = [];
  /** Since when its height is as it is, while it is held. */
  stillSince: { readonly height: number; readonly atMs: number; readonly asked: number } | undefined;
  readonly #volume: Volume;
  readonly #waiters = new Set<() => void>();
  #notes: Readonly<Record<string, string>> = {};
  /** What the config revision on the pod says, once it is mounted. */
  #named: MemberFacts | undefined;
  #report: VolumeReport | undefined;
  #version = 0;
  #meaning = "";
  #pending: AgentAnswer["pendingConfig"];
  #readiness: { readonly ok: boolean; readonly sinceMs: number } | undefined;
  readonly #instance: string;

  constructor(instance: string, mounted: Mounted, volume: Volume, memory: PodMemory) {
    this.#instance = instance;
    this.mounted = mounted;
    this.memory = memory;
    this.#volume = volume;
  }

  get isPrepared(): boolean {
    return this.memory.config !== undefined && this.prepare.kind === "done";
  }

  get prepare(): AgentAnswer["prepare"] {
    if (this.memory.config === undefined) return { kind: "checking", message: "it has no config" };
    if (this.#report === undefined) return { kind: "checking" };
    return judgePrepare(this.#report) ?? { kind: "done" };
  }

  /** As it is told. */
  get volume(): AgentAnswer["volume"] {
    return this.#report === undefined ? { kind: "unchecked" } : shownReport(this.#report).volume;
  }

  /** Of the config that it goes by. */
  get facts(): MemberFacts | undefined {
    return this.memory.config && factsOf(this.memory.config.text);
  }

  get version(): string {
    return `${this.#instance}.${this.#version}`;
  }

  /** The pod's annotations arrive at its containers after a while. */
  show(notes: Readonly<Record<string, string>>): void {
    this.#notes = notes;
  }

  /**
   * Installs the revision on the pod, once its text is mounted. True when ev-node has to start again: the restart
   * token is another one than before, and what it is to read is there.
   */
  tendConfig(textOf: (revision: string) => string | undefined): boolean {
    const revision = this.#notes[annotations.configRevision];
    if (revision === undefined) return false;
    const text = this.memory.config?.revision === revision ? this.memory.config.text : textOf(revision);
    this.#named = text === undefined ? undefined : factsOf(text);
    this.memory.isInstalled ||= this.isPrepared;
    this.#leaveConfig();
    const { config } = this.memory;
    if (config?.revision !== revision) {
      const message = this.#obstacleTo(revision, text);
      this.#pending = message === undefined ? undefined : { revision, message };
      if (text === undefined || message !== undefined) return false;
      this.memory.config = { revision, text };
    }
    this.#pending = undefined;
    const { token } = this.memory;
    const next = this.#notes[annotations.restartToken];
    this.memory.token = { text: next };
    return token !== undefined && token.text !== next;
  }

  /** The volume went on to another epoch than that of the config which is installed. */
  #leaveConfig(): void {
    const { record } = this.#volume;
    const { facts } = this;
    if (facts !== undefined && record !== undefined && !fitsEpoch(record, facts.epoch))
      this.memory.config = undefined;
  }

  #obstacleTo(revision: string, text: string | undefined): string | undefined {
    if (text === undefined) return `revision ${revision} is not mounted yet`;
    const [now, then] = [this.facts?.epoch, this.#named?.epoch];
    if (this.memory.isInstalled && now !== undefined && now !== then)
      return `revision ${revision} is of epoch ${then}`;
    return undefined;
  }

  /** One look at volume and order. Returns the order that was carried out, if there was one. */
  look(process: NodeProcess | undefined): Order | undefined {
    const owner = this.#owner;
    if (owner === undefined) return undefined;
    const volume = stateOf(this.#volume, owner);
    const reading = readOrder(this.#notes[annotations.order]);
    const record = volume.kind === "intact" || volume.kind === "damaged" ? volume.record : undefined;
    const executedOrder = record?.executedOrders.at(-1) ?? this.memory.executed.at(-1);
    this.#report = { volume, executedOrder, refusedOrder: undefined, postponed: undefined };
    if (reading.kind !== "order") return undefined;
    const { order } = reading;
    const nodeRuns = this.#volume.lockedBy !== undefined;
    const judged = this.#judge(order, volume, owner, process);
    const leads = process?.role === "leader";
    const verdict = judged.kind === "writeRaftFolder" && nodeRuns ? whereUp(judged, volume, leads) : judged;
    if (verdict.kind === "refuse") {
      this.#report = { ...this.#report, refusedOrder: { id: order.id, message: verdict.message } };
      return undefined;
    }
    if (verdict.kind === "writeRaftFolder" && nodeRuns && endsNode(order)) this.#endForked(owner.epoch);
    if (verdict.kind === "nothing" || (verdict.kind === "writeRaftFolder" && nodeRuns)) return undefined;
    if (verdict.kind === "postpone") {
      this.#report = { ...this.#report, postponed: verdict.message };
      return undefined;
    }
    this.memory.executed.push(order.id);
    executeOn(this.#volume, owner, verdict);
    this.#report = { ...this.#report, volume: stateOf(this.#volume, owner), executedOrder: order.id };
    return order;
  }

  /** Whether ev-node has to end: what it needs to start again is gone. */
  get mustEnd(): boolean {
    return this.#volume.record?.forked === true;
  }

  #endForked(epoch: number): void {
    const { record, rafts } = this.#volume;
    if (record !== undefined) this.#volume.record = { ...record, forked: true };
    rafts.delete(epoch);
  }

  /** Whether there is an order that is looked at also while ev-node runs, such as one of another membership. */
  get isOnItsWay(): boolean {
    if (this.#volume.record?.change !== undefined || this.memory.runKind !== "member") return true;
    const reading = readOrder(this.#notes[annotations.order]);
    return (
      reading.kind === "order" &&
      (["join", "freeze", "thaw"].includes(reading.order.kind) || endsNode(reading.order))
    );
  }

  get #owner(): VolumeOwner | undefined {
    const { facts, mounted } = this;
    if (facts === undefined) return undefined;
    const { epoch, isSingle } = facts;
    const single = { id: mounted.owner.member, address: mounted.raftAddress };
    return { ...mounted.owner, epoch, ...(isSingle && { single }) };
  }

  #judge(
    order: Order,
    volume: VolumeState,
    { member, epoch, single }: VolumeOwner,
    process: NodeProcess | undefined,
  ): OrderVerdict | ChangeVerdict {
    const { raftAddress } = this.mounted;
    const { executed, runKind } = this.memory;
    const facts = { member, epoch, raftAddress, isSingle: single !== undefined, executed };
    if (!isOfChange(order, volume)) return judgeOrder(order, volume, facts);
    const isHeld = runKind === "fullNode" && process?.isHeld !== false;
    const height = process && storedHeight(this.#volume);
    return judgeChange(order, volume, { ...facts, named: this.#named, isHeld, height });
  }

  /**
   * The config as which ev-node is to start again follows the volume's record after a while. True when the process that
   * runs is of the other kind, and has to end.
   */
  tendRunKind(process: NodeProcess | undefined, isInTime: () => boolean): boolean {
    const { record } = this.#volume;
    const { facts, memory } = this;
    if (record === undefined || facts === undefined || !fitsEpoch(record, facts.epoch)) return false;
    const wanted = record.change === undefined ? "member" : "fullNode";
    if (memory.runKind !== wanted) {
      if (isInTime()) memory.runKind = wanted;
      return false;
    }
    return process !== undefined && process.isHeld !== (wanted === "fullNode");
  }

  /** The answer at this moment, given what ev-node and the others do. */
  answer(
    podUid: string,
    nowMs: number,
    { ready, ...rest }: Pick<AgentAnswer, "node" | "peers" | "ready" | "mode" | "execution">,
    isSettled: boolean,
  ): AgentAnswer {
    const { owner, genesis } = this.mounted;
    const report = this.#report;
    const { volume, voters, executedOrder, refusedOrder } =
      report === undefined
        ? { ...nothingShown, volume: { kind: "unchecked" } as const }
        : shownReport(report);
    if (this.#readiness?.ok !== ready.ok) this.#readiness = { ok: ready.ok, sinceMs: nowMs };
    return {
      protocol: 1,
      version: this.version,
      member: owner.member,
      podUid,
      clusterId: owner.clusterId,
      ...this.#configuration(),
      fingerprints: { ...(genesis && { genesis }), ...(voters && { voters }) },
      ...(executedOrder === undefined ? {} : { executedOrder }),
      ...(refusedOrder === undefined ? {} : { refusedOrder }),
      prepare: this.prepare,
      volume: settledIn(volume, isSettled),
      ...rest,
      ready: { ...ready, forMs: nowMs - this.#readiness.sinceMs },
      leadAgesMs: this.leadsAtMs.map((atMs) => nowMs - atMs),
      ...this.#handover(nowMs),
    };
  }

  #configuration(): Pick<AgentAnswer, "configRevision" | "pendingConfig" | "restartToken"> {
    const { config, token } = this.memory;
    return {
      ...(config === undefined ? {} : { configRevision: config.revision }),
      ...(this.#pending === undefined ? {} : { pendingConfig: this.#pending }),
      ...(token?.text === undefined ? {} : { restartToken: token.text }),
    };
  }

  #handover(nowMs: number): Pick<AgentAnswer, "handover"> {
    if (this.handover === undefined) return {};
    const { atMs, ...taken } = this.handover;
    return { handover: { ...taken, ageMs: nowMs - atMs } };
  }

  /** Wakes those that wait when the answer means something else than before: heights and ages are no news. */
  publish(answer: AgentAnswer): void {
    const meaning = meaningOf(answer);
    if (meaning === this.#meaning) return;
    this.#meaning = meaning;
    this.#version += 1;
    for (const wake of this.#waiters) wake();
  }

  /** Calls once when there is news. The returned function ends the wait. */
  onNews(wake: () => void): () => void {
    const once = () => {
      this.#waiters.delete(once);
      wake();
    };
    this.#waiters.add(once);
    return () => this.#waiters.delete(once);
  }
}

function settledIn(volume: AgentAnswer["volume"], isSettled: boolean): AgentAnswer["volume"] {
  if (volume.kind !== "intact" || volume.change === undefined || !isSettled) return volume;
  return { ...volume, change: { ...volume.change, settled: true } };
}

const isMeasured = (rtt: AgentAnswer["peers"][number]["rtt"]) => (rtt?.samples ?? 0) >= LEAST_ROUND_TRIPS;
const nothingShown = { voters: undefined, executedOrder: undefined, refusedOrder: undefined };

/** All but heights, ages and times, which are no news. */
function meaningOf(answer: AgentAnswer): string {
  const { node, peers, ready, handover, prepare, volume, mode } = answer;
  const role = node.kind === "open" ? node.isLeader : node.raftPortOpen;
  const level = mode?.kind === "level" ? mode.loggedHeight : "";
  const why = "message" in prepare ? prepare.message : "";
  const lies = "message" in volume ? volume.message : volume.kind === "intact" && volume.started;
  const reach = peers.map(({ raft, rtt }) => `${raft.kind} ${"lasting" in raft} ${isMeasured(rtt)}`).join();
  const orders = [answer.executedOrder, answer.refusedOrder?.id, answer.refusedOrder?.message].join();
  const config = [answer.configRevision, answer.pendingConfig?.revision, answer.restartToken].join();
  const change = volume.kind === "intact" ? [volume.epoch, JSON.stringify(volume.change)] : [];
  const state = [node.kind, role, reach, ready.ok, ready.message.replaceAll(/\d+/g, ""), mode?.kind, level];
  return [...state, handover?.firstHash, prepare.kind, why, volume.kind, lies, orders, config, change].join();
}
