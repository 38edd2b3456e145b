import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync, unlinkSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { buildBinary } from "../../hack/local-cluster/go-build.ts";
import { diagnoses } from "../../src/evnode/diagnoses.ts";
import { diagnosisOf, type FailureReason } from "../../src/evnode/failures.ts";
import { type Exit, NODE_ID, RealMember, type Yaml } from "./real-member.ts";

const source = fileURLToPath(new URL("../../hack/local-cluster/go/evnode", import.meta.url));
const obstacle = obstacleToGo();
const minutesMs = 60_000;

let scratch = "";
let program = "";
const listeners: Server[] = [];

interface Way {
  readonly args?: (member: RealMember) => readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** How a healthy member is spoilt, and what its ev-node then has to end of. */
type Case = readonly [
  what: string,
  reason: FailureReason,
  spoil: (member: RealMember) => void | Promise<void>,
  way?: Way,
];

const yaml = (change: (yaml: Yaml) => void) => (member: RealMember) => member.configure(change);
const raft = (fields: Record<string, unknown>) => yaml((all) => Object.assign(all["raft"] ?? {}, fields));
const node = (fields: Record<string, unknown>) => yaml((all) => Object.assign(all["node"] ?? {}, fields));
const da = (fields: Record<string, unknown>) => yaml((all) => Object.assign(all["da"] ?? {}, fields));
const p2p = (fields: Record<string, unknown>) => yaml((all) => Object.assign(all["p2p"] ?? {}, fields));
const signer = (fields: Record<string, unknown>) => yaml((all) => Object.assign(all["signer"] ?? {}, fields));
const write = (path: string, content: string) => (member: RealMember) => member.write(path, content);
const remove = (path: string) => (member: RealMember) => unlinkSync(join(member.home, path));
const nothing = () => {};
const withoutRaft = (member: RealMember) => rmSync(member.raftFolder, { recursive: true });

function genesis(change: (genesis: Record<string, unknown>) => void) {
  return (member: RealMember) => {
    const parsed = JSON.parse(member.read("config/genesis.json").toString("utf8")) as Record<string, unknown>;
    change(parsed);
    member.write("config/genesis.json", JSON.stringify(parsed));
  };
}

/** Past the argument that keeps every member from bootstrapping by itself. */
const peers = (list: (member: RealMember) => string): Way => ({
  args: (member) => [
    "start",
    `--home=${member.home}`,
    `--evnode.signer.passphrase_file=${member.passphraseFile}`,
    `--evnode.raft.peers=${list(member)}`,
  ],
});
const argument = (...more: readonly string[]): Way => ({
  args: ({ home, passphraseFile }) => [
    "start",
    `--home=${home}`,
    `--evnode.signer.passphrase_file=${passphraseFile}`,
    ...more,
  ],
});

const occupy =
  (port: (member: RealMember) => number, host = "0.0.0.0") =>
  (member: RealMember): Promise<void> => {
    const server = createServer();
    listeners.push(server);
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(port(member), host, () => resolve());
    });
  };

