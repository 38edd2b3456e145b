import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import type { EvNodeCluster } from "../../src/api/evnodecluster.ts";
import { type MemberConfig, parseConfig } from "../../src/evnode/config.ts";
import { diagnosisOf } from "../../src/evnode/failures.ts";
import { parseNodeKey } from "../../src/evnode/keys.ts";
import { startArgs } from "../../src/evnode/member-command.ts";
import { bootstrapFiles, type RaftMember } from "../../src/evnode/raft-bootstrap.ts";
import {
  blockRequest,
  netInfoRequest,
  parseBlock,
  parseNetInfo,
  parseRaftNode,
  raftNodeRequest,
} from "../../src/evnode/rpc.ts";
import { memberConfigs } from "../../src/resources/member-configs.ts";
import { because, obstacleToGo } from "./go.ts";
import { completed, filesOf, identitySecret } from "./identity-files.ts";
import {
  buildPrograms,
  eventually,
  freePorts,
  nodeModule,
  type Ports,
  type RealNode,
  running,
  writeFiles,
} from "./real-node.ts";

const obstacle = obstacleToGo(nodeModule);
const MINUTES_MS = 60_000;
const ordinals = [0, 1, 2, 3, 4];
const example = parse(
  readFileSync(new URL("../../examples/five-members.yaml", import.meta.url), "utf8"),
) as EvNodeCluster;

/**
 * The guide's time-outs cost leader after leader its lease on a machine that is busy with other tests, and nothing
 * starts them again here.
 */
const patient = {
  heartbeatTimeout: "3s",
  electionTimeout: "6s",
  leaderLeaseTimeout: "3s",
  sendTimeout: "1s",
};

interface Member {
  readonly child: ChildProcess;
  readonly node: RealNode;
  /** Computed from its node key. */
  readonly peerId: string;
}

/** As it is rendered, but for what is a place: all five are on one address here, and none of them has a volume. */
function onLoopback(config: MemberConfig, home: string, all: readonly Ports[], ordinal: number): object {
  const ports = all[ordinal];
  const peers = config.p2p.peers
    .split(",")
    .map((peer) =>
      peer.replace(
        /^\/dns4\/my-chain-(\d)[^/]*\/tcp\/26656\//,
        (_, other: string) => `/ip4/127.0.0.1/tcp/${all[Number(other)]?.p2p}/`,
      ),
    );
  return {
    ...config,
    raft: { ...config.raft, raft_addr: `127.0.0.1:${ports?.raft}`, raft_dir: join(home, "raft-1") },
    rpc: { ...config.rpc, address: `127.0.0.1:${ports?.rpc}` },
    p2p: { ...config.p2p, listen_address: `/ip4/127.0.0.1/tcp/${ports?.p2p}`, peers: peers.join(",") },
    instrumentation: { ...config.instrumentation, prometheus_listen_addr: `127.0.0.1:${ports?.metrics}` },
    signer: { ...config.signer, signer_path: join(home, "config") },
    da: { ...config.da, address: "http://127.0.0.1:1" },
  };
}

/** Starts all five, as the agents would: each with its own files, and with the whole membership in its Raft state. */
async function startAll(program: string, scratch: string): Promise<readonly Member[]> {
  const { rttMax: _, ...raft } = example.spec.raft ?? {};
  const spec = completed({ ...example.spec, raft: { ...raft, timing: patient } });
  const identity = await identitySecret({}, spec);
  const files = ordinals.map((ordinal) => filesOf(identity, ordinal));
  const peerIds = files.map((own) => peerIdIn(own.get("node_key.json") ?? ""));
  const place = { name: "my-chain", namespace: "default", clusterDomain: "cluster.local", epoch: 1 };
  const { texts } = memberConfigs({ ...place, spec, peerIds, daAuthToken: undefined });
  const all = await Promise.all(ordinals.map(freePorts));
  const raftFiles = Object.entries(bootstrapFiles(all.map(voter)));
  return all.map((ports, ordinal) => {
    const home = mkdtempSync(join(scratch, "home-"));
    const config = parseConfig(texts.get(`my-chain-${ordinal}`) ?? "");
    if (config.kind === "malformed") throw new Error(config.problem);
    const text = stringify(onLoopback(config.value, home, all, ordinal));
    writeFiles(join(home, "config"), [...(files[ordinal] ?? []), ["evnode.yaml", text]]);
    writeFiles(join(home, "raft-1"), raftFiles);
    const args = startArgs({ home, passphraseFile: join(home, "config", "passphrase") });
    const child = spawn(program, args, { env: { HOME: home } });
    return { child, node: running(child, ports, home), peerId: peerIds[ordinal] ?? "" };
  });
}

