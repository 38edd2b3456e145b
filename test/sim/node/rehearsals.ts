import { kinds } from "../../../src/model/kinds.ts";
import type { Pod } from "../../../src/model/objects.ts";
import type { Chance } from "../chance.ts";
import type { Registry } from "../registry.ts";
import { fateOf, lastWords, pullRefusal } from "./images.ts";
import { isNode, type NodeTroubles } from "./nodes.ts";
import { withConditions } from "./pod-status.ts";

export interface RehearsalDependencies {
  readonly registry: Registry;
  readonly chance: Chance;
  readonly troubles: NodeTroubles;
  readonly nowMs: () => number;
  readonly note: (what: string) => void;
}

type Status = NonNullable<Pod["status"]>;
type State = NonNullable<NonNullable<Status["containerStatuses"]>[number]["state"]>;

/** Pods that run once and end: each container does what its image can do, and none is started again. */
export class Rehearsals {
  readonly #deps: RehearsalDependencies;
  /** When the next thing happens to a pod, by its uid. */
  readonly #dueMs = new Map<string, number>();

  constructor(deps: RehearsalDependencies) {
    this.#deps = deps;
  }

  static isOne({ spec }: Pod): boolean {
    return spec?.restartPolicy === "Never";
  }

  tend(pod: Pod): void {
    const { registry, chance, troubles, nowMs } = this.#deps;
    const { uid = "", deletionTimestamp } = pod.metadata;
    const node = pod.spec?.nodeName ?? "";
    // Nobody takes care of a pod on a node that is not there.
    if (!isNode(node) || troubles.isLost(node)) return;
    const dueMs =
      this.#dueMs.get(uid) ?? nowMs() + chance.between(200, troubles.isSlow(node) ? 20_000 : 3_000);
    this.#dueMs.set(uid, dueMs);
    if (dueMs > nowMs()) return;
    if (deletionTimestamp !== undefined) {
      this.#dueMs.delete(uid);
      registry.delete(kinds.pod, pod.metadata, { gracePeriodSeconds: 0 });
      return;
    }
    this.#dueMs.set(uid, nowMs() + chance.between(500, 2_000));
    if (pod.status?.phase === "Pending") this.#run(pod);
  }

  #run(pod: Pod): void {
    const { registry, note } = this.#deps;
    const containers = pod.spec?.containers ?? [];
    const isFirst = pod.status?.containerStatuses === undefined;
    const states = containers.map(({ image = "" }) => stateOf(image, isFirst));
    const containerStatuses = containers.map(({ name, image = "" }, at) => {
      return { name, image, imageID: "", ready: false, restartCount: 0, state: states[at] ?? {} };
    });
    const told = [{ type: "PodScheduled", status: "True" as const }];
    const conditions = withConditions(pod.status?.conditions, told, registry.nowMs);
    const phase = phaseOf(states);
    registry.replaceStatus(kinds.pod, {
      ...pod,
      status: { ...pod.status, phase, conditions, containerStatuses },
    });
    if (phase !== "Pending") note(`pod ${pod.metadata.namespace}/${pod.metadata.name} ends: ${phase}`);
  }
}

/** A rehearsal asks for no more than a sign of life, so an image that crashes only as a member passes. */
function stateOf(image: string, isFirst: boolean): State {
  switch (fateOf(image)) {
    case "missing":
      return { waiting: pullRefusal(image, isFirst) };
    case "foreign": {
      const { code, message } = lastWords.foreign;
      return { terminated: { exitCode: code, reason: "Error", message } };
    }
    case "good":
    case "crashing":
    case "lagging":
      return { terminated: { exitCode: 0, reason: "Completed" } };
  }
}

function phaseOf(states: readonly State[]): NonNullable<Status["phase"]> {
  if (states.some(({ waiting }) => waiting !== undefined)) return "Pending";
  return states.some(({ terminated }) => terminated?.exitCode !== 0) ? "Failed" : "Succeeded";
}