const atOnce: readonly Case[] = [
  ["a member that is no sequencer", "ConfigNotRead", node({ aggregator: false })],
  ["no DA address", "ConfigNotRead", da({ address: "" })],
  ["no raft id", "ConfigNotRead", raft({ node_id: "" })],
  ["no raft address", "ConfigNotRead", raft({ raft_addr: "" })],
  ["no raft directory", "ConfigNotRead", raft({ raft_dir: "" })],
  ["a duration that is a number", "ConfigRefused", node({ block_time: 1 })],
  ["no snapshots to be kept", "ConfigRefused", raft({ snap_count: 0 })],
  ["a catch-up beside raft", "ConfigRefused", node({ catchup_timeout: "1s" })],
  ["a namespace that is empty", "ConfigRefused", da({ namespace: "" })],
  ["a DA address without a scheme", "DaAddressInvalid", da({ address: "127.0.0.1:7980" })],
  ["a DA address of another scheme", "DaAddressInvalid", da({ address: "ftp://127.0.0.1:7980" })],
  [
    "a heartbeat below 5 ms",
    "RaftTimingInvalid",
    raft({ heartbeat_timeout: "1ms", leader_lease_timeout: "1ms" }),
  ],
  ["a lease above the heartbeat", "RaftTimingInvalid", raft({ leader_lease_timeout: "1s" })],
  ["an election below the heartbeat", "RaftTimingInvalid", raft({ election_timeout: "50ms" })],
  ["a send time-out of nothing", "RaftTimingInvalid", raft({ send_timeout: "0s" })],
  ["a raft address that nobody can dial", "RaftAddressInvalid", raft({ raft_addr: "0.0.0.0:5001" })],
  ["an own name that nobody knows", "OwnNameUnresolved", raft({ raft_addr: "no-such-host.invalid:5001" })],
  ["an address of another machine", "OwnAddressStale", raft({ raft_addr: "192.0.2.1:5001" })],
  ["the raft port taken", "PortInUse", occupy(({ ports }) => ports.raft, "127.0.0.1")],
  ["the P2P port taken", "PortInUse", occupy(({ ports }) => ports.p2p)],
  ["the RPC port taken", "PortInUse", occupy(({ ports }) => ports.rpc)],
  ["a P2P address that is none", "ListenAddressInvalid", p2p({ listen_address: "nonsense" })],
  [
    "an RPC address without a port",
    "ListenAddressInvalid",
    yaml((all) => Object.assign(all["rpc"] ?? {}, { address: "nonsense" })),
  ],
  ["the raft folder taken away", "RaftStateMissing", withoutRaft],
  [
    "a peer listed with two addresses",
    "RaftPeersInvalid",
    withoutRaft,
    peers(() => `${NODE_ID}@127.0.0.1:1`),
  ],
  [
    "two peers with one address",
    "RaftPeersInvalid",
    withoutRaft,
    peers(() => "ev-1@127.0.0.1:2,ev-2@127.0.0.1:2"),
  ],
  [
    "a raft state with a term and no membership",
    "FirstStartRace",
    remove("raft-1/raft-log.db"),
    peers(({ raftAddress }) => `${NODE_ID}@${raftAddress}`),
  ],
  ["a raft log of something else", "RaftStateDamaged", write("raft-1/raft-log.db", "A".repeat(32_768))],
  ["a raft store of something else", "RaftStateDamaged", write("raft-1/raft-stable.db", "A".repeat(32_768))],
  [
    "a raft log that was cut off",
    "Crashed",
    ({ raftFolder }) => truncateSync(join(raftFolder, "raft-log.db"), 100),
  ],
  [
    "a file where the raft folder is",
    "VolumeUnusable",
    (member) => {
      withoutRaft(member);
      member.write("raft-1", "");
    },
  ],
  ["a file where the blocks are", "VolumeUnusable", write("data", "")],
  [
    "a variable with a setting's name",
    "EnvironmentVariableRefused",
    nothing,
    { env: { "RAFT.NODE_ID": "x" } },
  ],
  ["a variable DB_PATH", "EnvironmentVariableRefused", nothing, { env: { DB_PATH: "x" } }],
  ["a variable CLEAR_CACHE", "EnvironmentVariableRefused", nothing, { env: { CLEAR_CACHE: "1" } }],
  ["an argument that it does not know", "UnknownFlag", nothing, argument("--no-such-flag")],
  ["an argument without its value", "UnknownFlag", nothing, argument("--evnode.log.level")],
  ["an argument of the wrong type", "UnknownFlag", nothing, argument("--evnode.raft.enable=perhaps")],
  ["a command that it does not know", "UnknownFlag", nothing, { args: () => ["go"] }],
  ["no genesis", "GenesisInvalid", remove("config/genesis.json")],
  ["a genesis that is no JSON", "GenesisInvalid", write("config/genesis.json", "{")],
  ["a genesis without a chain", "GenesisInvalid", genesis((one) => delete one["chain_id"])],
  [
    "a genesis without an epoch",
    "GenesisInvalid",
    genesis((one) => Object.assign(one, { da_epoch_forced_inclusion: 0 })),
  ],
  ["a passphrase of something else", "WrongPassphrase", write("config/passphrase", "another one")],
  ["a passphrase that is empty", "WrongPassphrase", write("config/passphrase", "")],
  ["no passphrase", "SignerUnreadable", remove("config/passphrase")],
  ["no signer", "SignerUnreadable", remove("config/signer.json")],
  ["a signer that is no JSON", "SignerUnreadable", write("config/signer.json", "{")],
  ["a signer of an unknown type", "SignerTypeUnknown", signer({ signer_type: "grpc" })],
  [
    "a signer of another proposer",
    "SignerMismatch",
    genesis((one) => Object.assign(one, { proposer_address: Buffer.alloc(32, 9).toString("base64") })),
  ],
  ["no node key", "NodeKeyInvalid", remove("config/node_key.json")],
  ["a node key that is no JSON", "NodeKeyInvalid", write("config/node_key.json", "{")],
];

const produced = (count: number) => new RegExp("produced block[^]*?".repeat(count));

/** A member that has made blocks. */
async function grown(count = 5): Promise<RealMember> {
  const member = await newMember();
  const exit = await member.run({ until: produced(count) });
  expect(exit.output).toMatch(produced(count));
  return member;
}

const filesOf = (member: RealMember, ending: string) =>
  readdirSync(join(member.home, "data/testapp")).filter((name) => name.endsWith(ending));

type Story = readonly [what: string, reason: FailureReason, run: () => Promise<Exit>];

