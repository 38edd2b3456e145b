/** Where things lie in a member's pod. The agent and the pod template must agree on them. */
export const paths = {
  /** ev-node's home, on the member's volume. */
  home: "/data",
  /** ev-node's config folder: in memory, written by the agent, read by ev-node. */
  config: "/data/config",
  passphrase: "/data/config/passphrase",
  configSecret: "/secrets/config",
  identitySecret: "/secrets/identity",
  podInfo: "/podinfo",
  /** The token with which ev-node and the execution client know each other; mounted in these two alone. */
  jwt: "/secrets/execution/jwt.hex",
  /** The execution client's volume. */
  execution: "/execution",
  executionGenesis: "/genesis/genesis.json",
} as const;

/** One raft directory for each epoch, so that a membership can never read the log of another. */
export const raftDirectory = (epoch: number) => `${paths.home}/raft-${epoch}`;
