import { isDeepStrictEqual } from "node:util";
import { kinds } from "../../../src/model/kinds.ts";
import type { KubeObject } from "../../../src/model/kube-object.ts";
import type { StatefulSet } from "../../../src/model/objects.ts";
import { seededRandom } from "../../runtime/seeded-random.ts";
import { Chance } from "../chance.ts";
import { recordIn } from "./membership-change.ts";
import type { Universe } from "./universe.ts";
import { MAIN } from "./wanted.ts";

/** An operator reads the spec, and writes the StatefulSet after that: what was asked for a moment ago is no mistake. */
const UNKNOWABLE_MS = 10_000;

/** Owners who suspend their cluster in the middle of anything, and resume it when they like. */
export class Suspensions {
  /** Of its own: whoever never suspends leaves the course of a seed as it is. */
  readonly chance: Chance;
  readonly #universe: Universe;
  readonly #rate: number;
  #changedAtMs = Number.NEGATIVE_INFINITY;

  constructor(universe: Universe, seed: number) {
    this.#universe = universe;
    this.chance = new Chance(seededRandom(seed + 0x5a5e));
    this.#rate = this.chance.is(0.25) ? 0.01 : 0;
    universe.registry.store.subscribe(({ kind, before, after }) => {
      if (kind === kinds.cluster.kind && suspendIn(before) !== suspendIn(after))
        this.#changedAtMs = universe.nowMs;
      if (kind === kinds.statefulSet.kind && before !== undefined && after !== undefined)
        this.#checkReplicas(before as StatefulSet, after as StatefulSet);
    });
  }

  /** At every step while things go wrong. */
  tend(): void {
    if (this.#rate === 0) return;
    if (this.#isSuspended) {
      if (this.chance.is(0.02)) this.set(false);
    } else if (this.chance.is(this.#rate)) this.set(true);
  }

  set(suspend: boolean): void {
    const { registry, history, counts } = this.#universe;
    const cluster = registry.store.get(kinds.cluster, MAIN);
    if (cluster === undefined || cluster.metadata.deletionTimestamp !== undefined) return;
    if ((cluster.spec.suspend ?? false) === suspend) return;
    history.note(`owner ${suspend ? "suspends" : "resumes"} ${MAIN.name}`);
    counts.add(`owner ${suspend ? "suspended" : "resumed"} the cluster`);
    registry.patch(kinds.cluster, MAIN, { spec: { suspend } });
  }

  get #isSuspended(): boolean {
    return this.#universe.registry.store.get(kinds.cluster, MAIN)?.spec.suspend === true;
  }

  /** All members stop, or start again, on their owner's word alone. */
  #checkReplicas(before: StatefulSet, after: StatefulSet): void {
    const [had, has] = [before.spec?.replicas, after.spec?.replicas];
    // A change of the number of members that is begun or taken back has pods of its own.
    const isOfChange = !isDeepStrictEqual(recordIn(before), recordIn(after)) && has !== 0 && had !== 0;
    if (had === has || isOfChange || this.#universe.nowMs - this.#changedAtMs < UNKNOWABLE_MS) return;
    const { name, namespace = "" } = after.metadata;
    const cluster = this.#universe.registry.store.get(kinds.cluster, { namespace, name });
    if (cluster === undefined || (cluster.spec.suspend ?? false) === (has === 0)) return;
    this.#universe.violate(`StatefulSet ${namespace}/${name} has ${has} replicas, which nobody asked for`);
  }
}

const suspendIn = (object: KubeObject | undefined): boolean =>
  (object as { readonly spec?: { readonly suspend?: boolean } } | undefined)?.spec?.suspend ?? false;
