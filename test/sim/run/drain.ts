import { labels } from "../../../src/model/annotations.ts";
import { kinds } from "../../../src/model/kinds.ts";
import type { Pod } from "../../../src/model/objects.ts";
import { evict } from "../eviction.ts";
import { nodeNames } from "../node/nodes.ts";
import { Refused } from "../refused.ts";
import type { Universe } from "./universe.ts";

/**
 * Somebody empties one node after another, as for an upgrade of them: each member that is there is asked to go by the
 * Eviction API, again and again until it may.
 */
export class Drain {
  readonly #universe: Universe;
  #left: readonly string[] = [];
  #nextMs = 0;

  constructor(universe: Universe) {
    this.#universe = universe;
  }

  begin(): boolean {
    if (this.#left.length > 0) return false;
    this.#left = nodeNames;
    this.#universe.history.note("somebody drains all nodes, one after another");
    return true;
  }

  end(): void {
    this.#left = [];
  }

  tend(): void {
    const { nowMs, chance } = this.#universe;
    const [node] = this.#left;
    if (node === undefined || nowMs < this.#nextMs) return;
    this.#nextMs = nowMs + chance.between(1_000, 5_000);
    const isEmpty = this.#podsOn(node)
      .map((pod) => this.#isGone(pod))
      .every(Boolean);
    if (!isEmpty) return;
    this.#left = this.#left.slice(1);
    this.#nextMs = nowMs + chance.between(2_000, 10_000);
  }

  #podsOn(node: string): readonly Pod[] {
    return this.#universe.registry.store
      .all(kinds.pod)
      .filter(({ spec }) => spec?.nodeName === node)
      .filter(
        ({ metadata }) =>
          metadata.deletionTimestamp === undefined && labels.cluster in (metadata.labels ?? {}),
      );
  }

  /** Whether the pod may be taken for gone: one that is on its way is not waited for. */
  #isGone({ metadata }: Pod): boolean {
    const { registry, counts, history } = this.#universe;
    try {
      evict(registry, metadata, { preconditions: { uid: metadata.uid ?? "" } });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      counts.add("drain: eviction refused");
      return false;
    }
    history.note(`a drain evicts ${metadata.namespace}/${metadata.name}`);
    counts.add("drain: pod evicted");
    return true;
  }
}
