import { type ChildProcess, spawn } from "node:child_process";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { parseNodeKey } from "../../../src/evnode/keys.ts";
import { blockRequest } from "../../../src/evnode/rpc.ts";
import { closedPort } from "../../../test/agent/servers.ts";
import { readBlock } from "../../../test/e2e/harness/header-hash.ts";
import { newChainKeys } from "../chain-keys.ts";
import { askHeight, askText } from "../node-rpc.ts";
import { type Poll, pause, pollUntil, type Undoing } from "../session.ts";
import { Ledger } from "./ledger.ts";
import { GuideNode } from "./node.ts";

const MACHINES = 5;
const AT_ONCE = 8;
const LOOK_EVERY_MS = 250;
const START_TIMEOUT_MS = 60_000;

export interface Programs {
  readonly testnode: string;
  readonly localDa: string;
}

/** The guide's five machines on loopback, a DA layer, and an observer that reads every block of every node over RPC. */
export class Stage {
  readonly nodes: readonly GuideNode[];
  readonly ledger = new Ledger();
  readonly #session: Undoing;
  readonly #da: ChildProcess;
  readonly #root: string;
  /** Up to where each process was read. */
  readonly #readTo = new Map<string, number>();

  private constructor(session: Undoing, nodes: readonly GuideNode[], da: ChildProcess, root: string) {
    this.#session = session;
    this.nodes = nodes;
    this.#da = da;
    this.#root = root;
  }

  /** `number` makes the addresses others than those of the run before, whose connections may linger. */
  static async set(session: Undoing, programs: Programs, root: string, number: number): Promise<Stage> {
    const { passphrase, signer, genesis, nodeKeys } = await newChainKeys(MACHINES, "guide");
    const daPort = await closedPort();
    const nodes = nodeKeys.map((nodeKey, index) => {
      const name = `node-${index + 1}`;
      const home = join(root, name);
      const key = parseNodeKey(nodeKey);
      if (key.kind === "malformed") throw new Error(key.problem);
      const ip = `127.88.${1 + (number % 250)}.${index + 1}`;
      const machine = { name, ip, home, raftFolder: join(home, "raft"), peerId: key.value.peerId };
      return new GuideNode(machine, programs.testnode, daPort);
    });
    for (const [index, node] of nodes.entries())
      await node.install({ passphrase, signer, genesis, nodeKey: nodeKeys[index] ?? "" });
    const da = spawn(programs.localDa, ["-port", String(daPort)], { stdio: "ignore" });
    return new Stage(session, nodes, da, root);
  }

  /** Ends every process of it, and leaves nothing. */
  async clear(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop("SIGKILL")));
    this.#da.kill("SIGKILL");
    await rm(this.#root, { recursive: true, force: true, maxRetries: 3 });
  }

  /** Until this node serves a block of that height. */
  async reaches(node: GuideNode, height: number): Promise<void> {
    const poll: Poll = { everyMs: LOOK_EVERY_MS, timeoutMs: START_TIMEOUT_MS };
    const there = async () => {
      await this.look();
      return (await this.heightOf(node)) >= height ? true : undefined;
    };
    if (await pollUntil(there, poll, this.#session)) return;
    throw new Error(`${node.name} did not reach block ${height}; it said at last: ${await node.lastLine()}`);
  }

  /** 0 while it says nothing. */
  async heightOf(node: GuideNode): Promise<number> {
    return node.isRunning ? ((await askHeight(node.ip)) ?? 0) : 0;
  }

  async watch(ms: number): Promise<void> {
    for (const end = performance.now() + ms; performance.now() < end; ) {
      await this.look();
      await pause(LOOK_EVERY_MS, this.#session);
    }
  }

  /** Reads what every node has beyond the last look; `again` reads all of it anew. */
  async look(again = false): Promise<void> {
    await Promise.all(this.nodes.filter(({ isRunning }) => isRunning).map((node) => this.#read(node, again)));
  }

  async #read(node: GuideNode, again: boolean): Promise<void> {
    const process = `${node.name}, start ${node.starts}`;
    const head = await askHeight(node.ip);
    if (head === undefined) return;
    const before = again ? 0 : (this.#readTo.get(process) ?? 0);
    // One whose height fell began anew.
    let next = head < before ? 1 : before + 1;
    while (next <= head) {
      const heights = Array.from({ length: Math.min(AT_ONCE, head - next + 1) }, (_, index) => next + index);
      const seen = await Promise.all(heights.map((height) => this.#see(node, height)));
      // One that stops to answer is read on at the next look.
      if (seen.includes(false)) return;
      next += heights.length;
      this.#readTo.set(process, next - 1);
    }
  }

  async #see(node: GuideNode, height: number): Promise<boolean> {
    const answer = await askText(node.ip, blockRequest(height));
    if (answer === undefined) return false;
    // A hole, which is not what is looked for here.
    if (answer.status === 200) this.ledger.see(node.name, height, readBlock(answer.body).hash);
    return true;
  }
}
