import { annotations, labels } from "../../src/model/annotations.ts";
import type { KubeObject } from "../../src/model/kube-object.ts";
import { type AuditedRequest, isWrite } from "./audit-log.ts";
import type { Recorded } from "./recorded-watch.ts";

/** Writes of one object by which nothing changed. */
export interface NeedlessWrites {
  readonly object: string;
  readonly count: number;
}

/** Kinds that others write all the time; what the operator writes of them are labels and annotations of its own. */
const sharedKinds = new Set(["pods", "persistentvolumeclaims"]);
const ownKeys = new Set<string>([...Object.values(labels), ...Object.values(annotations)]);
/** Asking for a token is a "create", and changes nothing. */
const harmless = new Set(["token"]);

/**
 * A write that changes nothing is carried out without a new version, so no watch shows it: there are more successful
 * writes of the object than changes. `requests` are those of everybody, and cover the same time as the watches.
 */
export function needlessWrites(
  requests: readonly AuditedRequest[],
  changesOf: ReadonlyMap<string, readonly Recorded<KubeObject>[]>,
  operator: string,
): readonly NeedlessWrites[] {
  const done = requests.filter(
    (request) => isWrite(request) && request.code < 300 && !harmless.has(request.subresource ?? ""),
  );
  const byOperator = done.filter(({ user, verb }) => user === operator && ["update", "patch"].includes(verb));
  return [...new Set(byOperator.map(objectOf))].sort().flatMap((object) => {
    const [resource = "", name = ""] = object.split("/");
    const changes = changesOf.get(resource)?.filter((change) => change.object.metadata.name === name);
    if (!changes) return [];
    const writes = done.filter((request) => objectOf(request) === object).length;
    const own = byOperator.filter((request) => objectOf(request) === object).length;
    // Where others write, too, a needless write may be theirs; more than the operator's own are surely not its.
    const count = sharedKinds.has(resource)
      ? own - ownChanges(changes)
      : Math.min(own, writes - changes.length);
    return count > 0 ? [{ object, count }] : [];
  });
}

const objectOf = ({ resource, name = "" }: AuditedRequest) => `${resource}/${name}`;

/** How often a label or annotation of the operator came, went or changed. */
function ownChanges(changes: readonly Recorded<KubeObject>[]): number {
  let before: string | undefined;
  let count = 0;
  for (const { type, object } of changes) {
    const own = JSON.stringify([ownOf(object.metadata.labels), ownOf(object.metadata.annotations)]);
    if (type === "MODIFIED" && own !== before) count += 1;
    before = own;
  }
  return count;
}

function ownOf(all: Readonly<Record<string, string>> = {}): readonly (readonly [string, string])[] {
  return Object.entries(all)
    .filter(([key]) => ownKeys.has(key))
    .sort(([one], [other]) => (one < other ? -1 : 1));
}
