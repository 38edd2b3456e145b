/** The uid and group of every process in the pods of a cluster, and of the volumes. */
const NON_ROOT = 65532;

/** As the restricted Pod Security level wants it. */
export const podSecurity = {
  runAsNonRoot: true,
  runAsUser: NON_ROOT,
  runAsGroup: NON_ROOT,
  fsGroup: NON_ROOT,
  fsGroupChangePolicy: "OnRootMismatch",
  seccompProfile: { type: "RuntimeDefault" },
} as const;

export const confined = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ["ALL"] },
};

/**
 * A user of its own, so that it can look into no process of ev-node or of the agent beside it, which hold the signer.
 * By the pod's fsGroup it reads and writes what is mounted in it.
 */
export const confinedApart = { ...confined, runAsUser: NON_ROOT + 1, runAsGroup: NON_ROOT + 1 };
