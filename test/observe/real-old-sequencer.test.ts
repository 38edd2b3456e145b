import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { memberConfig, renderConfig, renderFullNodeConfig } from "../../src/evnode/config.ts";
import { parseGenesis } from "../../src/evnode/genesis.ts";
import { parseNodeKey, renderNodeKey } from "../../src/evnode/keys.ts";
import { startArgs } from "../../src/evnode/member-command.ts";
import { blockRequest, parseBlock } from "../../src/evnode/rpc.ts";
import { askOldSequencer } from "../../src/observe/old-sequencer-client.ts";
import { because, obstacleToGo } from "../evnode/go.ts";
import { identityFiles } from "../evnode/identity-files.ts";
import {
  buildPrograms,
  end,
  eventually,
  freePorts,
  isOpen,
  nodeModule,
  type Ports,
  type RealNode,
  running,
  usualInput,
  writeFiles,
} from "../evnode/real-node.ts";

const obstacle = obstacleToGo(nodeModule);
const MINUTES_MS = 60_000;

const look = ({ rpc }: Ports) => askOldSequencer(`http://127.0.0.1:${rpc}`, AbortSignal.timeout(2_000));

describe.skipIf(obstacle !== undefined)(`a real sequencer outside${because(obstacle)}`, () => {
  let scratch: string;
  let program: string;
  const nodes: RealNode[] = [];

  beforeAll(async () => {
    scratch = mkdtempSync(join(tmpdir(), "real-outside-"));
    program = buildPrograms(scratch).node;
  }, 15 * MINUTES_MS);

  afterEach(async () => {
    for (const node of nodes.splice(0)) await node.stop();
  });

  afterAll(() => rmSync(scratch, { recursive: true, force: true }));

  /** As a single sequencer, or as a full node of the same config. */
  function start(
    home: string,
    files: ReadonlyMap<string, string>,
    ports: Ports,
    as: "single" | "full",
    extraPeers: readonly string[] = [],
  ) {
    const usual = usualInput(home, ports);
    const input = { ...usual, isSingle: true, p2p: { ...usual.p2p, extraPeers } };
    const text = as === "single" ? renderConfig(input) : renderFullNodeConfig(memberConfig(input));
    writeFiles(join(home, "config"), new Map([...files, ["evnode.yaml", text]]));
    const passphraseFile = join(home, "config", "passphrase");
    const child = spawn(program, startArgs({ home, passphraseFile }), { env: { HOME: home } });
    const node = running(child, ports, home);
    nodes.push(node);
    return { node, child };
  }

  test("is told by its RPC, followed by a full node, and gone on with at its next block", {
    timeout: 5 * MINUTES_MS,
  }, async () => {
    const files = await identityFiles();
    const genesis = parseGenesis(files.get("genesis.json") ?? "");
    const key = parseNodeKey(files.get("node_key.json") ?? "");
    if (genesis.kind === "malformed" || key.kind === "malformed") throw new Error("the files can be read");
    const [outside, own] = [await freePorts(), await freePorts()];
    const [oldHome, home] = [mkdtempSync(join(scratch, "old-")), mkdtempSync(join(scratch, "own-"))];
    const { node: old } = start(oldHome, files, outside, "single");
    await isOpen(old);
    const told = await eventually("blocks", old, async () => {
      const found = await look(outside);
      return found.kind === "told" && found.block.height > 20 && found.block.hash ? found : undefined;
    });
    const { chainId, proposerAddress: proposer } = genesis.value;
    expect(told.chain).toEqual({ chainId, proposer });

    const ownFiles = new Map([...files, ["node_key.json", renderNodeKey(Buffer.alloc(32, 77))]]);
    const peer = `/ip4/127.0.0.1/tcp/${outside.p2p}/p2p/${key.value.peerId}`;
    const { node: follower, child } = start(home, ownFiles, own, "full", [peer]);
    await eventually("the follower's blocks", follower, async () => {
      const found = await look(own);
      return found.kind === "told" && found.block.height > told.block.height ? true : undefined;
    });
    const block = await eventually("the same block", follower, async () => {
      const answer = parseBlock(await follower.ask(blockRequest(told.block.height)));
      return answer.kind === "parsed" ? answer.value : undefined;
    });
    expect(block.hash).toBe(told.block.hash);

    await old.stop();
    expect(await look(outside)).toEqual({ kind: "silent", why: "the connection is refused" });
    const last = await still(own);
    // It keeps its home: what it started with is what it goes on with.
    await end(child);
    const { node: alone } = start(home, ownFiles, own, "single");
    const first = await eventually("the next block", alone, async () => {
      const answer = parseBlock(await alone.ask(blockRequest(last.height + 1)));
      return answer.kind === "parsed" ? answer.value : undefined;
    });
    expect(first.lastHeaderHash).toBe(last.hash);
  });
});

/** Its last block, once no other one has come for a while. */
async function still(ports: Ports): Promise<{ height: number; hash: string }> {
  let before = "";
  for (let looks = 0; looks < 60; looks += 1) {
    const found = await look(ports);
    const text = JSON.stringify(found);
    if (found.kind === "told" && found.block.hash !== undefined && text === before)
      return { height: found.block.height, hash: found.block.hash };
    before = text;
    await new Promise((resolve) => setTimeout(resolve, 2_000));
  }
  throw new Error("blocks came all the time");
}
