import { kinds } from "../../../src/model/kinds.ts";
import type { Request } from "../faults.ts";
import type { Universe } from "./universe.ts";

/** Heights are written once a minute for each cluster; a little less, as a run comes when it can. */
const STATUS_EVERY_MS = 55_000;

/** Sees to it that a world in which all is well gets no writes, but for the Lease and the heights. */
export class Quiet {
  readonly #universe: Universe;
  readonly #statuses = new Map<string, number>();
  #hasBegun = false;

  constructor(universe: Universe) {
    this.#universe = universe;
  }

  begin(): void {
    this.#hasBegun = true;
  }

  end(): void {
    this.#hasBegun = false;
  }

  onWrite({ client, verb, kind, namespace, name }: Request): void {
    if (!this.#hasBegun || kind === kinds.lease.kind) return;
    const { nowMs } = this.#universe;
    const isStatus = verb === "replaceStatus" && kind === kinds.cluster.kind;
    const key = `${namespace}/${name}`;
    const lastMs = this.#statuses.get(key) ?? Number.NEGATIVE_INFINITY;
    if (isStatus) this.#statuses.set(key, nowMs);
    if (isStatus && nowMs - lastMs >= STATUS_EVERY_MS) return;
    this.#universe.violate(`${client} wrote ${verb} ${kind} ${key} although all was well`);
  }
}
