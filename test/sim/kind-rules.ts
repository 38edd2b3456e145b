import { type Kind, kinds } from "../../src/model/kinds.ts";
import type { KubeObject } from "../../src/model/kube-object.ts";
import { namespaceKind } from "../namespace-kind.ts";

/** What the API server does differently for one kind than for another. */
export interface KindRules {
  /** Whether there is a status subresource: other writes leave the status alone then. */
  readonly hasStatus?: true;
  /** The status of a new object, if it has one at once. */
  readonly firstStatus?: object;
  /** Whether `metadata.generation` counts the changes of the spec. */
  readonly hasGeneration?: true;
  /** Whether the object is only marked by a deletion and ended by its kubelet. */
  readonly endsGracefully?: true;
  /** A custom resource: a write of its status takes nothing else along, where others take labels and annotations. */
  readonly isCustom?: true;
}

const noBudget = { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 };

const rules: Readonly<Record<string, KindRules>> = {
  [namespaceKind.kind]: { hasStatus: true, firstStatus: { phase: "Active" } },
  [kinds.cluster.kind]: { hasStatus: true, hasGeneration: true, isCustom: true },
  [kinds.pod.kind]: {
    hasStatus: true,
    firstStatus: { phase: "Pending" },
    hasGeneration: true,
    endsGracefully: true,
  },
  [kinds.secret.kind]: {},
  [kinds.configMap.kind]: {},
  [kinds.service.kind]: { hasStatus: true, firstStatus: { loadBalancer: {} } },
  [kinds.serviceAccount.kind]: {},
  [kinds.claim.kind]: { hasStatus: true, firstStatus: { phase: "Pending" } },
  [kinds.statefulSet.kind]: {
    hasStatus: true,
    firstStatus: { replicas: 0, availableReplicas: 0 },
    hasGeneration: true,
  },
  [kinds.controllerRevision.kind]: {},
  [kinds.disruptionBudget.kind]: { hasStatus: true, firstStatus: noBudget, hasGeneration: true },
  [kinds.networkPolicy.kind]: { hasGeneration: true },
  [kinds.lease.kind]: {},
  [kinds.event.kind]: {},
  [kinds.storageClass.kind]: {},
};

export const servedKinds: readonly Kind<KubeObject>[] = [namespaceKind, ...Object.values(kinds)];

/** Undefined for a kind that the server does not serve. */
export function rulesOf({ kind }: Kind<KubeObject>): KindRules | undefined {
  return rules[kind];
}

/** The kind of an object in the store. */
export function kindOf({ kind }: KubeObject): Kind<KubeObject> {
  const found = kindNamed(kind);
  if (found === undefined) throw new Error(`${kind} is in the store and is not served`);
  return found;
}

/** The kind that a reference names; undefined when the server does not serve it. */
export function kindNamed(name: string): Kind<KubeObject> | undefined {
  return servedKinds.find(({ kind }) => kind === name);
}
