import { annotations, labels } from "../../../src/model/annotations.ts";
import { kinds } from "../../../src/model/kinds.ts";
import type { KubeObject } from "../../../src/model/kube-object.ts";
import { identitySecretName } from "../../../src/model/names.ts";
import { readRolloutRecord } from "../../../src/model/rollout-record.ts";
import { entryText } from "../../../src/model/secret-text.ts";
import type { PodRun } from "../member/pod-run.ts";
import { chainKey } from "../member/raft-group.ts";
import { Epochs } from "./epochs.ts";
import type { Universe } from "./universe.ts";

const isReverted = (set: KubeObject | undefined) =>
  readRolloutRecord(set?.metadata.annotations?.[annotations.rollout])?.kind === "reverted";

/** What must hold of the world as it is, whatever the operator saw of it. */
export class Invariants {
  readonly #universe: Universe;
  readonly #epochs: Epochs;
  readonly #identities = new Map<string, string>();
  /** Which roles a pod had at some time, as `uid role`. */
  readonly #had = new Set<string>();

  constructor(universe: Universe, replicas: number) {
    this.#universe = universe;
    this.#epochs = new Epochs(universe, replicas);
    universe.onOrder = (run, order) => this.#epochs.onOrder(run, order);
    const { store } = universe.registry;
    store.subscribe(({ kind, before, after }) => {
      if (kind === kinds.pod.kind) this.#checkRoles();
      if (kind === kinds.secret.kind && after !== undefined) this.#checkIdentities();
      if (kind === kinds.statefulSet.kind && isReverted(after) && !isReverted(before))
        universe.counts.add("operator took a change of the spec back");
      if (kind === kinds.claim.kind && after !== undefined) this.#checkMark(before, after);
    });
  }

  /** After every step. */
  check(): void {
    const running = [...this.#universe.runs.values()].filter(({ process }) => process !== undefined);
    this.#checkProcesses(running);
    for (const run of running) {
      this.#checkVolume(run);
      if (run.process) this.#had.add(`${run.uid} ${run.process.role}`);
    }
    this.#epochs.check();
  }

  #checkProcesses(running: readonly PodRun[]): void {
    const members = new Set<string>();
    const clusters = new Map<string, string>();
    for (const run of running) {
      const { clusterId } = run.agent.mounted.owner;
      const member = `${clusterId}/${run.name}`;
      if (members.has(member)) this.#universe.violate(`two processes of ${run.namespace}/${run.name} run`);
      members.add(member);
      const other = clusters.get(chainKey(run)) ?? clusterId;
      if (other !== clusterId) this.#universe.violate(`two clusters run ${chainKey(run)}`);
      clusters.set(chainKey(run), clusterId);
    }
  }

  #checkVolume({ volume, namespace, name, process }: PodRun): void {
    const orders = volume.record?.executedOrders ?? [];
    const isHeld = process?.isHeld === true;
    const kindsOfOrder = isHeld ? ["join", "freeze"] : ["bootstrap", "rejoin"];
    const isOrdered = orders.some((id) => kindsOfOrder.some((kind) => id.startsWith(kind)));
    if (!isOrdered || (!isHeld && volume.record?.started !== true))
      this.#universe.violate(`${namespace}/${name} runs on a volume that nobody ordered it to`);
  }

  /** The leader Service must not lead to two members, and what one pod was says nothing about the next. */
  #checkRoles(): void {
    const leaders = new Set<string>();
    for (const { metadata } of this.#universe.registry.store.all(kinds.pod)) {
      const role = metadata.labels?.[labels.role];
      if (role !== undefined && !this.#had.has(`${metadata.uid} ${role}`))
        this.#universe.violate(`${metadata.name} is labelled as ${role}, which this pod never was`);
      if (role !== "leader") continue;
      const cluster = `${metadata.namespace}/${metadata.name.replace(/-\d+$/, "")}`;
      if (leaders.has(cluster)) this.#universe.violate(`two pods of ${cluster} are labelled as leader`);
      leaders.add(cluster);
    }
  }

  /** A claim is marked when its volume was prepared, or on its owner's word that it may be anew. */
  #checkMark(before: KubeObject | undefined, { metadata }: KubeObject): void {
    const isMarked = ({ annotations: notes }: KubeObject["metadata"]) =>
      notes?.[annotations.started] !== undefined;
    if (!isMarked(metadata) || (before !== undefined && isMarked(before.metadata))) return;
    const { namespace = "", name } = metadata;
    const { approvals, registry, volumes } = this.#universe;
    const volume = volumes.get(registry.store.get(kinds.claim, metadata)?.spec?.volumeName ?? "");
    if (volume?.record !== undefined || approvals.isAllowed(namespace, name.replace(/^data-/, ""))) return;
    this.#universe.violate(`claim ${namespace}/${name} was marked as started on an empty volume`);
  }

  /** A cluster that has an identity keeps it. */
  #checkIdentities(): void {
    for (const secret of this.#universe.registry.store.all(kinds.secret)) {
      const { name, namespace, annotations: notes } = secret.metadata;
      const proposer = notes?.[annotations.proposer];
      if (proposer === undefined || !name.endsWith(identitySecretName(""))) continue;
      const identity = `${entryText(secret, "cluster_id")} ${proposer}`;
      const key = `${namespace}/${name}`;
      if ((this.#identities.get(key) ?? identity) !== identity)
        this.#universe.violate(`${key} is another identity than before`);
      this.#identities.set(key, identity);
    }
  }
}
