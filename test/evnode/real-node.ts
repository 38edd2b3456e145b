import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type MemberConfigInput, renderConfig } from "../../src/evnode/config.ts";
import { startArgs } from "../../src/evnode/member-command.ts";
import { bootstrapFiles } from "../../src/evnode/raft-bootstrap.ts";
import { defaultTiming } from "../../src/evnode/raft-timing.ts";
import { namespaceRequest, type RpcRequest } from "../../src/evnode/rpc.ts";
import { go } from "./go.ts";

/** The real ev-node as a process of its own, on the loopback interface: the only member of its cluster. */

export const nodeModule = fileURLToPath(new URL("../../hack/local-cluster/go/evnode", import.meta.url));

export interface Programs {
  readonly node: string;
  readonly da: string;
}

export function buildPrograms(folder: string): Programs {
  const programs = { node: join(folder, "testapp"), da: join(folder, "local-da") };
  const env = { ...process.env, CGO_ENABLED: "0" };
  const build = (file: string, source: string) =>
    execFileSync(go, ["build", "-trimpath", "-o", file, source], { cwd: nodeModule, env, stdio: "ignore" });
  build(programs.node, "./testnode");
  build(programs.da, "github.com/evstack/ev-node/tools/local-da");
  return programs;
}

export interface Ports {
  readonly raft: number;
  readonly p2p: number;
  readonly rpc: number;
  readonly metrics: number;
  readonly other: number;
}

/** Ports that nobody listens on at this moment. */
export async function freePorts(): Promise<Ports> {
  const servers = await Promise.all(Array.from({ length: 5 }, listen));
  const [raft, p2p, rpc, metrics, other] = servers.map(({ port }) => port) as [
    number,
    number,
    number,
    number,
    number,
  ];
  await Promise.all(servers.map(({ close }) => close()));
  return { raft, p2p, rpc, metrics, other };
}

async function listen(): Promise<{ port: number; close: () => Promise<void> }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("a TCP server has a port");
  const close = () => new Promise<void>((resolve) => server.close(() => resolve()));
  return { port: address.port, close };
}

export interface RealNode {
  readonly ports: Ports;
  /** All that it wrote so far. */
  readonly output: () => string;
  readonly exitCode: () => number | null;
  ask(request: RpcRequest): Promise<string>;
  stop(): Promise<void>;
}

export interface NodeInput {
  readonly program: string;
  readonly ports: Ports;
  /** By the name under which ev-node reads them. */
  readonly files: ReadonlyMap<string, string>;
  readonly config: (usual: MemberConfigInput) => MemberConfigInput;
  readonly environment?: Readonly<Record<string, string>>;
}

/** A member of no other on these ports. */
export const usualInput = (home: string, ports: Ports): MemberConfigInput => ({
  home,
  dbPath: "data",
  blockTimeMs: 200,
  da: { address: "http://127.0.0.1:1", namespace: "any" },
  rpcPort: ports.rpc,
  p2p: { port: ports.p2p, peers: [], extraPeers: [] },
  metricsPort: ports.metrics,
  log: { level: "debug", format: "json" },
  signerPath: join(home, "config"),
  raft: {
    nodeId: "ev-0",
    address: `127.0.0.1:${ports.raft}`,
    dir: join(home, "raft-1"),
    timing: defaultTiming,
    snapshotThreshold: 500,
    trailingLogs: 200,
    snapCount: 3,
  },
});

/** Starts it as the pod does: with the config that is rendered, on a Raft folder that was written beforehand. */
export function startNode({ program, ports, files, config, environment }: NodeInput): RealNode {
  const home = mkdtempSync(join(tmpdir(), "real-node-"));
  const usual = usualInput(home, ports);
  const input = config(usual);
  const entries = new Map([...files, ["evnode.yaml", renderConfig(input)]]);
  writeFiles(join(home, "config"), entries);
  writeFiles(
    input.raft.dir,
    Object.entries(bootstrapFiles([{ id: usual.raft.nodeId, address: usual.raft.address }])),
  );
  const passphraseFile = input.kms ? undefined : join(home, "config", "passphrase");
  // ev-node takes variables such as NODE, which npm sets, in place of a section of its configuration.
  const env = { HOME: home, ...environment };
  return running(spawn(program, startArgs({ home, passphraseFile }), { env }), ports, home);
}

export function writeFiles(folder: string, files: Iterable<readonly [string, string | Uint8Array]>): void {
  mkdirSync(folder, { recursive: true });
  for (const [name, content] of files) {
    writeFileSync(join(folder, name), content);
    chmodSync(join(folder, name), 0o600);
  }
}

/** A process that was started on this home, which goes when it is stopped. */
export function running(child: ChildProcess, ports: Ports, home: string): RealNode {
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk: Buffer) => {
      output += chunk.toString("utf8");
    });
  }
  return {
    ports,
    output: () => output,
    exitCode: () => child.exitCode,
    ask: async ({ method, path, body }) => {
      const headers = { "content-type": "application/json" };
      const given = body === undefined ? {} : { body };
      const answer = await fetch(`http://127.0.0.1:${ports.rpc}${path}`, { method, headers, ...given });
      return answer.text();
    },
    async stop() {
      await end(child);
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/** A process for as long as it is needed. */
export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.kill("SIGKILL");
  await gone;
}

const LOOKS = 240;
const LOOK_EVERY_MS = 250;

/** What `look` finds, once it finds something; it may fail before. */
export async function eventually<T>(
  what: string,
  node: RealNode,
  look: () => Promise<T | undefined>,
): Promise<T> {
  for (let attempt = 0; attempt < LOOKS; attempt += 1) {
    const found = await look().catch(() => undefined);
    if (found !== undefined) return found;
    if (node.exitCode() !== null) break;
    await pause(LOOK_EVERY_MS);
  }
  throw new Error(
    `never came true: ${what}. ev-node exited with ${node.exitCode()}: ${node.output().slice(-2_000)}`,
  );
}

/** Its HTTP server opens when it leads. */
export const isOpen = (node: RealNode): Promise<string> =>
  eventually("the RPC is open", node, () => node.ask(namespaceRequest));
