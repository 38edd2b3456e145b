import { homedir } from "node:os";
import { join } from "node:path";

/** Where everything of the local cluster is: versions, folders, addresses. */

export const versions = {
  kubernetes: "v1.35.4",
  etcd: "v3.6.9",
  coredns: "v1.14.7",
  evnode: "v1.2.2",
  /** Commit of the ev-node tag above; the `version` command of the test node prints it. */
  evnodeCommit: "b4c0dc75902ed163f5dd43dfc0e9bae0d76f9a19",
  helm: "v4.1.4",
  /** The oldest that the chart is for; tests render it with both. */
  oldestHelm: "v3.18.0",
  prometheus: "v0.316.0",
  rabbitmqOperator: "v2.22.1",
} as const;

/** Built binaries and downloads; shared by all checkouts and kept by `down`. */
export const cacheDir =
  process.env["EVNODE_OPERATOR_CACHE"] ||
  join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "evnode-operator");

/** All state of the running cluster; removed by `down`. */
export const stateDir = "/var/lib/evnode-local-cluster";

/** containerd's sockets and mounts: short, because a unix socket path has at most 107 bytes. */
export const runDir = "/run/evnode-local-cluster";

/** Outside the state folder, so that it can be held while that folder comes and goes. */
export const lockFile = "/run/evnode-local-cluster.lock";

export const moduleDir = join(import.meta.dirname, "go");

/** Every pod's control group is below this one, which is how leftovers are told from foreign processes. */
export const cgroupRoot = "evnode-local-cluster";

export const network = {
  /** Node, API server and DNS share one private address on a bridge of their own. */
  nodeAddress: "10.89.0.1",
  nodeBridge: "evlc-node",
  podBridge: "evlc-pods",
  podRange: "10.244.0.0/16",
  nodePodRange: "10.244.0.0/24",
  serviceRange: "10.96.0.0/16",
  cniName: "evnode-local-cluster",
} as const;

export const nodeName = "node-0";

export const endpoints = {
  apiServer: `https://${network.nodeAddress}:6443`,
  etcd: "http://127.0.0.1:12379",
  etcdPeer: "http://127.0.0.1:12380",
  containerd: join(runDir, "containerd.sock"),
} as const;

export const paths = {
  kubeconfig: join(stateDir, "kubeconfig"),
  auditLog: join(stateDir, "audit.log"),
  certificates: join(stateDir, "certificates"),
  config: join(stateDir, "config"),
  logs: join(stateDir, "log"),
  processes: join(stateDir, "processes"),
  volumes: join(stateDir, "volumes"),
  images: join(stateDir, "images"),
} as const;
