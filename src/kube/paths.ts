import type { Kind } from "../model/kinds.ts";
import type { KubeObject, ObjectRef } from "../model/kube-object.ts";

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** The path of all objects of a kind, in one namespace or in all. */
export function collectionPath(kind: Kind<KubeObject>, namespace: string | undefined): string {
  const root = kind.apiVersion.includes("/") ? `/apis/${kind.apiVersion}` : `/api/${kind.apiVersion}`;
  const scope = namespace === undefined ? "" : `/namespaces/${segment(namespace)}`;
  return `${root}${scope}/${kind.plural}`;
}

/** The path of one object, or of one of its subresources. */
export function objectPath(
  kind: Kind<KubeObject>,
  ref: ObjectRef,
  subresource?: "status" | "eviction",
): string {
  if (kind.namespaced !== (ref.namespace !== undefined)) {
    throw new Error(`${kind.kind} ${ref.name} ${kind.namespaced ? "needs a" : "has no"} namespace`);
  }
  const path = `${collectionPath(kind, ref.namespace)}/${segment(ref.name)}`;
  return subresource === undefined ? path : `${path}/${subresource}`;
}

export function withQuery(path: string, query: Query): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) parameters.set(name, String(value));
  }
  const text = parameters.toString();
  return text === "" ? path : `${path}?${text}`;
}

/** A name as part of a path. An empty one would address the whole collection: a delete of everything. */
function segment(name: string): string {
  if (name === "" || name === "." || name === "..") throw new Error(`"${name}" is not a name of an object`);
  return encodeURIComponent(name);
}
