import { createHash } from "node:crypto";
import { join } from "node:path";
import { certificateFiles } from "./certificates.ts";
import {
  auditPolicy,
  configPath,
  containerdConfig,
  corefile,
  kubeletConfig,
  podNetworkConfig,
} from "./config-files.ts";
import { kubeconfigOf } from "./kubeconfig.ts";
import { endpoints, network, nodeName, paths, stateDir } from "./layout.ts";

export const componentNames = [
  "etcd",
  "apiserver",
  "controller-manager",
  "scheduler",
  "containerd",
  "kubelet",
  "coredns",
  "proxy",
  "provisioner",
] as const;

export type ComponentName = (typeof componentNames)[number];

export interface Component {
  readonly name: ComponentName;
  readonly program: string;
  readonly args: readonly string[];
  /** Written before each start: path -> content. */
  readonly files: Readonly<Record<string, string>>;
}

/** A running component whose fingerprint differs was started by another version of this code. */
export function fingerprint(component: Component): string {
  return createHash("sha256").update(JSON.stringify(component)).digest("hex").slice(0, 16);
}

/** All components in the order of their start. */
export function components(binaries: ReadonlyMap<string, string>): readonly Component[] {
  const binary = (name: string) => {
    const file = binaries.get(name);
    if (file === undefined) throw new Error(`no binary ${name} was built`);
    return file;
  };
  const component = (
    name: ComponentName,
    program: string,
    flags: Readonly<Record<string, string>>,
    files: Readonly<Record<string, string>> = {},
  ): Component => ({
    name,
    program,
    args: Object.entries(flags).map(([key, value]) => `--${key}=${value}`),
    files,
  });

  return [
    component("etcd", binary("etcd"), etcdFlags()),
    component("apiserver", binary("kube-apiserver"), apiServerFlags(), {
      [configPath.auditPolicy]: auditPolicy(),
    }),
    component("controller-manager", binary("kube-controller-manager"), controllerManagerFlags()),
    component("scheduler", binary("kube-scheduler"), {
      kubeconfig: kubeconfigOf("scheduler"),
      "leader-elect": "false",
      "bind-address": "127.0.0.1",
    }),
    component(
      "containerd",
      "containerd",
      { config: configPath.containerd },
      {
        [configPath.containerd]: containerdConfig(),
        [configPath.podNetwork]: podNetworkConfig(),
      },
    ),
    component("kubelet", binary("kubelet"), kubeletFlags(), { [configPath.kubelet]: kubeletConfig() }),
    {
      name: "coredns",
      program: binary("coredns"),
      args: ["-conf", configPath.corefile],
      files: { [configPath.corefile]: corefile() },
    },
    component("proxy", binary("kube-proxy"), proxyFlags()),
    {
      name: "provisioner",
      program: process.execPath,
      args: [join(import.meta.dirname, "main.ts"), "provision"],
      files: {},
    },
  ];
}

function etcdFlags(): Record<string, string> {
  return {
    "data-dir": join(stateDir, "etcd"),
    "listen-client-urls": endpoints.etcd,
    "advertise-client-urls": endpoints.etcd,
    "listen-peer-urls": endpoints.etcdPeer,
    "initial-advertise-peer-urls": endpoints.etcdPeer,
    "initial-cluster": `default=${endpoints.etcdPeer}`,
    // The data is thrown away by `down`; waiting for the disk would only slow the tests.
    "unsafe-no-fsync": "true",
  };
}

function apiServerFlags(): Record<string, string> {
  const files = certificateFiles;
  return {
    "etcd-servers": endpoints.etcd,
    "bind-address": network.nodeAddress,
    "advertise-address": network.nodeAddress,
    "secure-port": "6443",
    "service-cluster-ip-range": network.serviceRange,
    "tls-cert-file": files.server,
    "tls-private-key-file": files.serverKey,
    "client-ca-file": files.ca,
    "kubelet-client-certificate": files.kubeletClient,
    "kubelet-client-key": files.kubeletClientKey,
    // The node has no DNS entry of its own.
    "kubelet-preferred-address-types": "InternalIP",
    "service-account-issuer": "https://kubernetes.default.svc",
    "service-account-signing-key-file": files.serviceAccountKey,
    "service-account-key-file": files.serviceAccountKey,
    "token-auth-file": files.tokens,
    "authorization-mode": "Node,RBAC",
    "enable-admission-plugins": "NodeRestriction",
    "allow-privileged": "true",
    "audit-policy-file": configPath.auditPolicy,
    "audit-log-path": paths.auditLog,
    "audit-log-maxsize": "2000",
  };
}

function controllerManagerFlags(): Record<string, string> {
  return {
    kubeconfig: kubeconfigOf("controller-manager"),
    "bind-address": "127.0.0.1",
    "leader-elect": "false",
    "use-service-account-credentials": "true",
    "service-account-private-key-file": certificateFiles.serviceAccountKey,
    "root-ca-file": certificateFiles.ca,
    "cluster-cidr": network.podRange,
    "service-cluster-ip-range": network.serviceRange,
    "allocate-node-cidrs": "true",
  };
}

function kubeletFlags(): Record<string, string> {
  return {
    config: configPath.kubelet,
    kubeconfig: kubeconfigOf("kubelet"),
    "hostname-override": nodeName,
    "node-ip": network.nodeAddress,
    "root-dir": join(stateDir, "kubelet"),
    "cert-dir": join(paths.certificates, "kubelet"),
  };
}

function proxyFlags(): Record<string, string> {
  return {
    kubeconfig: kubeconfigOf("proxy"),
    "hostname-override": nodeName,
    "cluster-cidr": network.podRange,
    "proxy-mode": "iptables",
    "conntrack-max-per-core": "0",
    "healthz-bind-address": "127.0.0.1:10256",
    // Without this kube-proxy would set route_localnet on the machine.
    "iptables-localhost-nodeports": "false",
  };
}
