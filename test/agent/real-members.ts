import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { cp, mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { runAgent } from "../../src/agent/main.ts";
import type { Resolve } from "../../src/agent/resolve.ts";
import type { AgentPaths } from "../../src/agent/settings.ts";
import { renderConfig } from "../../src/evnode/config.ts";
import { renderGenesis } from "../../src/evnode/genesis.ts";
import { parseNodeKey, proposerAddressOf, publicKeyOf, renderNodeKey } from "../../src/evnode/keys.ts";
import { startArgs } from "../../src/evnode/member-command.ts";
import { defaultTiming } from "../../src/evnode/raft-timing.ts";
import { type BlockHeader, blockRequest, parseBlock } from "../../src/evnode/rpc.ts";
import { sealSigner } from "../../src/evnode/signer.ts";
import {
  type AgentAnswer,
  agentAnswerSchema,
  type Order,
  type Voter,
} from "../../src/model/agent-protocol.ts";
import { annotations } from "../../src/model/annotations.ts";
import { configRevision } from "../../src/model/config-revision.ts";
import { configEntry } from "../../src/model/names.ts";
import { recordedLog } from "./recorded-log.ts";
import { closedPort } from "./servers.ts";

/**
 * Members of one chain on the loopback interface, each with the real agent and the real ev-node. What kubelet does for
 * them is done here. Their names have addresses in a hosts file that only their processes see.
 */

const NAMES = ["chain-0", "chain-1", "chain-2"] as const;
const DOMAIN = "chain.real.tests";
const RAFT_PORT = 15_001;
const AGENT_PORT = 19_090;
const PASSPHRASE = "correct horse";
const addressOf = (ordinal: number) => `127.0.77.${ordinal + 1}`;
const hostOf = (ordinal: number) => `${NAMES[ordinal]}.${DOMAIN}`;
const seedOf = (number: number) => new Uint8Array(32).fill(number);

const OWN_MOUNTS = ["--user", "--map-root-user", "--mount"] as const;

/** Whether a process may have a hosts file of its own here. */
export const canMount = (): boolean => spawnSync("unshare", [...OWN_MOUNTS, "true"]).status === 0;

export const votersOf = (count: number): Voter[] =>
  NAMES.slice(0, count).map((id, ordinal) => ({ id, address: `${hostOf(ordinal)}:${RAFT_PORT}` }));

type Ports = Readonly<Record<"rpc" | "metrics" | "p2p" | "agent", number>>;

interface Surroundings {
  readonly root: string;
  readonly hosts: string;
  readonly testnode: string;
  readonly daPort: number;
  readonly ports: readonly Ports[];
  readonly identity: Readonly<Record<string, string>>;
}

export interface RealChain {
  readonly members: readonly RealMember[];
  stop(): Promise<void>;
}

export async function startChain(testnode: string, localDa: string): Promise<RealChain> {
  const root = await mkdtemp(join(tmpdir(), "evnode-real-"));
  const hosts = join(root, "hosts");
  const names = NAMES.map((_, ordinal) => `${addressOf(ordinal)} ${hostOf(ordinal)}\n`);
  await writeFile(hosts, `127.0.0.1 localhost\n${names.join("")}`);
  const daPort = await closedPort();
  const da = spawn(localDa, ["-port", String(daPort)], { stdio: "ignore" });
  const ports: Ports[] = [];
  for (const _ of NAMES) {
    const [rpc, metrics, p2p, agent] = [
      await closedPort(),
      await closedPort(),
      await closedPort(),
      await closedPort(),
    ];
    ports.push({ rpc, metrics, p2p, agent });
  }
  const around = { root, hosts, testnode, daPort, ports, identity: await newIdentity() };
  const members = NAMES.map((_, ordinal) => new RealMember(around, ordinal));
  for (const member of members) await member.start();
  return {
    members,
    async stop() {
      await Promise.all(members.map((member) => member.stop()));
      da.kill("SIGKILL");
      await rm(root, { recursive: true, force: true });
    },
  };
}

async function newIdentity(): Promise<Readonly<Record<string, string>>> {
  const seed = seedOf(100);
  const [salt, nonce] = [new Uint8Array(16).fill(7), new Uint8Array(12).fill(8)];
  return {
    cluster_id: "0123456789abcdef",
    "genesis.json": renderGenesis({
      chainId: "real",
      startTime: new Date().toISOString(),
      initialHeight: 1,
      proposerAddress: proposerAddressOf(publicKeyOf(seed)),
      daStartHeight: 0,
      daEpochForcedInclusion: 50,
    }),
    "signer.json": await sealSigner({ seed, passphrase: PASSPHRASE, salt, nonce }),
    passphrase: PASSPHRASE,
    ...Object.fromEntries(
      NAMES.map((_, ordinal) => [`node_key.${ordinal}.json`, renderNodeKey(seedOf(ordinal + 1))]),
    ),
  };
}

export class RealMember {
  readonly name: string;
  readonly #log = recordedLog();
  readonly paths: AgentPaths;
  readonly #around: Surroundings;
  readonly #ordinal: number;
  readonly #ports: Ports;
  #proxy: Server | undefined;
  #agent: { readonly stop: AbortController; readonly over: Promise<void> } | undefined;
  #node: ChildProcess | undefined;
  #isOver = false;
  #isPaused = false;

  constructor(around: Surroundings, ordinal: number) {
    this.#around = around;
    this.#ordinal = ordinal;
    this.#ports = around.ports[ordinal] as Ports;
    this.name = NAMES[ordinal] as string;
    const root = join(around.root, this.name);
    this.paths = {
      home: join(root, "data"),
      config: join(root, "data", "config"),
      configSecret: join(root, "secrets", "config"),
      identitySecret: join(root, "secrets", "identity"),
      annotations: join(root, "podinfo", "annotations"),
    };
  }

  async start(): Promise<void> {
    const { config, configSecret, identitySecret, annotations: file } = this.paths;
    for (const folder of [config, configSecret, identitySecret, join(file, "..")])
      await mkdir(folder, { recursive: true });
    for (const [name, text] of Object.entries(this.#around.identity))
      await writeFile(join(identitySecret, name), text);
    // The agents of all have one port, each at its own address.
    this.#proxy = createServer((socket) => {
      const inner = connect(this.#ports.agent, "127.0.0.1");
      socket.on("error", () => inner.destroy()).pipe(inner);
      inner.on("error", () => socket.destroy()).pipe(socket);
    });
    this.#proxy.listen(AGENT_PORT, addressOf(this.#ordinal));
    this.#startAgent();
    void this.#keepNode();
  }

  #startAgent(): void {
    const stop = new AbortController();
    const env = {
      POD_NAME: this.name,
      POD_NAMESPACE: "tests",
      POD_UID: `uid-${this.#ordinal}`,
      EPOCH: "1",
      MAX_BLOCKS_BEHIND: "10",
    };
    const find = async (host: string) => {
      const ordinal = NAMES.findIndex((_, index) => hostOf(index) === host);
      return ordinal < 0 ? undefined : addressOf(ordinal);
    };
    const resolve: Resolve = Object.assign(find, { forget: () => {} });
    const ports = { port: this.#ports.agent, peerAgentPort: AGENT_PORT };
    const over = runAgent(env, stop.signal, { paths: this.paths, ...ports, resolve, log: this.#log });
    this.#agent = { stop, over };
  }

  /** As after a crash of its container: ev-node goes on meanwhile. */
  async restartAgent(): Promise<void> {
    await this.#stopAgent();
    this.#startAgent();
  }

  async #stopAgent(): Promise<void> {
    this.#agent?.stop.abort();
    await this.#agent?.over;
  }

  killNode(): void {
    this.#node?.kill("SIGKILL");
  }

  /** Its blocks are copied to another member while no process has them open, as their owner would. */
  async copyBlocksTo(other: RealMember): Promise<void> {
    this.#isPaused = true;
    try {
      const gone = new Promise((over) => this.#node?.once("exit", over));
      this.killNode();
      await gone;
      await cp(join(this.paths.home, "data"), join(other.paths.home, "data"), { recursive: true });
    } finally {
      this.#isPaused = false;
    }
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#stopAgent();
    this.killNode();
    this.#proxy?.close();
  }

  /** As the operator patches a pod: the config revision of an epoch, and an order. */
  async patch(epoch: number, count: number, order?: Order): Promise<void> {
    const configs = this.#configs(epoch, count);
    const revision = configRevision(configs);
    for (const [name, text] of configs)
      await writeFile(join(this.paths.configSecret, configEntry(name, revision)), text);
    const values = {
      [annotations.configRevision]: revision,
      ...(order === undefined ? {} : { [annotations.order]: JSON.stringify(order) }),
    };
    const lines = Object.entries(values).map(([key, value]) => `${key}=${JSON.stringify(value)}\n`);
    await writeFile(`${this.paths.annotations}.new`, lines.join(""));
    await rename(`${this.paths.annotations}.new`, this.paths.annotations);
  }

  async answer(): Promise<AgentAnswer | undefined> {
    const response = await fetch(`http://127.0.0.1:${this.#ports.agent}/v1/state`).catch(() => undefined);
    return response === undefined ? undefined : agentAnswerSchema.parse(await response.json());
  }

  async block(height: number): Promise<BlockHeader | undefined> {
    const { method, path, body = "" } = blockRequest(height);
    const url = `http://127.0.0.1:${this.#ports.rpc}${path}`;
    const headers = { "content-type": "application/json" };
    const response = await fetch(url, { method, body, headers }).catch(() => undefined);
    const reading = response?.ok ? parseBlock(await response.text()) : undefined;
    return reading?.kind === "parsed" ? reading.value : undefined;
  }

  #configs(epoch: number, count: number): ReadonlyMap<string, string> {
    const { daPort, ports } = this.#around;
    const { home, config } = this.paths;
    const others = (ordinal: number) =>
      NAMES.slice(0, count).flatMap((_, peer) => {
        const key = parseNodeKey(renderNodeKey(seedOf(peer + 1)));
        if (peer === ordinal || key.kind !== "parsed") return [];
        return [{ host: hostOf(peer), port: ports[peer]?.p2p ?? 0, peerId: key.value.peerId }];
      });
    const textOf = (name: string, ordinal: number) =>
      renderConfig({
        home,
        dbPath: "data",
        blockTimeMs: 200,
        da: { address: `http://127.0.0.1:${daPort}`, namespace: "tests" },
        rpcPort: ports[ordinal]?.rpc ?? 0,
        p2p: { port: ports[ordinal]?.p2p ?? 0, peers: others(ordinal), extraPeers: [] },
        metricsPort: ports[ordinal]?.metrics ?? 0,
        log: { level: "info", format: "json" },
        signerPath: config,
        isSingle: count === 1,
        raft: {
          nodeId: name,
          address: `${hostOf(ordinal)}:${RAFT_PORT}`,
          dir: join(home, `raft-${epoch}`),
          timing: defaultTiming,
          snapshotThreshold: 5_000,
          trailingLogs: 18_000,
          snapCount: 3,
        },
      });
    return new Map(NAMES.slice(0, count).map((name, ordinal) => [name, textOf(name, ordinal)]));
  }

  /** As kubelet: the first start waits for the agent's leave, each later one for nothing. */
  async #keepNode(): Promise<void> {
    while (!this.#isOver && !(await this.#mayStart())) await sleep(100);
    while (!this.#isOver) {
      const node = this.#startNode();
      this.#node = node;
      await new Promise((over) => node.once("exit", over));
      do await sleep(200);
      while (this.#isPaused && !this.#isOver);
    }
  }

  async #mayStart(): Promise<boolean> {
    const response = await fetch(`http://127.0.0.1:${this.#ports.agent}/startupz`).catch(() => undefined);
    return response?.ok === true;
  }

  #startNode(): ChildProcess {
    const { hosts, testnode } = this.#around;
    const passphraseFile = join(this.paths.config, "passphrase");
    const args = startArgs({ home: this.paths.home, passphraseFile });
    const script = `mount --bind ${hosts} /etc/hosts && exec "$0" "$@"`;
    const wrapper = [...OWN_MOUNTS, "sh", "-c", script, testnode];
    // Nothing of the test's own: ev-node takes a variable such as NODE for a section of its config.
    const env = { PATH: process.env["PATH"], LIBP2P_TCP_REUSEPORT: "false" };
    return spawn("unshare", [...wrapper, ...args], { env, stdio: "ignore" });
  }
}
