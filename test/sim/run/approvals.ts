import type { Order } from "../../../src/model/agent-protocol.ts";
import type { PodRun } from "../member/pod-run.ts";

/** What the owner allowed, and what was done without leave. */
export class Approvals {
  readonly #policy: (namespace: string, member: string) => boolean;
  readonly #allowed = new Set<string>();
  /** The last epoch that was begun, by cluster. */
  readonly #begun = new Map<string, number>();

  /** `policy`: whether the spec of the member's cluster allows what nobody was asked for. */
  constructor(policy: (namespace: string, member: string) => boolean) {
    this.#policy = policy;
  }

  /** The owner lets this member be rebuilt, for as long as that stands on the cluster. */
  allow(namespace: string, member: string): void {
    this.#allowed.add(`${namespace}/${member}`);
  }

  /** The approval was taken off: the next loss needs another one. */
  end(namespace: string, member: string): void {
    this.#allowed.delete(`${namespace}/${member}`);
  }

  isAllowed(namespace: string, member: string): boolean {
    return this.#allowed.has(`${namespace}/${member}`) || this.#policy(namespace, member);
  }

  onStart({ agent, process }: PodRun): void {
    if (process === undefined || process.isHeld) return;
    const { clusterId } = agent.mounted.owner;
    this.#begun.set(clusterId, Math.max(process.epoch, this.#begun.get(clusterId) ?? 0));
  }

  hasBegun({ agent }: PodRun, epoch: number): boolean {
    return (this.#begun.get(agent.mounted.owner.clusterId) ?? 0) >= epoch;
  }

  /** An agent carried out an order. */
  onOrder(run: PodRun, order: Order, violate: (what: string) => void): void {
    const name = `${run.namespace}/${run.name}`;
    if (order.kind === "bootstrap" && this.hasBegun(run, order.epoch))
      violate(`${name} was bootstrapped although members of its cluster ran before`);
    if (order.kind === "rejoin" && !this.isAllowed(run.namespace, run.name))
      violate(`${name} was rebuilt without the owner's leave`);
  }
}
