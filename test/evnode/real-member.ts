import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { renderConfig } from "../../src/evnode/config.ts";
import { renderGenesis } from "../../src/evnode/genesis.ts";
import { proposerAddressOf, publicKeyOf, renderNodeKey, SEED_LENGTH } from "../../src/evnode/keys.ts";
import { startArgs } from "../../src/evnode/member-command.ts";
import { bootstrapFiles, type RaftMember } from "../../src/evnode/raft-bootstrap.ts";
import { sealSigner } from "../../src/evnode/signer.ts";
import { closedPort } from "../agent/servers.ts";

/** Sections of evnode.yaml, with any content: what ev-node says to a wrong one is what is asked here. */
export type Yaml = Record<string, Record<string, unknown>>;

export interface Exit {
  readonly code: number | null;
  /** As kubelet keeps it: the last line that is not empty. */
  readonly lastLine: string;
  readonly output: string;
}

const PASSPHRASE = "correct horse";
const CHAIN_ID = "rollup-1";
export const NODE_ID = "ev-0";
/** A line comes at once, or when ev-node gives up waiting for something. */
const PATIENCE_MS = 60_000;

/** A member of a Raft group of one, on loopback, with all that an agent would have installed for it. */
export class RealMember {
  readonly home: string;
  readonly raftFolder: string;
  readonly passphraseFile: string;
  readonly ports: Ports;
  readonly #program: string;
  #said = "";

  private constructor(program: string, home: string, ports: Ports) {
    this.#program = program;
    this.home = home;
    this.ports = ports;
    this.raftFolder = join(home, "raft-1");
    this.passphraseFile = join(home, "config", "passphrase");
  }

  static async create(program: string, home: string): Promise<RealMember> {
    const member = new RealMember(program, home, await freePorts());
    mkdirSync(join(home, "config"), { recursive: true });
    const seed = Buffer.alloc(SEED_LENGTH, 7);
    const [salt, nonce] = [Buffer.alloc(16, 1), Buffer.alloc(12, 2)];
    member.write("config/signer.json", await sealSigner({ seed, passphrase: PASSPHRASE, salt, nonce }));
    member.write("config/passphrase", PASSPHRASE);
    member.write("config/node_key.json", renderNodeKey(Buffer.alloc(SEED_LENGTH, 8)));
    member.write("config/genesis.json", genesisOf(seed));
    member.write("config/evnode.yaml", member.#config());
    member.bootstrap();
    return member;
  }

  get raftAddress(): string {
    return `127.0.0.1:${this.ports.raft}`;
  }

  #config(): string {
    const { home, ports, raftAddress, raftFolder } = this;
    return renderConfig({
      home,
      dbPath: "data",
      blockTimeMs: 100,
      da: { address: `http://127.0.0.1:${ports.da}`, namespace: "rollup" },
      rpcPort: ports.rpc,
      p2p: { port: ports.p2p, peers: [], extraPeers: [] },
      metricsPort: ports.metrics,
      log: { level: "info", format: "json" },
      signerPath: join(home, "config"),
      raft: {
        nodeId: NODE_ID,
        address: raftAddress,
        dir: raftFolder,
        timing: {
          heartbeatTimeoutMs: 100,
          electionTimeoutMs: 200,
          leaderLeaseTimeoutMs: 100,
          sendTimeoutMs: 100,
        },
        snapshotThreshold: 500,
        trailingLogs: 200,
        snapCount: 3,
      },
    });
  }

  write(path: string, content: string | Buffer): void {
    writeFileSync(join(this.home, path), content);
  }

  read(path: string): Buffer {
    return readFileSync(join(this.home, path));
  }

  /** Changes its evnode.yaml, past all that the operator would check. */
  configure(change: (yaml: Yaml) => void): void {
    const yaml = parse(this.read("config/evnode.yaml").toString("utf8")) as Yaml;
    change(yaml);
    this.write("config/evnode.yaml", stringify(yaml));
  }

  /** Writes the raft folder of an epoch that begins. */
  bootstrap(members: readonly RaftMember[] = [{ id: NODE_ID, address: this.raftAddress }]): void {
    mkdirSync(this.raftFolder, { recursive: true });
    for (const [file, content] of Object.entries(bootstrapFiles(members)))
      this.write(`raft-1/${file}`, content as Buffer);
  }

  /** Once the process that runs has said that. */
  async hasSaid(what: RegExp): Promise<void> {
    while (!what.test(this.#said)) await new Promise((resolve) => setTimeout(resolve, 50));
  }

  /** Runs it until it ends. `until`: ends it by a signal once it has said that. */
  run(options: RunOptions = {}): Promise<Exit> {
    const { until, env, args, signal } = options;
    const all = args ?? startArgs({ home: this.home, passphraseFile: this.passphraseFile });
    const child = spawn(this.#program, [...all], { env: { ...environment(this.home), ...env } });
    return new Promise((resolve, reject) => {
      let output = "";
      const patience = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
      const hear = (chunk: Buffer) => {
        output += chunk.toString("utf8");
        this.#said = output;
        if (until !== undefined && until.test(output)) child.kill("SIGTERM");
      };
      child.stdout.on("data", hear);
      child.stderr.on("data", hear);
      signal?.addEventListener("abort", () => child.kill("SIGTERM"), { once: true });
      child.on("error", reject);
      child.on("close", (code) => {
        clearTimeout(patience);
        resolve({ code, lastLine: lastLineOf(output), output });
      });
    });
  }
}

interface RunOptions {
  readonly until?: RegExp;
  /** Ends it by a signal when this aborts. */
  readonly signal?: AbortSignal;
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
}

export interface Ports {
  readonly raft: number;
  readonly rpc: number;
  readonly p2p: number;
  readonly metrics: number;
  readonly da: number;
}

/** `HOME` is where ev-node looks for what it is not given. */
const environment = (home: string) => ({ PATH: process.env["PATH"] ?? "", HOME: home });

const lastLineOf = (output: string) => output.trimEnd().split("\n").at(-1) ?? "";

function genesisOf(seed: Buffer): string {
  return renderGenesis({
    chainId: CHAIN_ID,
    startTime: "2026-01-01T00:00:00Z",
    initialHeight: 1,
    proposerAddress: proposerAddressOf(publicKeyOf(seed)),
    daStartHeight: 0,
    daEpochForcedInclusion: 1,
  });
}

async function freePorts(): Promise<Ports> {
  const [raft = 0, rpc = 0, p2p = 0, metrics = 0, da = 0] = await Promise.all(
    Array.from({ length: 5 }, closedPort),
  );
  return { raft, rpc, p2p, metrics, da };
}
