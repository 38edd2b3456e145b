import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import {
  type ChainMaterial,
  renderYardstick,
  type YardstickOptions,
} from "../../../hack/local-cluster/yardstick.ts";
import { peerIdOf, publicKeyOf, renderNodeKey } from "../../../src/evnode/keys.ts";

const seeds = [1, 2, 3].map((byte) => Buffer.alloc(32, byte));
const material: ChainMaterial = {
  genesis: "{}",
  signer: "{}",
  passphrase: "secret",
  nodeKeys: seeds.map((seed) => renderNodeKey(seed)),
};

interface Secret {
  readonly stringData: Readonly<Record<string, string>>;
}

function render(options: Partial<YardstickOptions> = {}, chain = material) {
  const [secret, service, set] = renderYardstick({ namespace: "lab", ...options }, chain);
  const files = (secret as Secret).stringData;
  return {
    files,
    service,
    set,
    config: (ordinal: number) => parse(files[`yardstick-${ordinal}.yaml`] ?? ""),
  };
}

describe("renderYardstick", () => {
  it("lists all members as raft peers, each under its own name and address", () => {
    const { config } = render();
    const address = (ordinal: number) => `yardstick-${ordinal}.yardstick.lab.svc.cluster.local:5001`;
    expect(config(1).raft).toMatchObject({
      enable: true,
      node_id: "yardstick-1",
      raft_addr: address(1),
      raft_dir: "/home/ev/raft",
      peers: [0, 1, 2].map((ordinal) => `yardstick-${ordinal}@${address(ordinal)}`).join(","),
    });
  });

  it("lists all other members as P2P peers, with the ids of their keys", () => {
    const { config } = render();
    const peer = (ordinal: number) => {
      const id = peerIdOf(publicKeyOf(seeds[ordinal] ?? Buffer.alloc(0)));
      return `/dns4/yardstick-${ordinal}.yardstick.lab.svc.cluster.local/tcp/7676/p2p/${id}`;
    };
    expect(config(1).p2p.peers).toBe(`${peer(0)},${peer(2)}`);
  });

  it("sets what ev-node would otherwise choose at random or by its working directory", () => {
    expect(render().config(0)).toMatchObject({
      da: { address: "http://local-da:7980", namespace: "yardstick" },
      rpc: { address: "0.0.0.0:7331" },
      signer: { signer_type: "file", signer_path: "/home/ev/config" },
    });
  });

  it("takes raft timing and block time from the options", () => {
    const timing = {
      heartbeatTimeoutMs: 92,
      electionTimeoutMs: 368,
      leaderLeaseTimeoutMs: 46,
      sendTimeoutMs: 50,
    };
    const config = render({ timing, blockTime: "1s" }).config(0);
    expect(config.node.block_time).toBe("1s");
    expect(config.raft).toMatchObject({
      heartbeat_timeout: "92ms",
      election_timeout: "368ms",
      leader_lease_timeout: "46ms",
      send_timeout: "50ms",
    });
  });

  it("starts a single member without raft", () => {
    const single = { ...material, nodeKeys: material.nodeKeys.slice(0, 1) };
    expect(render({}, single).config(0).raft.enable).toBe(false);
  });

  it("lets members start together and find each other before they are ready", () => {
    const { service, set } = render({ updateStrategy: "OnDelete", image: "evnode.dev/testnode:2" });
    expect(service).toMatchObject({ spec: { clusterIP: "None", publishNotReadyAddresses: true } });
    expect(set).toMatchObject({
      spec: {
        replicas: 3,
        podManagementPolicy: "Parallel",
        updateStrategy: { type: "OnDelete" },
        template: {
          spec: { terminationGracePeriodSeconds: 30, containers: [{ image: "evnode.dev/testnode:2" }] },
        },
      },
    });
  });

  it("gives each pod the config and the key of its own name", () => {
    const { set } = render();
    const mounts = (set as { spec: { template: { spec: { containers: { volumeMounts: object[] }[] } } } })
      .spec.template.spec.containers[0]?.volumeMounts;
    expect(mounts).toContainEqual({
      name: "config",
      mountPath: "/home/ev/config/evnode.yaml",
      subPathExpr: "$(POD_NAME).yaml",
      readOnly: true,
    });
    expect(mounts).toContainEqual(expect.objectContaining({ subPathExpr: "$(POD_NAME).node_key.json" }));
  });

  it("refuses a node key that cannot be read, without quoting it", () => {
    const broken = { ...material, nodeKeys: [renderNodeKey(Buffer.alloc(32, 1)), "not a key"] };
    expect(() => render({}, broken)).toThrow("node key of member 1: node_key.json is not valid JSON");
  });
});
