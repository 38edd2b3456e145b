/**
 * Values that belong to the meaning of the API and therefore never change with a version of the defaults: fields
 * that cannot change, and ports that must differ from each other, are compared by rules of the CRD that have to know
 * what an absent field means.
 */
export const fixed = {
  replicas: 3,
  raftPort: 5001,
  p2pPort: 7676,
  rpcPort: 7331,
  metricsPort: 26_660,
} as const;

/** Ports of an execution client, as upstream's guide has them. The engine's is on the loopback interface alone. */
export const executionPorts = { eth: 8545, ws: 8546, engine: 8551, metrics: 9001 } as const;

/** Where ev-node's testapp takes transactions. */
export const TESTAPP_PORT = 8080;

/** Where ev-node serves its profiles, on the loopback interface of the pod. */
export const PPROF_PORT = 6060;
