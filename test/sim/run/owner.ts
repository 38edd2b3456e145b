import { annotations } from "../../../src/model/annotations.ts";
import { parseMembership } from "../../../src/model/identity.ts";
import { kinds } from "../../../src/model/kinds.ts";
import { chainLockName, claimName, identitySecretName, memberName } from "../../../src/model/names.ts";
import type { EvNodeClusterObject, PersistentVolumeClaim } from "../../../src/model/objects.ts";
import { heightOf } from "../member/block.ts";
import { fateOf } from "../node/images.ts";
import { correction, type Edit, goodEdit } from "./edits.ts";
import { OPERATOR_NAMESPACE } from "./simulated-operator.ts";
import { nodeImage } from "./target.ts";
import type { Universe } from "./universe.ts";
import {
  approvalOf,
  MAIN,
  MAX_BLOCKS_BEHIND,
  type Replicas,
  type Taste,
  usualTaste,
  wantedCluster,
} from "./wanted.ts";

/** Whoever owns the clusters: applies, deletes, and allows a lost member to be rebuilt. */
export class Owner {
  readonly #universe: Universe;
  readonly #taste: Taste;
  #wanted: Replicas;

  constructor(universe: Universe, taste: Taste = usualTaste) {
    this.#universe = universe;
    this.#taste = taste;
    this.#wanted = taste.replicas;
  }

  /** How many members the cluster that is tried is to have. */
  get replicas(): Replicas {
    return this.replicasOf(MAIN);
  }

  replicasOf(ref: typeof MAIN): Replicas {
    return ref === MAIN ? this.#wanted : this.#taste.replicas;
  }

  /** Another number for the cluster that is tried, from now on. */
  wants(replicas: Replicas): void {
    this.#wanted = replicas;
  }

  /** How many there are by the identity; undefined before that is known. */
  membersOf({ namespace, name }: typeof MAIN): number | undefined {
    const ref = { namespace, name: identitySecretName(name) };
    const notes = this.#universe.registry.store.get(kinds.secret, ref)?.metadata.annotations;
    return parseMembership(notes?.[annotations.membership])?.replicas;
  }

  clusterOf(ref: typeof MAIN): EvNodeClusterObject | undefined {
    return this.#universe.registry.store.get(kinds.cluster, ref);
  }

  apply(ref: typeof MAIN): void {
    if (this.clusterOf(ref) !== undefined) return;
    this.#universe.history.note(`owner applies ${ref.namespace}/${ref.name}`);
    // As many as the chain was begun with, or went on with: a cluster that is made anew can have no others.
    const replicas = (this.membersOf(ref) as Replicas | undefined) ?? this.replicasOf(ref);
    if (ref === MAIN) this.wants(replicas);
    this.#universe.registry.create(kinds.cluster, wantedCluster(ref, { ...this.#taste, replicas }));
  }

  delete(ref: typeof MAIN): boolean {
    const cluster = this.clusterOf(ref);
    if (cluster === undefined || cluster.metadata.deletionTimestamp !== undefined) return false;
    this.#universe.history.note(`owner deletes ${ref.namespace}/${ref.name}`);
    this.#universe.registry.delete(kinds.cluster, ref, { propagation: "Background" });
    return true;
  }

  /** Changes the spec, whatever is under way. */
  edit(ref: typeof MAIN, { name, spec }: Edit): void {
    const { registry, history, counts } = this.#universe;
    const cluster = this.clusterOf(ref);
    if (cluster === undefined || cluster.metadata.deletionTimestamp !== undefined) return;
    const { generation } = registry.patch(kinds.cluster, ref, { spec }).metadata;
    if (generation === cluster.metadata.generation) return;
    history.note(`owner changes ${name} of ${ref.name}: ${JSON.stringify(spec)}`);
    counts.add(`owner changed ${name}`);
  }

