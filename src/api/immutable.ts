import type { CompleteSpec } from "./complete-spec.ts";
import { fixed } from "./fixed.ts";

export interface ImmutableField {
  readonly path: readonly string[];
  /** What an absent field means, where writing that value down is no change. */
  readonly whenAbsent?: number;
  /** Compared only where both have this section; another field tells of a section that came or went. */
  readonly section?: "execution";
  readonly valueIn: (spec: CompleteSpec) => unknown;
  readonly why: string;
}

const SET_BACK = "Set it back; to begin anew, create another cluster.";

const OTHER_SIGNER = `another signer would begin another chain, and ev-node cannot rotate it. ${SET_BACK}`;

/** Fields that cannot change after creation, with the reason that the user is told. */
export const immutableFields: readonly ImmutableField[] = [
  {
    path: ["chain", "id"],
    valueIn: (spec) => spec.chain.id,
    why: `the chain id is part of every block. ${SET_BACK}`,
  },
  {
    path: ["chain", "genesis"],
    valueIn: (spec) => spec.chain.genesis,
    why: `the chain has begun from its genesis. ${SET_BACK}`,
  },
  {
    path: ["signer", "secretName"],
    valueIn: ({ signer }) => (signer.from === "Secret" ? signer.name : undefined),
    why: OTHER_SIGNER,
  },
  {
    path: ["signer", "awsKms", "keyArn"],
    valueIn: ({ signer }) => (signer.from === "AwsKms" ? signer.keyArn : undefined),
    why: OTHER_SIGNER,
  },
  {
    path: ["signer", "gcpKms", "keyVersion"],
    valueIn: ({ signer }) => (signer.from === "GcpKms" ? signer.keyVersion : undefined),
    why: OTHER_SIGNER,
  },
  {
    path: ["raft", "port"],
    valueIn: (spec) => spec.raft.port,
    whenAbsent: fixed.raftPort,
    why: `the members' addresses are written into Raft's own log. ${SET_BACK}`,
  },
  {
    path: ["storage", "size"],
    valueIn: (spec) => spec.storage.size,
    why: "this version cannot grow volumes; growth comes with a later version. Set it back.",
  },
  {
    path: ["storage", "storageClassName"],
    valueIn: (spec) => spec.storage.storageClassName,
    why: "Kubernetes cannot move a volume to another class. Set it back.",
  },
  {
    path: ["execution", "genesisHash"],
    valueIn: (spec) => spec.execution?.genesisHash,
    why: `the chain has begun on this genesis, with an execution layer or without one. ${SET_BACK}`,
  },
  {
    path: ["execution", "feeRecipient"],
    section: "execution",
    valueIn: (spec) => spec.execution?.feeRecipient,
    why: "a member that executes blocks again, as after a restart, would make other blocks of them. Set it back.",
  },
  {
    path: ["execution", "storage", "size"],
    section: "execution",
    valueIn: (spec) => spec.execution?.storage.size,
    why: "this version cannot grow volumes; growth comes with a later version. Set it back.",
  },
  {
    path: ["execution", "storage", "storageClassName"],
    section: "execution",
    valueIn: (spec) => spec.execution?.storage.storageClassName,
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

/**
 * The same verdict as the API server's, for an object that was written past its rules: from what the cluster runs
 * to what its spec asks for.
 */
export function forbiddenChanges(before: CompleteSpec, after: CompleteSpec): readonly ForbiddenChange[] {
  return immutableFields
    .filter(({ section }) => section === undefined || (before[section] && after[section]))
    .filter(({ valueIn }) => JSON.stringify(valueIn(before)) !== JSON.stringify(valueIn(after)))
    .map((field) => ({ path: `spec.${field.path.join(".")}`, message: changeMessage(field) }));
}
