import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { evnodeKeys } from "../../src/api/evnode-keys.ts";
import type { Spec } from "../../src/api/evnodecluster.ts";
import type { MemberConfigInput } from "../../src/evnode/config.ts";
import { namespaceHex } from "../../src/evnode/da-namespace.ts";
import { renderGenesis } from "../../src/evnode/genesis.ts";
import { parseHexKey } from "../../src/evnode/keys.ts";
import {
  blockRequest,
  namespaceRequest,
  parseBlock,
  parseNamespaces,
  parseState,
  stateRequest,
} from "../../src/evnode/rpc.ts";
import { kmsKey } from "../../src/resources/kms.ts";
import { optionalKeys } from "../../src/resources/optional-keys.ts";
import { spec as minimal } from "../builders.ts";
import { because, obstacleToGo } from "./go.ts";
import { completed, identityFiles } from "./identity-files.ts";
import { startKms } from "./kms-stand-in.ts";
import {
  buildPrograms,
  end,
  eventually,
  freePorts,
  isOpen,
  nodeModule,
  type Ports,
  type Programs,
  type RealNode,
  startNode,
  writeFiles,
} from "./real-node.ts";

const obstacle = obstacleToGo(nodeModule);
const MINUTES_MS = 60_000;
const BLOCKED = "12D3KooWGRUWsKfF5CQhaPUbzRhVHvjHDWGx3jgKbfGmcFmd3s5P";

const startOfChain = {
  chainId: minimal.chain.id,
  startTime: "2026-01-01T00:00:00Z",
  initialHeight: 1,
  daStartHeight: 0,
  daEpochForcedInclusion: 50,
};

/** Every field that is ev-node's alone, all at once. */
const everything = (daAddress: string, tracesTo: string): Partial<Spec> => ({
  chain: {
    id: minimal.chain.id,
    blockTime: "200ms",
    lazy: { interval: "1s" },
    scrapeInterval: "300ms",
    maxPendingBlocks: 500,
  },
  da: {
    address: daAddress,
    namespace: "headers",
    dataNamespace: "blocks",
    forcedInclusionNamespace: "forced",
    submitOptions: '{"gas_price": 0.002}',
    signingAddresses: ["celestia1a", "celestia1b"],
    blockTime: "1s",
    requestTimeout: "5s",
    mempoolTTL: 5,
    maxSubmitAttempts: 9,
    batching: { strategy: "adaptive", sizeThreshold: 0.5, maxDelay: "2s", minItems: 2 },
  },
  p2p: { blockedPeers: [BLOCKED], allowedPeers: [BLOCKED] },
  rpc: { daVisualization: { enabled: true }, health: { window: "77s", maxBlocksBehind: 7 } },
  metrics: { maxConnections: 1, namespace: "my_chain" },
  tracing: { endpoint: tracesTo, serviceName: "my-chain", sampleRate: 1 },
  pprof: { enabled: true },
  log: { level: "debug", trace: true },
  pruning: { mode: "metadata", keepRecent: 100, interval: "1s" },
});

