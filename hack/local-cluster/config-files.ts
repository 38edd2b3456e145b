import { join } from "node:path";
import { stringify } from "yaml";
import { certificateFiles } from "./certificates.ts";
import { pauseImage } from "./image-names.ts";
import { kubeconfigOf } from "./kubeconfig.ts";
import { cgroupRoot, endpoints, network, paths, runDir, stateDir } from "./layout.ts";

/** Contents of the configuration files that components read, without secrets. */

export function kubeletConfig(): string {
  return stringify({
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    address: network.nodeAddress,
    healthzBindAddress: "127.0.0.1",
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: certificateFiles.ca },
    },
    authorization: { mode: "Webhook" },
    cgroupDriver: "cgroupfs",
    cgroupRoot: `/${cgroupRoot}`,
    // Kubernetes 1.35 refuses cgroup v1 unless told otherwise.
    failCgroupV1: false,
    failSwapOn: false,
    clusterDNS: [network.nodeAddress],
    clusterDomain: "cluster.local",
    containerRuntimeEndpoint: `unix://${endpoints.containerd}`,
    evictionHard: { "nodefs.available": "1%", "imagefs.available": "1%", "memory.available": "50Mi" },
    // Images cannot be pulled again here, so a full disk must not make the kubelet delete them.
    imageGCHighThresholdPercent: 100,
    localStorageCapacityIsolation: false,
    maxPods: 200,
    podLogsDir: join(stateDir, "pods"),
    volumePluginDir: join(stateDir, "volume-plugins"),
    resolvConf: "/etc/resolv.conf",
    staticPodPath: "",
  });
}

export function containerdConfig(): string {
  return `version = 2
root = "${join(stateDir, "containerd")}"
state = "${join(runDir, "containerd")}"
[grpc]
  address = "${endpoints.containerd}"
[plugins."io.containerd.grpc.v1.cri"]
  # Containers start also where root lacks CAP_SYS_RESOURCE.
  restrict_oom_score_adj = true
  sandbox_image = "${pauseImage}"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${join(stateDir, "cni")}"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false
      Root = "${join(runDir, "runc")}"
`;
}

export function podNetworkConfig(): string {
  const addresses = {
    type: "host-local",
    dataDir: join(stateDir, "pod-addresses"),
    ranges: [[{ subnet: network.nodePodRange }]],
  };
  const bridge = {
    type: "bridge",
    bridge: network.podBridge,
    isGateway: true,
    isDefaultGateway: true,
    ipMasq: true,
    // A pod may reach itself through its own Service.
    hairpinMode: true,
    ipam: addresses,
  };
  return JSON.stringify({ cniVersion: "0.4.0", name: network.cniName, plugins: [bridge] });
}

/** Names outside the cluster are answered at once and offline: the tests' DNS depends on nothing else. */
export function corefile(): string {
  return `cluster.local:53 in-addr.arpa:53 {
    bind ${network.nodeAddress}
    errors
    kubernetes cluster.local in-addr.arpa {
        kubeconfig ${kubeconfigOf("coredns")} evnode-local
        ttl 5
    }
    cache 5
}
.:53 {
    bind ${network.nodeAddress}
    template ANY ANY {
        rcode NXDOMAIN
    }
}
`;
}

/** One line for each request: who did what to which object, without bodies. */
export function auditPolicy(): string {
  return stringify({
    apiVersion: "audit.k8s.io/v1",
    kind: "Policy",
    omitStages: ["RequestReceived"],
    rules: [{ level: "Metadata" }],
  });
}

export const configPath = {
  kubelet: join(paths.config, "kubelet.yaml"),
  containerd: join(paths.config, "containerd.toml"),
  corefile: join(paths.config, "Corefile"),
  auditPolicy: join(paths.config, "audit-policy.yaml"),
  podNetwork: join(stateDir, "cni", "10-bridge.conflist"),
} as const;
