import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { privateKeyFromRaw } from "@libp2p/crypto/keys";
import { peerIdFromPrivateKey } from "@libp2p/peer-id";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { parseGenesis } from "../../src/evnode/genesis.ts";
import { parseNodeKey, renderNodeKey, SEED_LENGTH } from "../../src/evnode/keys.ts";
import { blockRequest, netInfoRequest, parseBlock, parseNetInfo } from "../../src/evnode/rpc.ts";
import { importSigner } from "../../src/evnode/signer.ts";
import { spec as minimal } from "../builders.ts";
import { vector } from "./fixtures.ts";
import { because, obstacleToGo } from "./go.ts";
import { identityFiles } from "./identity-files.ts";
import {
  buildPrograms,
  eventually,
  freePorts,
  isOpen,
  nodeModule,
  type RealNode,
  startNode,
  writeFiles,
} from "./real-node.ts";

const obstacle = obstacleToGo(nodeModule);
const MINUTES_MS = 60_000;
const PASSPHRASE = "a passphrase of the owner's own";
const privateKeyOf = (seed: Uint8Array, publicKey: string) =>
  Buffer.concat([seed, Buffer.from(publicKey, "base64")]).toString("hex");

/** Keys and genesis that the operator makes or takes over are ev-node's, and those that ev-node makes are the operator's. */
describe.skipIf(obstacle !== undefined)(`an identity in the real ev-node${because(obstacle)}`, () => {
  let scratch: string;
  let program: string;
  let node: RealNode | undefined;

  beforeAll(() => {
    scratch = mkdtempSync(join(tmpdir(), "real-identity-"));
    program = buildPrograms(scratch).node;
  }, 15 * MINUTES_MS);

  afterEach(async () => {
    await node?.stop();
    node = undefined;
  });

  afterAll(() => rmSync(scratch, { recursive: true, force: true }));

  /** A folder of its own, with these files where ev-node looks for them. */
  function homeWith(files: Readonly<Record<string, string>>): string {
    const home = mkdtempSync(join(scratch, "home-"));
    writeFiles(join(home, "config"), Object.entries(files));
    return home;
  }

  /** All that it says, on either stream. Keys come on the second one, among warnings. */
  function run(home: string, ...command: readonly string[]): string {
    const passphraseFile = `--evnode.signer.passphrase_file=${join(home, "config", "passphrase")}`;
    const args = [...command, `--home=${home}`, passphraseFile];
    const env = { HOME: home };
    const { status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8", input: "y\n", env });
    expect(`${stderr} ended with ${status}`).toMatch(/ ended with 0$/);
    return `${stdout}${stderr}`;
  }

  const exported = (home: string) => /\b[0-9a-f]{128}\b/.exec(run(home, "keys", "export"))?.[0] ?? "";

  /** What `init` makes on the first machine of upstream's guide. */
  function initialised(): Readonly<Record<"signer" | "genesis" | "nodeKey" | "home", string>> {
    const home = homeWith({ passphrase: PASSPHRASE });
    run(home, "init", `--chain_id=${minimal.chain.id}`, "--evnode.node.aggregator=true");
    const file = (name: string) => readFileSync(join(home, "config", name), "utf8");
    return {
      home,
      signer: file("signer.json"),
      genesis: file("genesis.json"),
      nodeKey: file("node_key.json"),
    };
  }

  /** Starts with these files, and makes a block that the genesis' proposer signed. */
  async function makesBlocks(files: ReadonlyMap<string, string>): Promise<RealNode> {
    const started = startNode({ program, ports: await freePorts(), files, config: (usual) => usual });
    node = started;
    await isOpen(started);
    const block = await eventually("block 2", started, async () => {
      const reading = parseBlock(await started.ask(blockRequest(2)));
      return reading.kind === "parsed" ? reading.value : undefined;
    });
    const genesis = parseGenesis(files.get("genesis.json") ?? "");
    expect(genesis).toMatchObject({ value: { proposerAddress: block.proposerAddress } });
    return started;
  }

  async function peerIdOf(of: RealNode): Promise<string> {
    const reading = parseNetInfo(await of.ask(netInfoRequest));
    if (reading.kind === "malformed") throw new Error(reading.problem);
    return reading.value.peerId;
  }

  test("that was generated makes blocks, under the peer id that both libraries of libp2p give it", {
    timeout: 2 * MINUTES_MS,
  }, async () => {
    const files = await identityFiles();
    const nodeKey = files.get("node_key.json") ?? "";
    const started = await makesBlocks(files);
    const own = parseNodeKey(nodeKey);
    const { priv_key: raw } = JSON.parse(nodeKey) as { priv_key: string };
    const known = peerIdFromPrivateKey(privateKeyFromRaw(Buffer.from(raw, "base64"))).toString();
    expect(own).toMatchObject({ value: { peerId: known } });
    expect(await peerIdOf(started)).toBe(known);
  });

  test("of which ev-node made signer and genesis is taken over unchanged, and makes blocks", {
    timeout: 2 * MINUTES_MS,
  }, async () => {
    const { signer: signerJson, genesis } = initialised();
    const files = await identityFiles({
      signer: { kind: "file", signerJson, passphrase: PASSPHRASE },
      genesis,
    });
    expect(files.get("signer.json")).toBe(signerJson);
    expect(files.get("genesis.json")).toBe(genesis);
    await makesBlocks(files);
  });

  test("of which ev-node exported the key is sealed anew, and makes blocks for the same genesis", {
    timeout: 2 * MINUTES_MS,
  }, async () => {
    const { home, signer, genesis } = initialised();
    const files = await identityFiles({ signer: { kind: "key", key: exported(home) }, genesis });
    expect(files.get("signer.json")).not.toBe(signer);
    await makesBlocks(files);
  });

  test("with a node key that ev-node made has the peer id that is computed of it", {
    timeout: 2 * MINUTES_MS,
  }, async () => {
    const { nodeKey } = initialised();
    const { priv_key: privateKey } = JSON.parse(nodeKey) as { priv_key: string };
    expect(renderNodeKey(Buffer.from(privateKey, "base64").subarray(0, SEED_LENGTH))).toBe(nodeKey);
    const started = await makesBlocks(new Map([...(await identityFiles()), ["node_key.json", nodeKey]]));
    expect(parseNodeKey(nodeKey)).toMatchObject({ value: { peerId: await peerIdOf(started) } });
  });

  test("of the published vector opens: ev-node exports the private key that was sealed", {
    timeout: MINUTES_MS,
  }, () => {
    const { signerJson, passphrase, seed, publicKey } = vector;
    const home = homeWith({ "signer.json": signerJson, passphrase });
    expect(exported(home)).toBe(privateKeyOf(seed, publicKey));
  });

  test("into which ev-node imported a key opens here", { timeout: MINUTES_MS }, async () => {
    const { seed, publicKey, proposerAddress, passphrase } = vector;
    const home = homeWith({ passphrase });
    run(home, "keys", "import", privateKeyOf(seed, publicKey));
    const signerJson = readFileSync(join(home, "config", "signer.json"), "utf8");
    expect(signerJson).not.toBe(vector.signerJson);
    expect(await importSigner({ signerJson, passphrase })).toEqual({
      kind: "imported",
      signer: { publicKey, proposerAddress },
    });
  });
});