const later: readonly Story[] = [
  [
    "the raft state of another chain",
    "Diverged",
    async () => {
      const [member, other] = [await grown(), await grown()];
      withoutRaft(member);
      cpSync(other.raftFolder, member.raftFolder, { recursive: true });
      member.configure((all) => Object.assign(all["raft"] ?? {}, { raft_addr: other.raftAddress }));
      return member.run();
    },
  ],
  [
    "the genesis of another chain",
    "GenesisOfAnotherChain",
    async () => {
      const member = await grown();
      genesis((one) => Object.assign(one, { chain_id: "rollup-2" }))(member);
      return member.run();
    },
  ],
  [
    "an index of its blocks that is damaged",
    "BlockStoreDamaged",
    async () => {
      const member = await grown();
      member.write("data/testapp/MANIFEST", "something else");
      return member.run();
    },
  ],
  [
    "a table of its blocks that is gone",
    "BlockStoreDamaged",
    async () => {
      const member = await grown();
      for (const name of filesOf(member, ".sst")) unlinkSync(join(member.home, "data/testapp", name));
      return member.run();
    },
  ],
  [
    "a raft log that was overwritten from its third page on",
    "Crashed",
    async () => {
      const member = await grown();
      const log = member.read("raft-1/raft-log.db");
      member.write("raft-1/raft-log.db", log.fill(0x41, 8_192));
      return member.run();
    },
  ],
  [
    "a second process on one store",
    "StoreInUse",
    async () => {
      const member = await newMember();
      const stop = new AbortController();
      const first = member.run({ signal: stop.signal });
      await member.hasSaid(/produced block/);
      const second = await member.run();
      stop.abort();
      await first;
      return second;
    },
  ],
  [
    "a leader that lost the only other voter",
    "LeadershipLost",
    async () => {
      const [one, other] = [await newMember(), await newMember()];
      other.configure((all) => Object.assign(all["raft"] ?? {}, { node_id: "ev-1" }));
      const voters = [
        { id: NODE_ID, address: one.raftAddress },
        { id: "ev-1", address: other.raftAddress },
      ];
      for (const member of [one, other]) {
        withoutRaft(member);
        member.bootstrap(voters);
      }
      // The one that makes blocks is asked to end and hands over; the other one leads alone, and not for long.
      const exits = await Promise.all([one, other].map((member) => member.run({ until: produced(3) })));
      const lost = exits.find(({ lastLine }) => lastLine.includes("lock lost"));
      return lost ?? exits[0] ?? { code: 0, lastLine: "", output: "" };
    },
  ],
];

describe.skipIf(obstacle !== undefined)(
  `what the real ev-node says when it ends${obstacle === undefined ? "" : ` (skipped: ${obstacle})`}`,
  () => {
    beforeAll(async () => {
      scratch = mkdtempSync(join(tmpdir(), "real-exits-"));
      program = await buildBinary("testnode");
    }, 10 * minutesMs);

    afterEach(() => {
      for (const server of listeners.splice(0)) server.close();
    });

    afterAll(() => rmSync(scratch, { recursive: true, force: true }));

    it.each(atOnce.map(([what, reason, spoil, way = {}]) => ({ what, reason, spoil, ...way })))(
      "$what is $reason",
      async ({ reason, spoil, args, env }) => {
        const member = await newMember();
        await spoil(member);
        const exit = await member.run({ ...(args && { args: args(member) }), ...(env && { env }) });
        expect(told(exit)).toMatch(new RegExp(`^${reason}: `));
      },
      minutesMs,
    );

    it.each(later)(
      "%s is %s",
      async (_, reason, run) => {
        const exit = await run();
        expect(told(exit)).toMatch(new RegExp(`^${reason}: `));
      },
      2 * minutesMs,
    );

    it(
      "is nothing of a failure when it was asked to end",
      async () => {
        const member = await newMember();
        const exit = await member.run({ until: /produced block/ });
        expect(exit).toMatchObject({ code: 0 });
        expect(diagnosisOf({ code: 0, lastLine: exit.lastLine })).toBeUndefined();
      },
      minutesMs,
    );

    it("comes to most of the diagnoses there are", () => {
      const seen = new Set([...atOnce, ...later].map(([, reason]) => reason));
      expect(Object.keys(diagnoses).filter((reason) => !seen.has(reason as FailureReason))).toEqual(
        notProduced,
      );
    });
  },
);

/** What takes another app, a service, a full disk, or a moment that cannot be made to happen. */
const notProduced = [
  "AheadOfRaft",
  "BehindAtElection",
  "DiskFull",
  "ExecutionFailed",
  "ExecutionLayerAhead",
  "FollowerFailed",
  "Killed",
  "KmsFailed",
  "KmsKeyMismatch",
  "LeaderFailed",
  "QuorumMissing",
  "RollbackRefused",
  "ShutdownTimedOut",
  "TransferFailed",
];

/** With the line itself, for whoever has to find out why it means something else. */
const told = ({ code, lastLine }: Exit) =>
  `${code === null ? "no end" : diagnosisOf({ code, lastLine })?.reason}: exit ${code}: ${lastLine}`;

async function newMember(): Promise<RealMember> {
  mkdirSync(scratch, { recursive: true });
  return RealMember.create(program, mkdtempSync(join(scratch, "member-")));
}

// As with the other proofs that need Go: continuous integration that has it must not lose them in silence.
function obstacleToGo(): string | undefined {
  if (spawnSync("go", ["version"]).status !== 0) return "Go is not installed";
  if (process.env["CI"] !== undefined) return undefined;
  if (spawnSync("go", ["mod", "download"], { cwd: source }).status !== 0)
    return "Go's modules cannot be downloaded";
  return undefined;
}
