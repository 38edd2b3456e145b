import { isDeepStrictEqual } from "node:util";
import type { Kind } from "../../src/model/kinds.ts";
import type { KubeObject } from "../../src/model/kube-object.ts";
import { negativeCounts } from "./disruption-budget.ts";
import { immutableFieldProblems } from "./immutable-fields.ts";
import type { KindRules } from "./kind-rules.ts";
import { metadataProblems, updatedMetadata } from "./metadata.ts";
import { conflict, invalid } from "./refused.ts";
import { without } from "./without.ts";

/** Which part of an object a write is about: its status, or everything else. */
export type Part = "object" | "status";

export interface Write<T> {
  readonly current: T;
  readonly wanted: T;
  readonly part: Part;
}

/** What an update makes of an object. Fails with `Refused`. */
export function nextState<T extends KubeObject>(kind: Kind<T>, rules: KindRules, write: Write<T>): T {
  const { current, wanted } = write;
  const { name } = current.metadata;
  // The version comes before the uid: a patch that misses both is a conflict.
  if (wanted.metadata.resourceVersion !== current.metadata.resourceVersion) {
    const why = "the object has been modified; please apply your changes to the latest version and try again";
    throw conflict(kind, name, why);
  }
  const next = merged(rules, write);
  const problems = [
    ...metadataProblems(current.metadata, wanted.metadata),
    ...immutableFieldProblems(current, next),
    ...negativeCounts(next),
  ];
  if (problems.length > 0) throw invalid(kind, name, problems);
  return rules.hasGeneration ? withGeneration(current, next) : next;
}

/** The object with this status in place of its own. */
export function withStatus<T extends KubeObject>(object: T, status: unknown): T {
  const rest = without(object as T & { readonly status?: unknown }, ["status"]);
  return (status === undefined ? rest : { ...rest, status }) as T;
}

function merged<T extends KubeObject>(rules: KindRules, { current, wanted, part }: Write<T>): T {
  const metadata = updatedMetadata(current.metadata, wanted.metadata);
  if (!rules.hasStatus) return { ...wanted, metadata };
  if (part === "object") return withStatus({ ...wanted, metadata }, statusOf(current));
  return withStatus(rules.isCustom ? current : { ...current, metadata }, statusOf(wanted));
}

/** The generation counts changes of everything that is neither metadata nor status. */
function withGeneration<T extends KubeObject>(current: T, next: T): T {
  const { generation = 0 } = current.metadata;
  if (isDeepStrictEqual(specOf(current), specOf(next))) return next;
  return { ...next, metadata: { ...next.metadata, generation: generation + 1 } };
}

function statusOf(object: KubeObject): unknown {
  return (object as KubeObject & { readonly status?: unknown }).status;
}

function specOf(object: KubeObject): object {
  return without(object as KubeObject & { readonly status?: unknown }, [
    "apiVersion",
    "kind",
    "metadata",
    "status",
  ]);
}
