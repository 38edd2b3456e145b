import { kinds } from "../../../src/model/kinds.ts";
import type { Request } from "../faults.ts";
import type { Universe } from "./universe.ts";

const WITHIN_MS = 10_000;
/** Several times what all that goes wrong at once makes of one object. */
const MOST = 100;

/** Finds an operator that undoes what it did a moment ago, again and again. */
export class WriteStorms {
  readonly #universe: Universe;
  /** When each object was written lately, by its kind and name. */
  readonly #times = new Map<string, readonly number[]>();

  constructor(universe: Universe) {
    this.#universe = universe;
  }

  onWrite({ client, verb, kind, namespace, name }: Request): void {
    if (kind === kinds.lease.kind || kind === kinds.event.kind) return;
    const { nowMs } = this.#universe;
    const key = `${verb} ${kind} ${namespace}/${name}`;
    const times = [...(this.#times.get(key) ?? []).filter((atMs) => nowMs - atMs < WITHIN_MS), nowMs];
    this.#times.set(key, times);
    if (times.length > MOST)
      this.#universe.violate(`${client} wrote ${key} ${times.length} times within ${WITHIN_MS / 1_000} s`);
  }
}