describe.skipIf(obstacle !== undefined)(`the real ev-node${because(obstacle)}`, () => {
  let scratch: string;
  let programs: Programs;
  let files: ReadonlyMap<string, string>;
  let node: RealNode | undefined;

  beforeAll(async () => {
    scratch = mkdtempSync(join(tmpdir(), "real-node-programs-"));
    programs = buildPrograms(scratch);
    files = await identityFiles();
  }, 15 * MINUTES_MS);

  afterEach(async () => {
    await node?.stop();
    node = undefined;
  });

  afterAll(() => rmSync(scratch, { recursive: true, force: true }));

  type Change = (input: MemberConfigInput, ports: Ports) => MemberConfigInput;

  async function start(fields: Partial<Spec>, change: Change = (input) => input) {
    const spec = completed(fields);
    const ports = await freePorts();
    const config = (usual: MemberConfigInput): MemberConfigInput =>
      change(
        {
          ...usual,
          blockTimeMs: spec.chain.blockTimeMs,
          da: { address: spec.da.address, namespace: spec.da.namespace },
          optional: optionalKeys(spec, []),
        },
        ports,
      );
    node = startNode({ program: programs.node, ports, files, config });
    await isOpen(node);
    return node;
  }

  test("has no flag that the table of its keys does not know", () => {
    const help = execFileSync(programs.node, ["start", "--help"], { encoding: "utf8" });
    const flags = [...help.matchAll(/--evnode[.](\S+)/g)].map(([, key = ""]) => key);
    expect(flags.length).toBeGreaterThan(60);
    expect(flags.filter((key) => !(key in evnodeKeys))).toEqual([]);
  });

  describe("with every setting at once", () => {
    let da: ChildProcess;
    let traces: Server;
    const traced: string[] = [];

    afterEach(async () => {
      await end(da);
      traces.close();
    });

    test("starts, makes blocks, and runs with each of them that can be seen", {
      timeout: 5 * MINUTES_MS,
    }, async () => {
      const outside = await freePorts();
      da = spawn(programs.da, ["-port", String(outside.rpc)], { stdio: "ignore" });
      traces = createServer((request, response) => {
        traced.push(request.url ?? "");
        request.resume().on("end", () => response.end());
      }).listen(outside.p2p, "127.0.0.1");
      const fields = everything(`http://127.0.0.1:${outside.rpc}`, `127.0.0.1:${outside.p2p}`);
      const started = await start(fields, (input, { other }) => {
        const optional = input.optional ?? optionalKeys(completed(fields), []);
        const instrumentation = { ...optional.instrumentation, pprof_listen_addr: `127.0.0.1:${other}` };
        return { ...input, optional: { ...optional, instrumentation } };
      });

      const names = parseNamespaces(await started.ask(namespaceRequest));
      expect(names).toEqual({
        kind: "parsed",
        value: { header: namespaceHex("headers"), data: namespaceHex("blocks") },
      });
      const page = async (port: number, path: string) => {
        const answer = await fetch(`http://127.0.0.1:${port}${path}`);
        return { status: answer.status, text: await answer.text() };
      };
      const named = eventually("metrics with their name", started, async () => {
        const { text } = await page(started.ports.metrics, "/metrics");
        return /^my_chain_/m.test(text) && !/^evnode_/m.test(text) ? true : undefined;
      });
      await expect(named).resolves.toBe(true);
      expect((await page(started.ports.rpc, "/da")).status).toBe(200);
      expect((await page(started.ports.other, "/debug/pprof/cmdline")).text).toContain("start");
      await expect(eventually("a trace", started, async () => traced[0])).resolves.toBe("/v1/traces");

      const output = started.output();
      expect(output).toMatch(/"endpoint":"127[^\n]*"service":"my-chain","sample_rate":1[,}]/);
      expect(output).toContain('"num_addresses":2');
      expect(output).toContain(`"blacklist":"/p2p/${BLOCKED}"`);
      expect(output).toContain(`"whitelist":"/p2p/${BLOCKED}"`);

      // A block may be late, and then the next one is early.
      const between = await timeBetween(started, 2, 6);
      expect(between / 4).toBeGreaterThan(800);
      expect(between / 4).toBeLessThan(3_000);
    });
  });

  test("stops at the limit of pending blocks while nothing is submitted", {
    timeout: 2 * MINUTES_MS,
  }, async () => {
    const started = await start({
      chain: { id: minimal.chain.id, blockTime: "50ms", maxPendingBlocks: 5 },
      da: { address: "http://127.0.0.1:1" },
    });
    await eventually("the limit is told", started, async () =>
      started.output().includes("pending") && started.output().includes("limit") ? true : undefined,
    );
    const state = parseState(await started.ask(stateRequest));
    expect(state).toMatchObject({ kind: "parsed", value: { height: 5 } });
  });

  test("tells its height before the first block of a lazy chain", { timeout: 2 * MINUTES_MS }, async () => {
    const started = await start({
      chain: { id: minimal.chain.id, blockTime: "200ms", lazy: { interval: "1h" } },
    });
    const state = await eventually("the state", started, async () => {
      const reading = parseState(await started.ask(stateRequest));
      return reading.kind === "parsed" ? reading.value : undefined;
    });
    expect(state.height).toBe(0);
  });

  test("signs with a key in a service that speaks as AWS KMS does", { timeout: 2 * MINUTES_MS }, async () => {
    const [ports, outside] = [await freePorts(), await freePorts()];
    const keyArn = "arn:aws:kms:eu-central-1:111122223333:key/1";
    const kms = await startKms(keyArn, outside.rpc);
    try {
      const genesis = renderGenesis({ ...startOfChain, proposerAddress: kms.proposerAddress });
      const spec = completed({
        chain: { id: minimal.chain.id, genesis: { configMap: { name: "genesis", key: "genesis.json" } } },
        signer: { awsKms: { keyArn, timeout: "2s", maxRetries: 1 } },
      });
      const key = kmsKey(spec);
      if (key === undefined) throw new Error("the spec has a key in a service");
      const environment = {
        AWS_ENDPOINT_URL_KMS: `http://127.0.0.1:${kms.port}`,
        AWS_ACCESS_KEY_ID: "any",
        AWS_SECRET_ACCESS_KEY: "any",
      };
      node = startNode({
        program: programs.node,
        ports,
        files: await identityFiles({ genesis }, spec),
        config: (usual) => ({ ...usual, kms: key }),
        environment,
      });
      await isOpen(node);
      expect(await timeOf(node, 3)).toBeGreaterThan(0);
      expect(kms.signatures()).toBeGreaterThan(2);
    } finally {
      kms.close();
    }
  });

  test("exports the key that was imported in hex", { timeout: MINUTES_MS }, async () => {
    const seed = "5".repeat(64);
    const imported = await identityFiles({ signer: { kind: "key", key: seed } });
    const home = mkdtempSync(join(scratch, "home-"));
    writeFiles(join(home, "config"), imported);
    const passphrase = join(home, "config", "passphrase");
    const args = ["keys", "export", `--home=${home}`, `--evnode.signer.passphrase_file=${passphrase}`];
    const { stdout, stderr } = spawnSync(programs.node, args, { encoding: "utf8", input: "y\n" });
    const [exported = ""] = /\b[0-9a-f]{128}\b/.exec(`${stdout}${stderr}`) ?? [];
    expect(exported.slice(0, 64)).toBe(seed);
    expect(parseHexKey(exported)).toMatchObject({ kind: "parsed" });
  });

  test("takes a variable that is named as a section in its place", { timeout: 2 * MINUTES_MS }, async () => {
    const ports = await freePorts();
    const environment = { NODE: "x" };
    node = startNode({ program: programs.node, ports, files, config: (usual) => usual, environment });
    await expect(isOpen(node)).rejects.toThrow("raft config must be used in sequencer setup only");
  });

  const timeBetween = async (of: RealNode, from: number, to: number): Promise<number> =>
    (await timeOf(of, to)) - (await timeOf(of, from));
});

/** When this block was made, once it is. */
function timeOf(of: RealNode, height: number): Promise<number> {
  return eventually(`block ${height}`, of, async () => {
    const reading = parseBlock(await of.ask(blockRequest(height)));
    return reading.kind === "parsed" ? reading.value.timeMs : undefined;
  });
}