describe.skipIf(obstacle !== undefined)(
  `the guide's five members in the real ev-node${because(obstacle)}`,
  () => {
    let scratch: string;
    let members: readonly Member[] = [];

    beforeAll(async () => {
      scratch = mkdtempSync(join(tmpdir(), "real-guide-"));
      members = await startAll(buildPrograms(scratch).node, scratch);
    }, 15 * MINUTES_MS);

    afterAll(async () => {
      await Promise.all(members.map(({ node }) => node.stop()));
      rmSync(scratch, { recursive: true, force: true });
    });

    const hashOf = ({ node }: Member, height: number) =>
      eventually(`block ${height}`, node, async () => {
        const reading = parseBlock(await node.ask(blockRequest(height)));
        return reading.kind === "parsed" ? reading.value.hash : undefined;
      });

    const leads = async ({ node }: Member) => {
      const reading = parseRaftNode(await node.ask(raftNodeRequest));
      return reading.kind === "parsed" && reading.value.isLeader;
    };

    /** Between two leaders there is none for a moment. */
    const theLeader = async () => {
      const [{ node }] = members as readonly [Member];
      return eventually("one leader", node, async () => {
        const roles = await Promise.all(members.map(leads));
        const leaders = members.filter((_, index) => roles[index]);
        return leaders.length === 1 ? leaders[0] : undefined;
      });
    };

    test("make one chain under one leader, with the peer ids that were computed", {
      timeout: 3 * MINUTES_MS,
    }, async () => {
      for (const height of [1, 3, 5]) {
        const hashes = await Promise.all(members.map((member) => hashOf(member, height)));
        expect(new Set(hashes).size).toBe(1);
      }
      expect(members).toContain(await theLeader());
      const told = await Promise.all(members.map(({ node }) => node.ask(netInfoRequest)));
      expect(told.map(parseNetInfo)).toMatchObject(members.map(({ peerId }) => ({ value: { peerId } })));
    });

    test("go on when the leader is asked to end, whose exit with code 1 is no failure of it", {
      timeout: 3 * MINUTES_MS,
    }, async () => {
      const leader = await theLeader();
      const others = members.filter((member) => member !== leader);
      const ended = once(leader.child, "exit");
      leader.child.kill("SIGTERM");
      const [code] = (await ended) as [number | null];
      const lastLine = leader.node.output().trimEnd().split("\n").at(-1) ?? "";
      expect({ code, lastLine }).toEqual({ code: 1, lastLine: "leader lock lost" });
      expect(diagnosisOf({ code: 1, lastLine })).toMatchObject({ reason: "LeadershipLost", cure: "Restart" });
      const hashes = await Promise.all(others.map((member) => hashOf(member, 12)));
      expect(new Set(hashes).size).toBe(1);
    });
  },
);

function peerIdIn(nodeKey: string): string {
  const key = parseNodeKey(nodeKey);
  if (key.kind === "malformed") throw new Error(key.problem);
  return key.value.peerId;
}

const voter = ({ raft }: Ports, ordinal: number): RaftMember => ({
  id: `my-chain-${ordinal}`,
  address: `127.0.0.1:${raft}`,
});
