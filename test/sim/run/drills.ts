import { annotations } from "../../../src/model/annotations.ts";
import { type DrillRecord, readDrillRecord } from "../../../src/model/drill-record.ts";
import { kinds } from "../../../src/model/kinds.ts";
import type { EvNodeClusterObject } from "../../../src/model/objects.ts";
import { seededRandom } from "../../runtime/seeded-random.ts";
import { Chance } from "../chance.ts";
import type { PodRun } from "../member/pod-run.ts";
import type { Registry } from "../registry.ts";
import type { Universe } from "./universe.ts";
import { MAIN } from "./wanted.ts";

/** Owners ask for failover drills at any moment, mostly at a bad one. */
export class Drills {
  /** Of its own: whoever never asks for a drill leaves the course of a seed as it is. */
  readonly chance: Chance;
  readonly #universe: Universe;
  readonly #rate: number;
  #count = 0;

  constructor(universe: Universe, seed: number) {
    this.#universe = universe;
    this.chance = new Chance(seededRandom(seed + 0x5eed));
    this.#rate = this.chance.is(0.4) ? 0.02 : 0;
  }

  /** At every step while things go wrong. */
  tend(): void {
    if (this.chance.is(this.#rate)) this.ask();
  }

  ask(): void {
    const { registry, history, counts } = this.#universe;
    const cluster = registry.store.get(kinds.cluster, MAIN);
    if (cluster === undefined || cluster.metadata.deletionTimestamp !== undefined) return;
    this.#count += 1;
    const request = `drill ${this.#count}`;
    history.note(`owner asks for ${request}`);
    counts.add("owner asked for a drill");
    registry.patch(kinds.cluster, MAIN, { metadata: { annotations: { [annotations.drill]: request } } });
  }

  /** How the one that was asked for last came out; undefined while that is not known. */
  get outcome(): Exclude<DrillRecord, { kind: "underWay" }> | undefined {
    const record = recordOf(this.#universe.registry.store.get(kinds.cluster, MAIN));
    if (record === undefined || record.kind === "underWay") return undefined;
    return record.request === `drill ${this.#count}` ? record : undefined;
  }
}

const recordOf = (cluster: EvNodeClusterObject | undefined): DrillRecord | undefined =>
  readDrillRecord(cluster?.metadata.annotations?.[annotations.lastDrill]);

/** The drill for which this member may be restarted, though it runs what it has to run. */
export function drillOf({ store }: Registry, { namespace, cluster, name }: PodRun) {
  const record = recordOf(store.get(kinds.cluster, { namespace, name: cluster }));
  return record?.kind === "underWay" && record.from === name ? record : undefined;
}

/** A request that nobody looked at, or a drill that has no end. */
export function unendedDrill(cluster: EvNodeClusterObject | undefined): string | undefined {
  if (cluster?.metadata.annotations?.[annotations.drill] !== undefined) return "a drill is asked for";
  return recordOf(cluster)?.kind === "underWay" ? "a drill is under way" : undefined;
}
