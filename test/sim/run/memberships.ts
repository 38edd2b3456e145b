import type { Spec } from "../../../src/api/evnodecluster.ts";
import { annotations } from "../../../src/model/annotations.ts";
import { kinds } from "../../../src/model/kinds.ts";
import type { EvNodeClusterObject } from "../../../src/model/objects.ts";
import { seededRandom } from "../../runtime/seeded-random.ts";
import { Chance } from "../chance.ts";
import { changeIn, recordIn } from "./membership-change.ts";
import type { Owner } from "./owner.ts";
import type { Universe } from "./universe.ts";
import { MAIN, REPLICAS, type Replicas } from "./wanted.ts";

const NUMBERS: readonly Replicas[] = [1, 3, 5];

/** Owners who want another number of members in the middle of anything, approve it or not, and think better of it. */
export class Memberships {
  /** Of its own: whoever never changes the number leaves the course of a seed as it is. */
  readonly chance: Chance;
  readonly #universe: Universe;
  readonly #owner: Owner;
  readonly #rate: number;
  /** Half of those who want another number want nothing else: a change waits for every rollout. */
  readonly isTheOnlyWish: boolean;

  constructor(universe: Universe, owner: Owner, seed: number, isWilling: boolean) {
    this.#universe = universe;
    this.#owner = owner;
    this.chance = new Chance(seededRandom(seed + 0x3e3b));
    this.#rate = isWilling ? (this.chance.pick([0.005, 0.02, 0.05]) ?? 0) : 0;
    this.isTheOnlyWish = isWilling && this.chance.is(0.5);
  }

  get isWilling(): boolean {
    return this.#rate > 0;
  }

  /** At every step while things go wrong. */
  tend(): void {
    if (!this.isWilling) return;
    const { chance } = this;
    if (this.isChanging) {
      if (!chance.is(0.004)) return;
      if (chance.is(0.5)) this.takeBack();
      else this.ask(chance.pick(NUMBERS) ?? REPLICAS, chance.is(0.7));
    } else if (chance.is(this.#rate)) this.ask(chance.pick(NUMBERS) ?? REPLICAS, chance.is(0.7));
    else if (chance.is(0.01)) this.approve();
  }

  /** At every step while nothing goes wrong: what was asked for is made, however often it is taken back. */
  settle(): void {
    if (!this.isWilling || !this.chance.is(0.02)) return;
    if (this.chance.is(0.1) && recordIn(this.#set)?.kind === "takenBack") this.takeBack();
    else this.approve();
  }

  /** As many members, with or without leave to stop the chain for it. */
  ask(replicas: Replicas, isApproved: boolean): void {
    const epoch = this.cluster?.status?.membership?.nextEpoch;
    // Before the first start the number is part of what the chain is begun with.
    if (epoch === undefined || this.#owner.membersOf(MAIN) === undefined) return;
    const approval = isApproved ? { membership: { approvedEpoch: epoch } } : {};
    const leave = isApproved ? `, in epoch ${epoch}` : "";
    this.#edit({ replicas, ...approval }, `asks for ${replicas} members${leave}`);
  }

  /** The next attempt at what is asked for. */
  approve(): void {
    const { cluster } = this;
    const epoch = cluster?.status?.membership?.nextEpoch;
    const isDone = this.#owner.membersOf(MAIN) === (cluster?.spec.replicas ?? REPLICAS);
    if (epoch === undefined || isDone || this.isChanging) return;
    this.#edit({ membership: { approvedEpoch: epoch } }, `approves epoch ${epoch}`);
  }

  /** As many members as there are. */
  takeBack(): void {
    const members = this.#owner.membersOf(MAIN) as Replicas | undefined;
    if (members !== undefined) this.#edit({ replicas: members }, "asks for no change any more");
  }

  /** Somebody takes off what the operator has written down of the change, or deletes what it stands on. */
  loseRecord(): void {
    const { registry, history, counts } = this.#universe;
    if (this.#set === undefined) return;
    counts.add("record of a change of the number of members lost");
    if (this.chance.is(0.5)) {
      history.note(`somebody takes the record of the change off ${MAIN.name}`);
      const off = { [annotations.membershipChange]: null };
      registry.patch(kinds.statefulSet, MAIN, { metadata: { annotations: off } });
      return;
    }
    const propagation = this.chance.is(0.5) ? "Orphan" : "Background";
    history.note(`somebody deletes StatefulSet ${MAIN.name}, ${propagation}`);
    registry.delete(kinds.statefulSet, MAIN, { propagation });
  }

  get cluster(): EvNodeClusterObject | undefined {
    return this.#owner.clusterOf(MAIN);
  }

  get #set() {
    return this.#universe.registry.store.get(kinds.statefulSet, MAIN);
  }

  get isChanging(): boolean {
    return this.isWilling && changeIn(this.#set) !== undefined;
  }

  #edit(spec: Partial<Spec>, what: string): void {
    const { registry, history, counts } = this.#universe;
    const { cluster } = this;
    if (cluster === undefined || cluster.metadata.deletionTimestamp !== undefined) return;
    if (spec.replicas !== undefined) this.#owner.wants(spec.replicas);
    const { generation } = registry.patch(kinds.cluster, MAIN, { spec }).metadata;
    if (generation === cluster.metadata.generation) return;
    history.note(`owner ${what}`);
    counts.add(`owner ${what.replaceAll(/ \d+/g, "")}`);
  }
}