  /** Takes back what brings no member up. */
  correct(ref: typeof MAIN): void {
    const cluster = this.clusterOf(ref);
    const edit = cluster && correction(cluster.spec, this.#universe.chance);
    if (edit !== undefined) this.edit(ref, edit);
  }

  /** A change that was taken back is not tried again as it is: its owner asks for something else. */
  reconsider(ref: typeof MAIN): void {
    const conditions = this.clusterOf(ref)?.status?.conditions ?? [];
    const isRefused = conditions.some(({ reason }) => reason === "RolloutReverted");
    if (isRefused) this.edit(ref, goodEdit(this.#universe.chance));
  }

  /**
   * Beside a member that is away none that never catches up is touched, though another template may heal it: it may be
   * needed for a majority. Whether to restart it all the same is for a person to say. So it is with one that was
   * rebuilt and did not come up.
   */
  restartLaggard(ref: typeof MAIN): void {
    const { registry, history, chance } = this.#universe;
    const conditions = this.clusterOf(ref)?.status?.conditions ?? [];
    const told = conditions.filter(
      ({ reason, message }) => reason === "VolumeLost" || message.includes("does not get on"),
    );
    const texts = told.map(({ message }) => message).join(" ");
    const [, behind] = /(\S+) is more than \d+ blocks behind/.exec(texts) ?? [];
    const [, failed] = /to have it tried again, delete pod (\S+)\./.exec(texts) ?? [];
    const name = failed ?? behind;
    if (name === undefined || !chance.is(0.05)) return;
    history.note(`owner deletes pod ${name}, which is behind or did not come up`);
    registry.delete(kinds.pod, { namespace: ref.namespace, name });
  }

  approve(ref: typeof MAIN, member: string): void {
    const { registry, history, approvals } = this.#universe;
    const cluster = this.clusterOf(ref);
    if (cluster === undefined || approvalOf(cluster) === member) return;
    history.note(`owner approves the rebuild of ${member}`);
    registry.patch(kinds.cluster, ref, {
      metadata: { annotations: { [annotations.approveRejoin]: member } },
    });
    approvals.allow(ref.namespace, member);
  }

  /** Does what the operator asks for when nobody knows any more what the pods were made from. */
  renewIntent(ref: typeof MAIN): void {
    const { registry, history } = this.#universe;
    const conditions = this.clusterOf(ref)?.status?.conditions ?? [];
    const isAsked = conditions.some(({ reason }) => reason === "IntentUnreadable");
    if (!isAsked || registry.store.get(kinds.statefulSet, ref) === undefined) return;
    history.note(`owner deletes StatefulSet ${ref.name} without its pods`);
    registry.delete(kinds.statefulSet, ref, { propagation: "Orphan" });
  }

  /** The uid of the cluster that holds the lock of the chain. */
  lockHolder(): string | undefined {
    const { store } = this.#universe.registry;
    for (const secret of store.all(kinds.secret)) {
      const notes = secret.metadata.annotations ?? {};
      const [chain, proposer] = [notes[annotations.chain], notes[annotations.proposer]];
      if (chain === undefined || proposer === undefined) continue;
      const lock = store.get(kinds.configMap, {
        namespace: OPERATOR_NAMESPACE,
        name: chainLockName(chain, proposer),
      });
      if (lock !== undefined) return lock.data?.["uid"];
    }
    return undefined;
  }

  /** Members that run no more because their volume was lost: an empty or broken one, in a cluster that was begun. */
  lostMembers(ref: typeof MAIN): readonly string[] {
    const { store } = this.#universe.registry;
    const identity = store.get(kinds.secret, { ...ref, name: identitySecretName(ref.name) });
    if (identity?.metadata.annotations?.[annotations.bootstrapped] === undefined) return [];
    return this.#ordinals(ref).flatMap((ordinal) =>
      this.#isWhole(ref, ordinal) ? [] : [memberName(ref.name, ordinal)],
    );
  }

  /**
   * Whether this member may lose its volume: the others must have theirs, and have followed the chain on it, or none
   * has anything yet.
   */
  mayLose(ref: typeof MAIN, ordinal: number): boolean {
    const others = this.#ordinals(ref).filter((other) => other !== ordinal);
    const isNew = this.#ordinals(ref).every((other) => this.#volumeOf(ref, other)?.record === undefined);
    // Nobody brings the volume of a single sequencer back.
    if (others.length === 0) return isNew;
    return isNew || others.every((other) => this.#isWhole(ref, other) && this.#mayLead(ref, other));
  }

  #ordinals(ref: typeof MAIN): readonly number[] {
    return Array.from({ length: this.membersOf(ref) ?? this.replicasOf(ref) }, (_, ordinal) => ordinal);
  }

  #isWhole(ref: typeof MAIN, ordinal: number): boolean {
    const claim = this.#claimOf(ref, ordinal);
    if (claim === undefined || claim.metadata.deletionTimestamp !== undefined) return false;
    const volume = this.#volumeOf(ref, ordinal);
    return volume?.record !== undefined && volume.raft !== undefined && !volume.raft.isSpoilt;
  }

  /** One that has the log and not the blocks, or never gets any, cannot lead where the one that can is lost. */
  #mayLead(ref: typeof MAIN, ordinal: number): boolean {
    const { record, raft, stored } = this.#volumeOf(ref, ordinal) ?? {};
    const log = raft?.log;
    const name = memberName(ref.name, ordinal);
    const pod = this.#universe.registry.store.get(kinds.pod, { namespace: ref.namespace, name });
    if (pod !== undefined && fateOf(nodeImage(pod.spec) ?? "") === "lagging") return false;
    // The log of an epoch that is about to begin is empty, and the store is all that there is.
    if (record !== undefined && log === undefined && record.epoch > 1) return this.#holdsAll(ref, ordinal);
    if (record?.change?.kind === "joining") return this.#holdsAll(ref, ordinal);
    return log !== undefined && heightOf(log) - heightOf(stored) <= MAX_BLOCKS_BEHIND;
  }

  #holdsAll(ref: typeof MAIN, ordinal: number): boolean {
    const heights = this.#ordinals(ref).map((other) => heightOf(this.#volumeOf(ref, other)?.stored));
    return heights[ordinal] === Math.max(...heights);
  }

  #claimOf(ref: typeof MAIN, ordinal: number): PersistentVolumeClaim | undefined {
    const { store } = this.#universe.registry;
    return store.get(kinds.claim, { namespace: ref.namespace, name: claimName(ref.name, ordinal) });
  }

  #volumeOf(ref: typeof MAIN, ordinal: number) {
    return this.#universe.volumes.get(this.#claimOf(ref, ordinal)?.spec?.volumeName ?? "");
  }
}
