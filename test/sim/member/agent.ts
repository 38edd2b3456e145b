import type { PeerFinding } from "../../../src/agent/findings.ts";
import { judgeOrder, readOrder, whereUp } from "../../../src/agent/orders.ts";
import { judgePrepare, shownReport } from "../../../src/agent/prepare.ts";
import type { VolumeOwner } from "../../../src/agent/volume.ts";
import type { VolumeReport } from "../../../src/agent/volume-keeper.ts";
import { votersDigest } from "../../../src/agent/voters.ts";
import {
  type AgentAnswer,
  type Handover,
  LEAST_ROUND_TRIPS,
  type Order,
} from "../../../src/model/agent-protocol.ts";
import { annotations } from "../../../src/model/annotations.ts";
import type { InstalledConfig } from "./pod-run.ts";
import { stateOf, type Volume } from "./volume.ts";

type Verdict = ReturnType<typeof judgeOrder>;
type Executable = Extract<Verdict, { kind: "writeRaftFolder" | "record" }>;

/** What kubelet mounted: who this member is. */
export interface Mounted {
  readonly owner: VolumeOwner;
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
  /** The restart token that was acted upon, or that the pod was made with; undefined before the first look. */
  token: { readonly text: string | undefined } | undefined;
}

export const emptyMemory = (): PodMemory => ({ executed: [], config: undefined, token: undefined });

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
  readonly #volume: Volume;
  readonly #waiters = new Set<() => void>();
  #notes: Readonly<Record<string, string>> = {};
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
    if (this.#report === undefined) return { kind: "checking" };
    return judgePrepare(this.#report) ?? { kind: "done" };
  }

  /** As it is told. */
  get volume(): AgentAnswer["volume"] {
    return this.#report === undefined ? { kind: "unchecked" } : shownReport(this.#report).volume;
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
    if (this.memory.config?.revision !== revision) {
      const text = textOf(revision);
      const message = `revision ${revision} is not mounted yet`;
      this.#pending = text === undefined ? { revision, message } : undefined;
      if (text === undefined) return false;
      this.memory.config = { revision, text };
    }
    this.#pending = undefined;
    const { token } = this.memory;
    const text = this.#notes[annotations.restartToken];
    this.memory.token = { text };
    return token !== undefined && token.text !== text;
  }

  /** One look at volume and order. Returns the order that was carried out, if there was one. */
  look(nodeRuns: boolean): Order | undefined {
    const { owner, raftAddress } = this.mounted;
    const volume = stateOf(this.#volume, owner);
    const reading = readOrder(this.#notes[annotations.order]);
    const record = volume.kind === "intact" || volume.kind === "damaged" ? volume.record : undefined;
    const executedOrder = record?.executedOrders.at(-1) ?? this.memory.executed.at(-1);
    this.#report = { volume, executedOrder, refusedOrder: undefined, postponed: undefined };
    if (reading.kind !== "order") return undefined;
    const { order } = reading;
    const { member, epoch } = owner;
    const isSingle = owner.single !== undefined;
    const facts = { member, epoch, raftAddress, isSingle, executed: this.memory.executed };
    const judged = judgeOrder(order, volume, facts);
    const verdict = nodeRuns ? whereUp(judged, volume) : judged;
    if (verdict.kind === "refuse") {
      this.#report = { ...this.#report, refusedOrder: { id: order.id, message: verdict.message } };
      return undefined;
    }
    if (verdict.kind === "nothing" || (verdict.kind === "writeRaftFolder" && nodeRuns)) return undefined;
    this.#execute(verdict);
    this.#report = { ...this.#report, volume: stateOf(this.#volume, owner), executedOrder: order.id };
    return order;
  }

  #execute(verdict: Executable): void {
    const { order } = verdict;
    this.memory.executed.push(order.id);
    if (verdict.kind === "record") {
      const executedOrders = [...verdict.record.executedOrders, order.id];
      this.#volume.record = { ...verdict.record, executedOrders };
      return;
    }
    const { voters } = verdict.order;
    const { single: _, ...owner } = this.mounted.owner;
    const stored = verdict.hadBlocks ? this.#volume.raft?.stored : undefined;
    this.#volume.raft = { voters, term: 1, log: undefined, stored };
    this.#volume.record = {
      version: 1,
      ...owner,
      votersDigest: votersDigest(voters),
      bootstrapped: true,
      started: order.kind === "rejoin",
      // Here the blocks are one with the log, and went with it.
      hadBlocks: false,
      executedOrders: [...(verdict.before?.executedOrders ?? []), order.id],
    };
  }

  /** The answer at this moment, given what ev-node and the others do. */
  answer(
    podUid: string,
    nowMs: number,
    { ready, ...rest }: Pick<AgentAnswer, "node" | "peers" | "ready" | "mode" | "execution">,
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
      volume,
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
  const state = [node.kind, role, reach, ready.ok, ready.message.replaceAll(/\d+/g, ""), mode?.kind, level];
  return [...state, handover?.firstHash, prepare.kind, why, volume.kind, lies, orders, config].join();
}
