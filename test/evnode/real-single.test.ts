import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { runAgent } from "../../src/agent/main.ts";
import type { Resolve } from "../../src/agent/resolve.ts";
import { startArgs } from "../../src/evnode/member-command.ts";
import { blockRequest, parseBlock, type RpcRequest, raftNodeRequest } from "../../src/evnode/rpc.ts";
import { type AgentAnswer, agentAnswerSchema } from "../../src/model/agent-protocol.ts";
import { annotations } from "../../src/model/annotations.ts";
import { bootstrapOrder, hostOf, identityEntries, newSinglePod, type Pod, startOrder } from "../agent/pod.ts";
import { recordedLog } from "../agent/recorded-log.ts";
import { closedPort } from "../agent/servers.ts";
import { because, obstacleToGo } from "./go.ts";
import { buildPrograms, end, nodeModule, type Programs } from "./real-node.ts";

const obstacle = obstacleToGo(nodeModule);
const MINUTES_MS = 60_000;
const PATIENCE_MS = 60_000;

/** A single sequencer as its pod runs it: the real agent, and the real ev-node that its container starts again. */
describe.skipIf(obstacle !== undefined)(
  `a single sequencer with the real ev-node${because(obstacle)}`,
  () => {
    let scratch: string;
    let programs: Programs;
    let pod: Pod;
    let ports: { agent: number; rpc: number; metrics: number; raft: number; p2p: number };
    let stop: AbortController;
    let agent: Promise<void>;
    let kubelet: Promise<void>;
    let node: ChildProcess | undefined;
    let output: string;
    let exits: (number | null)[];

    beforeAll(() => {
      scratch = mkdtempSync(join(tmpdir(), "real-single-"));
      programs = buildPrograms(scratch);
    }, 15 * MINUTES_MS);
    afterAll(() => rmSync(scratch, { recursive: true, force: true }));

    beforeEach(async () => {
      const [agentPort, rpc, metrics, raft, p2p] = [
        await closedPort(),
        await closedPort(),
        await closedPort(),
        await closedPort(),
        await closedPort(),
      ];
      ports = { agent: agentPort, rpc, metrics, raft, p2p };
      pod = await newSinglePod(ports, (input) => ({ ...input, blockTimeMs: 200 }));
      const { "genesis.json": later = "" } = await identityEntries();
      await pod.setIdentity({ "genesis.json": later.replace("2030-", "2026-") });
      stop = new AbortController();
      output = "";
      exits = [];
      agent = runAgent(environment(), stop.signal, surroundings());
      kubelet = keepRunning();
    });
    afterEach(async () => {
      stop.abort();
      if (node) await end(node);
      await Promise.all([agent, kubelet]);
      await pod.remove();
    });

    function environment() {
      const { member, namespace, podUid, epoch, maxBlocksBehind } = pod.settings;
      const numbers = { EPOCH: String(epoch), MAX_BLOCKS_BEHIND: String(maxBlocksBehind) };
      return { POD_NAME: member, POD_NAMESPACE: namespace, POD_UID: podUid, ...numbers };
    }

    function surroundings() {
      const resolve: Resolve = Object.assign(async () => "127.0.0.1", { forget: () => {} });
      return { paths: pod.paths, port: ports.agent, resolve, log: recordedLog() };
    }

    /** Starts ev-node once the agent lets it, and again whenever it ended, as kubelet does. */
    async function keepRunning(): Promise<void> {
      const { home, config } = pod.paths;
      while (!(await isOk("/startupz"))) {
        if (stop.signal.aborted) return;
        await pause(100);
      }
      while (!stop.signal.aborted) {
        const args = startArgs({ home, passphraseFile: join(config, "passphrase") });
        node = spawn(programs.node, [...args], { env: { HOME: home, LIBP2P_TCP_REUSEPORT: "false" } });
        const hear = (chunk: Buffer) => {
          output += chunk.toString("utf8");
        };
        node.stdout?.on("data", hear);
        node.stderr?.on("data", hear);
        const code = await new Promise<number | null>((resolve) => node?.once("exit", resolve));
        exits.push(code);
        await pause(200);
      }
    }

    const at = (path: string) => fetch(`http://127.0.0.1:${ports.agent}${path}`);
    async function isOk(path: string): Promise<boolean> {
      const response = await at(path).catch(() => undefined);
      await response?.text();
      return response?.ok === true;
    }
    const answer = async (): Promise<AgentAnswer> =>
      agentAnswerSchema.parse(await (await at("/v1/state")).json());

    async function ask({ method, path, body }: RpcRequest): Promise<string> {
      const headers = { "content-type": "application/json" };
      const given = body === undefined ? {} : { body };
      return (await fetch(`http://127.0.0.1:${ports.rpc}${path}`, { method, headers, ...given })).text();
    }

    async function eventually<T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> {
      const endsAtMs = performance.now() + PATIENCE_MS;
      while (performance.now() < endsAtMs) {
        const found = await look().catch(() => undefined);
        if (found !== undefined && found !== false) return found;
        await pause(100);
      }
      const last = await answer().catch(String);
      throw new Error(`never came true: ${what}. ${JSON.stringify(last)} ${output.slice(-2_000)}`);
    }

    const sole = [{ id: "chain-0", address: "" }];

    async function comeUp(): Promise<void> {
      const voters = sole.map(({ id }) => ({ id, address: `${hostOf(id)}:${ports.raft}` }));
      await pod.setOrder({ ...bootstrapOrder, voters });
      await eventually(
        "its volume is prepared",
        async () => (await answer()).prepare.kind === "waiting" && (await answer()).volume.kind === "intact",
      );
      await pod.setOrder(startOrder);
      await eventually("it leads", async () => leads(await answer()));
    }

    const leads = ({ node: seen }: AgentAnswer) => seen.kind === "open" && seen.isLeader === true;
    const heightOf = ({ node: seen }: AgentAnswer) => (seen.kind === "open" ? (seen.height ?? 0) : 0);

    /** Its process, which has no blocks, answers. */
    const isEmpty = ({ node: seen }: AgentAnswer) => seen.kind === "open" && seen.height === 0;

    async function hashesUpTo(height: number): Promise<string[]> {
      const blocks = Array.from({ length: height }, (_, index) =>
        ask(blockRequest(index + 1)).then(parseBlock),
      );
      return (await Promise.all(blocks)).map((reading) =>
        reading.kind === "parsed" ? reading.value.hash : "?",
      );
    }

    test("makes blocks, is ready and leads, and its agent never asks for Raft", {
      timeout: 3 * MINUTES_MS,
    }, async () => {
      await comeUp();
      await eventually("it is ready", () => isOk("/readyz"));
      await eventually("it made some blocks", async () => heightOf(await answer()) >= 5);
      expect(await answer()).toMatchObject({ mode: { kind: "single" }, ready: { ok: true }, peers: [] });
      expect(output).not.toContain("panic");
      await expect(ask(raftNodeRequest)).rejects.toThrow("fetch failed");
    });

    test("restarts on the next block, and tells how long none was made", {
      timeout: 3 * MINUTES_MS,
    }, async () => {
      await comeUp();
      await eventually("it made some blocks", async () => heightOf(await answer()) >= 20);
      const before = await hashesUpTo(20);
      const first = (await answer()).handover;
      const started = { [annotations.configRevision]: pod.revision, [annotations.restartToken]: "once" };
      await pod.setAnnotations(started);
      await eventually("it was restarted", async () => (await answer()).restartToken === "once");
      const top = heightOf(await answer());
      await eventually("it goes on", async () => heightOf(await answer()) >= top + 5);
      const told = await eventually("the gap is told", async () => {
        const { handover } = await answer();
        return handover !== undefined && handover.lastHeight !== first?.lastHeight && handover;
      });
      expect(told.parentHash).toBe(told.lastHash);
      expect(told.gapMs).toBeGreaterThan(500);
      expect(await hashesUpTo(20)).toEqual(before);
      expect(exits).toEqual([0]);
    });

    test("does not begin again when its blocks were deleted", { timeout: 3 * MINUTES_MS }, async () => {
      await comeUp();
      await eventually("it made some blocks", async () => heightOf(await answer()) >= 3);
      rmSync(join(pod.paths.home, "data"), { recursive: true });
      await eventually("that is seen", async () => (await answer()).volume.kind === "damaged");
      node?.kill("SIGKILL");
      await eventually("a full node runs", async () => isEmpty(await answer()));
      await pause(3_000);
      expect(await answer()).toMatchObject({ volume: { kind: "damaged" }, ready: { ok: false } });
      expect(leads(await answer())).toBe(false);
      expect(parseBlock(await ask(blockRequest(1)))).not.toMatchObject({ kind: "parsed" });
    });
  },
);
