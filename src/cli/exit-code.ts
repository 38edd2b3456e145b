/** How a command ended, for scripts. `docs/kubectl-plugin.md` has the same table. */
export const exitCodes = {
  well: 0,
  /** The command itself did not work. */
  error: 1,
  /** It was called in a way that it does not have. */
  usage: 2,
  /** It worked, and the answer is no: the cluster is not well, or what was asked was refused. */
  notWell: 3,
  /** It worked, and nobody can say: nothing was heard within the time. */
  unknown: 4,
  /** Somebody pressed Ctrl-C while it waited. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
