import { command } from "../../../hack/local-cluster/command.ts";
import { nodeName } from "../../../hack/local-cluster/layout.ts";
import { storageClassName } from "../../../hack/local-cluster/volumes.ts";
import { renderYardstick } from "../../../hack/local-cluster/yardstick.ts";
import { newChainKeys } from "../../../hack/measure/chain-keys.ts";
import type { Spec } from "../../../src/api/evnodecluster.ts";
import { parseNodeKey } from "../../../src/evnode/keys.ts";
import { blockRequest, parseState, stateRequest } from "../../../src/evnode/rpc.ts";
import type { KubeObject } from "../../../src/model/kube-object.ts";
import type { Pod } from "../../../src/model/objects.ts";
import type { ChainRecord } from "./chain-record.ts";
import type { Cluster } from "./cluster.ts";
import { configMapOf, secretOf } from "./given.ts";
import { readBlock } from "./header-hash.ts";
import { until } from "./until.ts";
import { claimFolder, volumeFolder } from "./volumes.ts";
import type { World } from "./world.ts";

const NAME = "outside";
const RPC_PORT = 7331;
const P2P_PORT = 7676;
const START_MS = 180_000;

/** Somebody's StatefulSet of one sequencer, which no operator knows of. */
export class OutsideSequencer {
  readonly #world: World;
  /** What a cluster that takes over its chain is told. */
  readonly spec: Partial<Spec>;

  private constructor(world: World, spec: Partial<Spec>) {
    this.#world = world;
    this.spec = spec;
  }

  /** Starts it, and waits for its first blocks. */
  static async start(world: World): Promise<OutsideSequencer> {
    const { namespace, environment, kubectl } = world;
    const chainId = `${namespace}-${NAME}`;
    const keys = await newChainKeys(1, chainId);
    const daAddress = `http://local-da.${namespace}:7980`;
    const options = { namespace, name: NAME, replicas: 1, image: environment.images.node, daAddress };
    await kubectl.apply(
      ...renderYardstick({ ...options, blockTime: "200ms" }, keys).map(unwatched),
      secretOf(namespace, "outside-signer", { "signer.json": keys.signer, passphrase: keys.passphrase }),
      configMapOf(namespace, "outside-genesis", { "genesis.json": keys.genesis }),
    );
    const node = parseNodeKey(keys.nodeKeys[0] ?? "");
    if (node.kind === "malformed") throw new Error(node.problem);
    const host = `${NAME}-0.${NAME}.${namespace}.svc.cluster.local`;
    const outside = new OutsideSequencer(world, {
      chain: {
        id: chainId,
        blockTime: "200ms",
        genesis: { configMap: { name: "outside-genesis", key: "genesis.json" } },
      },
      signer: { secretName: "outside-signer" },
      da: { address: daAddress, namespace: NAME },
      migration: {
        peer: `/dns4/${host}/tcp/${P2P_PORT}/p2p/${node.value.peerId}`,
        rpcAddress: `http://${host}:${RPC_PORT}`,
      },
    });
    await outside.reaches(20);
    return outside;
  }

  async reaches(height: number): Promise<number> {
    return until(
      `block ${height} of the sequencer outside`,
      async () => {
        const top = await this.height();
        return (top ?? 0) >= height ? { found: top ?? 0 } : { missing: `its highest block is ${top}` };
      },
      { withinMs: START_MS },
    );
  }

  /** Undefined while it does not answer. */
  async height(): Promise<number | undefined> {
    const { method, path, body } = stateRequest;
    const answer = await this.#ask(path, method, body);
    const state = answer === undefined ? undefined : parseState(answer);
    return state?.kind === "parsed" ? state.value.height : undefined;
  }

  /** Reads its blocks of these heights as those of one server more. */
  async recordInto(record: ChainRecord, first: number, last: number): Promise<void> {
    for (let height = first; height <= last; height += 1) {
      const { method, path, body } = blockRequest(height);
      const answer = await this.#ask(path, method, body);
      if (answer === undefined) throw new Error(`the sequencer outside does not tell block ${height}`);
      record.see(NAME, readBlock(answer));
    }
  }

  /** Ends its process, and waits until its pod is gone. */
  async stop(): Promise<void> {
    await this.#scale(0);
    await until(
      "the end of the sequencer outside",
      async () => ((await this.#pod()) ? { missing: "its pod is there" } : { found: true }),
      { withinMs: START_MS },
    );
  }

  /** As somebody's script may, long after its end. */
  async startAgain(): Promise<void> {
    await this.#scale(1);
  }

  /** Its data, copied onto the claim of a member to come. Its process must have ended. */
  async copyTo(cluster: Cluster, member: string): Promise<void> {
    const from = await claimFolder(this.#world, `data-${NAME}-0`);
    await this.#world.kubectl.apply(claimOf(cluster, member));
    await command("cp", ["-a", `${from}/.`, await volumeFolder(cluster, member)]);
  }

  async #scale(replicas: number): Promise<void> {
    const { kubectl, namespace } = this.#world;
    await kubectl.run(["scale", "statefulset", NAME, "--namespace", namespace, `--replicas=${replicas}`]);
  }

  #pod(): Promise<Pod | undefined> {
    const { api, namespace } = this.#world;
    return api.find<Pod>(`/api/v1/namespaces/${namespace}/pods/${NAME}-0`);
  }

  async #ask(path: string, method: "GET" | "POST", body: string | undefined): Promise<string | undefined> {
    const pod = await this.#pod();
    if (!pod) return undefined;
    const question = { method, path, ...(body === undefined ? {} : { body }) };
    return (await this.#world.reach(pod, RPC_PORT, question))?.text;
  }
}

/** As its owner makes it from a snapshot: with the labels by which the operator sees it. */
const claimOf = ({ name, namespace, manifest }: Cluster, member: string) => ({
  apiVersion: "v1",
  kind: "PersistentVolumeClaim",
  metadata: {
    name: `data-${member}`,
    namespace,
    labels: { "app.kubernetes.io/managed-by": "evnode-operator", "evnode.dev/cluster": name },
    // Without a pod nothing else has a volume made for it here.
    annotations: { "volume.kubernetes.io/selected-node": nodeName },
  },
  spec: {
    accessModes: ["ReadWriteOnce"],
    storageClassName,
    resources: { requests: { storage: manifest.spec.storage.size } },
  },
});

/** Its liveness probe asks Raft's port, which a single sequencer does not open. */
function unwatched(object: object): KubeObject {
  const written = JSON.stringify(object, (key, value: unknown) =>
    key === "livenessProbe" ? undefined : value,
  );
  return JSON.parse(written) as KubeObject;
}
