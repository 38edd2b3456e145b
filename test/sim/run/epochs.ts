import type { EvNodeCluster } from "../../../src/api/evnodecluster.ts";
import type { Order } from "../../../src/model/agent-protocol.ts";
import { annotations } from "../../../src/model/annotations.ts";
import { FIRST_EPOCH } from "../../../src/model/identity.ts";
import { kinds } from "../../../src/model/kinds.ts";
import type { KubeObject } from "../../../src/model/kube-object.ts";
import { identitySecretName } from "../../../src/model/names.ts";
import type { PodRun } from "../member/pod-run.ts";
import { chainKey } from "../member/raft-group.ts";
import type { Volume } from "../member/volume.ts";
import { changeIn } from "./membership-change.ts";
import type { Universe } from "./universe.ts";

/** Of which memberships there was ever talk, and what must hold between any two of them. */
export class Epochs {
  readonly #universe: Universe;
  /** What owners ever approved, as `namespace/name epoch replicas`. */
  readonly #approved = new Set<string>();
  /** How many members each epoch has, by `namespace/name epoch`. */
  readonly #sizes = new Map<string, number>();
  /** The same of all clusters, by epoch. */
  readonly #asked = new Map<number, Set<number>>();
  readonly #identities = new Map<string, number>();
  /** The latest epoch that each volume went over to. */
  readonly #reached = new Map<Volume, number>();

  constructor(universe: Universe, replicas: number) {
    this.#universe = universe;
    universe.registry.store.subscribe(({ kind, before, after }) => {
      if (after === undefined) return;
      if (kind === kinds.cluster.kind)
        this.#noteSpec(after as unknown as EvNodeCluster & KubeObject, replicas);
      if (kind === kinds.statefulSet.kind) this.#checkRecord(before, after);
      if (kind === kinds.secret.kind) this.#checkIdentity(after);
    });
  }

  /** Nobody stops making blocks, or follows as a member to come, without its owner's leave for that very epoch. */
  onOrder({ namespace, cluster, name }: PodRun, order: Order): void {
    const epoch = order.kind === "freeze" ? order.to : order.kind === "join" ? order.epoch : undefined;
    if (epoch === undefined) return;
    const size = this.#sizes.get(`${namespace}/${cluster} ${epoch}`);
    if (size === undefined)
      this.#universe.violate(`${namespace}/${name} has an order for epoch ${epoch}, which nobody approved`);
  }

  /** After every step. */
  check(): void {
    const producers = [...this.#universe.runs.values()].filter(({ process }) => process?.isHeld === false);
    const epochs = new Map<string, number>();
    for (const run of producers) {
      const { epoch, role } = run.process ?? { epoch: 0, role: "waiting" };
      const name = `${run.namespace}/${run.name}`;
      const key = chainKey(run);
      const other = epochs.get(key) ?? epoch;
      if (other !== epoch)
        this.#universe.violate(`members of epochs ${other} and ${epoch} can make blocks of ${key}`);
      epochs.set(key, epoch);
      if (epoch < (this.#universe.committedEpochs.get(key) ?? 0))
        this.#universe.violate(`${name} can make blocks in epoch ${epoch}, which is over`);
      const decided = this.#identities.get(`${run.namespace}/${identitySecretName(run.cluster)}`) ?? epoch;
      if (epoch !== decided)
        this.#universe.violate(
          `${name} can make blocks in epoch ${epoch}, and the identity names ${decided}`,
        );
      if (epoch < (this.#reached.get(run.volume) ?? 0))
        this.#universe.violate(`${name} runs epoch ${epoch} on a volume that went over to a later one`);
      const size = this.#sizes.get(`${run.namespace}/${run.cluster} ${epoch}`);
      const voters = run.volume.rafts.get(epoch)?.voters.length;
      if (size !== undefined && voters !== undefined && voters !== size)
        this.#universe.violate(`${name} runs with a membership of ${voters} in epoch ${epoch} of ${size}`);
      const ordinal = Number(/\d+$/.exec(run.name)?.[0]);
      if (role === "leader" && size !== undefined && ordinal >= size)
        this.#universe.violate(`${name} leads, and is no member of epoch ${epoch}`);
    }
    for (const volume of this.#universe.volumes.values()) this.#checkVolume(volume);
  }

  #checkVolume(volume: Volume): void {
    const { record, name } = volume;
    for (const [epoch, { voters }] of volume.rafts)
      if (this.#asked.get(epoch)?.has(voters.length) === false)
        this.#universe.violate(`${name} holds a membership of ${voters.length} in epoch ${epoch}`);
    if (record === undefined) return;
    if (record.change === undefined && record.started)
      this.#reached.set(volume, Math.max(record.epoch, this.#reached.get(volume) ?? 0));
    if (record.change === undefined && record.epoch < (this.#reached.get(volume) ?? 0))
      this.#universe.violate(`${name} went back to epoch ${record.epoch}`);
  }

  #noteSpec({ metadata, spec }: EvNodeCluster & KubeObject, replicas: number): void {
    const key = `${metadata.namespace}/${metadata.name}`;
    this.#noteSize(key, FIRST_EPOCH, replicas);
    const epoch = spec.membership?.approvedEpoch;
    if (epoch !== undefined) this.#approved.add(`${key} ${epoch} ${spec.replicas}`);
  }

  #noteSize(key: string, epoch: number, replicas: number): void {
    this.#sizes.set(`${key} ${epoch}`, replicas);
    this.#asked.set(epoch, (this.#asked.get(epoch) ?? new Set()).add(replicas));
  }

  #checkRecord(before: KubeObject | undefined, after: KubeObject): void {
    const change = changeIn(after);
    const isNew = change !== undefined && changeIn(before)?.to.epoch !== change.to.epoch;
    if (!isNew || change.kind !== "changing") return;
    const { epoch, replicas } = change.to;
    const key = `${after.metadata.namespace}/${after.metadata.name}`;
    if (!this.#approved.has(`${key} ${epoch} ${replicas}`))
      this.#universe.violate(
        `a change of ${key} to ${replicas} members in epoch ${epoch} begins, which nobody approved`,
      );
    this.#noteSize(key, epoch, replicas);
    this.#universe.counts.add("change of the number of members begun");
  }

  #checkIdentity({ metadata }: KubeObject): void {
    if (!metadata.name.endsWith(identitySecretName(""))) return;
    const epoch = Number(metadata.annotations?.[annotations.epoch] ?? 0);
    const key = `${metadata.namespace}/${metadata.name}`;
    const before = this.#identities.get(key) ?? epoch;
    if (epoch < before) this.#universe.violate(`${key} goes back from epoch ${before} to ${epoch}`);
    if (epoch > before) this.#universe.counts.add("change of the number of members decided");
    this.#identities.set(key, epoch);
  }
}
