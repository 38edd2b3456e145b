import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { componentNames, components, fingerprint } from "../../../hack/local-cluster/components.ts";
import { corefile, kubeletConfig, podNetworkConfig } from "../../../hack/local-cluster/config-files.ts";

const programs = [
  "etcd",
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kubelet",
  "kube-proxy",
  "coredns",
];
const binaries = new Map(programs.map((name) => [name, `/cache/${name}`]));

describe("components", () => {
  it("describes every component once, in the order of the start", () => {
    expect(components(binaries).map(({ name }) => name)).toEqual(componentNames);
  });

  it("says which binary is missing", () => {
    expect(() => components(new Map())).toThrow("no binary etcd was built");
  });

  it("lets no component use the kubeconfig of another or of the admin", () => {
    const kubeconfigs = components(binaries)
      .flatMap(
        ({ args, files }) =>
          [...args, ...Object.values(files)].join("\n").match(/\S+kubeconfig\b(?!=)/g) ?? [],
      )
      .map((match) => match.replace(/^--kubeconfig=/, ""));
    expect(kubeconfigs.length).toBeGreaterThanOrEqual(5);
    expect(new Set(kubeconfigs).size).toBe(kubeconfigs.length);
    expect(kubeconfigs).not.toContain("/var/lib/evnode-local-cluster/kubeconfig");
  });
});

describe("fingerprint", () => {
  const component = {
    name: "coredns",
    program: "/cache/coredns",
    args: ["-conf", "/f"],
    files: { "/f": "a" },
  } as const;

  it.each([
    ["another program", { program: "/cache/newer/coredns" }],
    ["other arguments", { args: ["-conf", "/g"] }],
    ["another content of its configuration", { files: { "/f": "b" } }],
  ])("changes with %s", (_, change) => {
    expect(fingerprint({ ...component, ...change })).not.toBe(fingerprint(component));
  });

  it("stays the same for an equal description", () => {
    expect(fingerprint({ ...component })).toBe(fingerprint(component));
  });
});

describe("configuration files", () => {
  it("closes the kubelet to strangers and keeps what it writes in our folders", () => {
    const config = parse(kubeletConfig());
    expect(config).toMatchObject({
      authentication: { anonymous: { enabled: false }, webhook: { enabled: true } },
      authorization: { mode: "Webhook" },
      cgroupRoot: "/evnode-local-cluster",
      podLogsDir: "/var/lib/evnode-local-cluster/pods",
      volumePluginDir: "/var/lib/evnode-local-cluster/volume-plugins",
    });
  });

  it("answers foreign names in a zone of their own, because the template would shadow the cluster's names", () => {
    const [cluster = "", others = ""] = corefile().split(/^\.:53/m);
    expect(cluster).toMatch(/^cluster\.local:53 in-addr\.arpa:53 \{/);
    expect(cluster).toContain("ttl 5");
    expect(cluster).not.toContain("template");
    expect(others).toContain("rcode NXDOMAIN");
  });

  it("gives pods addresses of the range that the node announces, kept in our folder", () => {
    const { name, plugins } = JSON.parse(podNetworkConfig());
    expect(name).toBe("evnode-local-cluster");
    expect(plugins[0].ipam).toEqual({
      type: "host-local",
      dataDir: "/var/lib/evnode-local-cluster/pod-addresses",
      ranges: [[{ subnet: "10.244.0.0/24" }]],
    });
  });
});
