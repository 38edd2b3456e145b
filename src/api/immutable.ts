import type { Spec } from "./evnodecluster.ts";
import { fixed } from "./fixed.ts";

export interface ImmutableField {
  readonly path: readonly string[];
  /** What an absent field means, where writing that value down is no change. */
  readonly whenAbsent?: number;
  readonly why: string;
}

const SET_BACK = "Set it back; to begin anew, create another cluster.";

/** Fields that cannot change after creation, with the reason that the user is told. */
export const immutableFields: readonly ImmutableField[] = [
  {
    path: ["replicas"],
    whenAbsent: fixed.replicas,
    why: "ev-node fixes its set of members at the first start. Set it back; for another size create another cluster.",
  },
  { path: ["chain", "id"], why: `the chain id is part of every block. ${SET_BACK}` },
  { path: ["chain", "genesis"], why: `the chain has begun from its genesis. ${SET_BACK}` },
  { path: ["signer", "secretName"], why: `another signer would begin another chain. ${SET_BACK}` },
  {
    path: ["raft", "port"],
    whenAbsent: fixed.raftPort,
    why: `the members' addresses are written into Raft's own log. ${SET_BACK}`,
  },
  {
    path: ["storage", "size"],
    why: "this version cannot grow volumes; growth comes with a later version. Set it back.",
  },
  {
    path: ["storage", "storageClassName"],
    why: "Kubernetes cannot move a volume to another class. Set it back.",
  },
];

export interface ForbiddenChange {
  readonly path: string;
  readonly message: string;
}

export function changeMessage({ path, why }: ImmutableField): string {
  return `spec.${path.join(".")} cannot change: ${why}`;
}

/** The same verdict as the API server's, for a cluster whose CRD was installed without its rules. */
export function forbiddenChanges(before: Spec, after: Spec): readonly ForbiddenChange[] {
  return immutableFields
    .filter((field) => JSON.stringify(valueOf(before, field)) !== JSON.stringify(valueOf(after, field)))
    .map((field) => ({ path: `spec.${field.path.join(".")}`, message: changeMessage(field) }));
}

// A parsed spec has its keys in the order of the schema, so equal values have equal texts.
function valueOf(spec: Spec, { path, whenAbsent }: ImmutableField): unknown {
  const value = path.reduce<unknown>(
    (node, key) => (typeof node === "object" && node !== null ? Reflect.get(node, key) : undefined),
    spec,
  );
  return value ?? whenAbsent;
}
