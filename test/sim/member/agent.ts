import { judgeOrder, readOrder } from "../../../src/agent/orders.ts";
import { judgePrepare, shownReport } from "../../../src/agent/prepare.ts";
import type { VolumeOwner } from "../../../src/agent/volume.ts";
import type { VolumeReport } from "../../../src/agent/volume-keeper.ts";
import { votersDigest } from "../../../src/agent/voters.ts";
import type { AgentAnswer, Order } from "../../../src/model/agent-protocol.ts";
import { annotations } from "../../../src/model/annotations.ts";
import { stateOf, type Volume } from "./volume.ts";

type Verdict = ReturnType<typeof judgeOrder>;
type Executable = Extract<Verdict, { kind: "writeRaftFolder" | "record" }>;

/** What kubelet mounted: who this member is. */
export interface Mounted {
  readonly owner: VolumeOwner;
  readonly proposer: string;
  readonly raftAddress: string;
  readonly configRevision: string;
}

/**
 * The agent of one pod. Its judgements are those of the real agent; only files and sockets are not there. Executed
 * orders are kept with the pod, as in the folder that ev-node's config lies in.
 */
export class SimulatedAgent {
  readonly mounted: Mounted;
  readonly executed: string[] = [];
  readonly #volume: Volume;
  readonly #waiters = new Set<() => void>();
  #notes: Readonly<Record<string, string>> = {};
  #report: VolumeReport | undefined;
  #version = 0;
  #meaning = "";
  readonly #instance: string;

  constructor(instance: string, mounted: Mounted, volume: Volume) {
    this.#instance = instance;
    this.mounted = mounted;
    this.#volume = volume;
  }

  get isPrepared(): boolean {
    return this.#report !== undefined && judgePrepare(this.#report) === undefined;
  }

  get version(): string {
    return `${this.#instance}.${this.#version}`;
  }

  /** The pod's annotations arrive at its containers after a while. */
  show(notes: Readonly<Record<string, string>>): void {
    this.#notes = notes;
  }

  /** One look at volume and order. Returns the order that was carried out, if there was one. */
  look(nodeRuns: boolean): Order | undefined {
    const { owner, raftAddress } = this.mounted;
    const volume = stateOf(this.#volume, owner);
    const reading = readOrder(this.#notes[annotations.order]);
    const record = volume.kind === "intact" || volume.kind === "damaged" ? volume.record : undefined;
    const executedOrder = record?.executedOrders.at(-1);
    this.#report = { volume, executedOrder, refusedOrder: undefined, postponed: undefined };
    if (reading.kind !== "order") return undefined;
    const { order } = reading;
    const facts = { member: owner.member, epoch: owner.epoch, raftAddress, executed: this.executed };
    const verdict = judgeOrder(order, volume, facts);
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
    this.executed.push(order.id);
    if (verdict.kind === "record") {
      const executedOrders = [...verdict.record.executedOrders, order.id];
      this.#volume.record = { ...verdict.record, executedOrders };
      return;
    }
    const { voters } = verdict.order;
    this.#volume.raft = { voters, term: 1, log: [], stored: 0 };
    this.#volume.record = {
      version: 1,
      ...this.mounted.owner,
      votersDigest: votersDigest(voters),
      bootstrapped: true,
      started: order.kind === "rejoin",
      hadBlocks: verdict.hadBlocks,
      executedOrders: [...(verdict.before?.executedOrders ?? []), order.id],
    };
  }

  /** The answer at this moment, given what ev-node and the others do. */
  answer(podUid: string, rest: Pick<AgentAnswer, "node" | "peers" | "ready" | "mode">): AgentAnswer {
    const { owner, configRevision } = this.mounted;
    const report = this.#report;
    const prepare = report === undefined ? undefined : judgePrepare(report);
    const { volume, executedOrder, refusedOrder } =
      report === undefined
        ? { volume: { kind: "unchecked" } as const, executedOrder: undefined, refusedOrder: undefined }
        : shownReport(report);
    return {
      protocol: 1,
      version: this.version,
      member: owner.member,
      podUid,
      clusterId: owner.clusterId,
      configRevision,
      ...(executedOrder === undefined ? {} : { executedOrder }),
      ...(refusedOrder === undefined ? {} : { refusedOrder }),
      prepare: report === undefined ? { kind: "checking" } : (prepare ?? { kind: "done" }),
      volume,
      ...rest,
    };
  }

  /** Wakes those that wait when the answer means something else than before: heights and ages are no news. */
  publish(answer: AgentAnswer): void {
    const { version: _, node, peers, ...others } = answer;
    const role = node.kind === "open" ? [node.isLeader] : [node.raftPortOpen];
    const reach = peers.map(({ name, raft }) => `${name} ${raft.kind}`);
    const meaning = JSON.stringify([others, node.kind, role, reach]);
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
