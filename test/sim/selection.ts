import type { KubeObject } from "../../src/model/kube-object.ts";
import { parseSelector } from "./label-selector.ts";
import { badRequest } from "./refused.ts";

export interface Scope {
  /** All namespaces when absent. */
  readonly namespace?: string;
  readonly labelSelector?: string;
}

/** Which objects a list or a watch is about. */
export function selectionIn({ namespace, labelSelector = "" }: Scope): (object: KubeObject) => boolean {
  const selects = parseSelector(labelSelector);
  if (selects === undefined) throw badRequest(`unable to parse requirement: ${labelSelector}`);
  return ({ metadata }) =>
    (namespace === undefined || metadata.namespace === namespace) && selects(metadata.labels ?? {});
}
