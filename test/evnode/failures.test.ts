import { describe, expect, it } from "vitest";
import { diagnoses } from "../../src/evnode/diagnoses.ts";
import { type Cure, diagnoseExit, diagnosisOf, type FailureReason } from "../../src/evnode/failures.ts";

// Lines as ev-node and its libraries print them, each with the wrapping that it has at the end of a process.
const cases: readonly (readonly [line: string, reason: FailureReason, cure: Cure])[] = [
  ["leader lock lost", "LeadershipLost", "Restart"],
  ["Error: leader lock lost", "LeadershipLost", "Restart"],
  ["shutdown timeout exceeded", "ShutdownTimedOut", "Restart"],
  [
    "leader worker exited unexpectedly: failed to initialize state: some new trouble",
    "LeaderFailed",
    "Restart",
  ],
  ["leader worker exited unexpectedly: not a proposer", "SignerMismatch", "CorrectInput"],
  ["follower worker exited unexpectedly: context deadline exceeded", "FollowerFailed", "Restart"],
  ["leadership transfer failed after store-lag abdication: cannot find peer", "TransferFailed", "Restart"],
  [
    'error while starting leader election: peer "bootstrapped-by-agent" : expecting nodeID@address for peer',
    "RaftStateMissing",
    "RewriteRaftState",
  ],
  [
    "error while starting leader election: bootstrap cluster: bootstrap only works on new clusters",
    "FirstStartRace",
    "RewriteRaftState",
  ],
  [
    "failed to create node: failed to initialize raft node: create raft node: create log store: invalid database",
    "RaftStateDamaged",
    "RewriteRaftState",
  ],
  ["panic in github.com/hashicorp/raft-boltdb.NewBoltStore", "RaftStateDamaged", "RewriteRaftState"],
  [
    "panic in github.com/hashicorp/raft-boltdb.(*BoltStore).StoreLogs",
    "RaftStateDamaged",
    "RewriteRaftState",
  ],
  ["open block store: manifest has checksum mismatch", "BlockStoreDamaged", "Rebuild"],
  [
    "failed to create node: failed to initialize raft node: create raft node: create stable store: file size too small",
    "RaftStateDamaged",
    "RewriteRaftState",
  ],
  [
    "error while starting leader election: duplicate peers found in config: [{Voter a b}]",
    "RaftPeersInvalid",
    "CorrectInput",
  ],
  [
    "error while starting leader election: bootstrap cluster: found duplicate address in configuration: a:1",
    "RaftPeersInvalid",
    "CorrectInput",
  ],
  [
    "failed to create node: failed to initialize raft node: create raft node: create transport: local bind address is not advertisable",
    "RaftAddressInvalid",
    "CorrectInput",
  ],
  [
    "failed to create node: failed to initialize raft node: create raft node: resolve raft addr: lookup ev-0.ev.ns.svc.cluster.local on 10.96.0.10:53: no such host",
    "OwnNameUnresolved",
    "Restart",
  ],
  [
    "failed to create node: failed to initialize raft node: create raft node: create transport: listen tcp 10.244.0.7:5001: bind: cannot assign requested address",
    "OwnAddressStale",
    "Restart",
  ],
  ["listen tcp 0.0.0.0:7331: bind: address already in use", "PortInUse", "CorrectInput"],
  [
    "create raft: LeaderLeaseTimeout (175ms) cannot be larger than heartbeat timeout (100ms)",
    "RaftTimingInvalid",
    "CorrectInput",
  ],
  ["create raft: HeartbeatTimeout is too low", "RaftTimingInvalid", "CorrectInput"],
  [
    "create raft: ElectionTimeout (1s) must be equal or greater than Heartbeat Timeout (2s)",
    "RaftTimingInvalid",
    "CorrectInput",
  ],
  [
    "failed to validate node config: election timeout (1s) must be >= heartbeat timeout (2s)",
    "RaftTimingInvalid",
    "CorrectInput",
  ],
  ["failed to create node: raft config must be used in sequencer setup only", "ConfigNotRead", "Restart"],
  ["raft address is required", "ConfigNotRead", "Restart"],
  ["DA address is required when aggregator or promotable mode is enabled", "ConfigNotRead", "Restart"],
  [
    "failed to load node config: bindFlags failed: no such flag -raft.node_id",
    "EnvironmentVariableRefused",
    "CorrectInput",
  ],
  ["unknown flag: --no-such-flag", "UnknownFlag", "CorrectInput"],
  ["failed to create blob client: unknown url scheme ''", "DaAddressInvalid", "CorrectInput"],
  [
    'failed to connect to blob namespace: parsing address: parse "127.0.0.1:7980": first path segment in URL cannot contain colon',
    "DaAddressInvalid",
    "CorrectInput",
  ],
  ["failed to create node: must retain at least one snapshot", "ConfigRefused", "CorrectInput"],
  ["'node.block_time' expected a map or struct, got \"int\"", "ConfigRefused", "CorrectInput"],
  ["failed to validate node config: could not validate namespace (x): bad", "ConfigRefused", "CorrectInput"],
  ["genesis file not found at path: /data/config/genesis.json", "GenesisInvalid", "CorrectInput"],
  ["da_epoch_forced_inclusion must be at least 1, got 0", "GenesisInvalid", "CorrectInput"],
  [
    "initialize signer via factory: failed to decrypt private key (wrong passphrase?): cipher: message authentication failed",
    "WrongPassphrase",
    "CorrectInput",
  ],
  [
    "initialize signer via factory: key file not found at /data/config/signer.json",
    "SignerUnreadable",
    "CorrectInput",
  ],
  [
    "failed to read node key file /data/config/node_key.json: permission denied",
    "NodeKeyInvalid",
    "CorrectInput",
  ],
  ["write /data/raft-1/raft-log.db: no space left on device", "DiskFull", "CorrectEnvironment"],
  [
    'Cannot acquire directory lock on "/data/data".  Another process is using this Badger database.',
    "StoreInUse",
    "Restart",
  ],
  ["local state diverged from raft at height 12: local hash aa != raft hash bb", "Diverged", "Rebuild"],
  ["leader worker exited unexpectedly: header hash mismatch: aa vs bb", "Diverged", "Rebuild"],
  ["invalid state: block hash mismatch at height 12: raft=aa local=bb", "Diverged", "Rebuild"],
  [
    "CRITICAL: content mismatch after replay! local=aa raft=bb. This indicates a 'Dual-Store Conflict' where data diverged from Raft",
    "Diverged",
    "Rebuild",
  ],
  [
    "invalid state detected (block-height 12, state-height 11) - block references do not match local state. Manual intervention required: x",
    "Diverged",
    "Rebuild",
  ],
  [
    "leader worker exited unexpectedly: app hash mismatch at height 12: expected aa got bb",
    "Diverged",
    "Rebuild",
  ],
  [
    "leader worker exited unexpectedly: invalid state: local height (12) ahead of raft (11)",
    "AheadOfRaft",
    "Restart",
  ],
  [
    "local state ahead of raft snapshot (local=12 raft=11), cannot verify hash: not found",
    "AheadOfRaft",
    "Restart",
  ],
  [
    "cannot sync to height 12: block not found in store (store may be behind Raft consensus): datastore: key not found",
    "BehindAtElection",
    "Restart",
  ],
  [
    "execution layer height (12) ahead of target height (11): manually rollback execution layer to height 11",
    "ExecutionLayerAhead",
    "CorrectEnvironment",
  ],
];

const more: readonly (readonly [line: string, reason: FailureReason])[] = [
  ["initialize signer via factory: KMS returned unexpected key ID: arn:aws:kms:x", "KmsKeyMismatch"],
  ["initialize signer via factory: failed to fetch public key from Google Cloud KMS: denied", "KmsFailed"],
  ["initialize signer via factory: KMS GetPublicKey failed: operation error", "KmsFailed"],
  ["leader worker exited unexpectedly: AWS KMS sign failed after 3 attempts: timeout", "KmsFailed"],
  ["initialize signer via factory: unknown kms signer provider: azure", "SignerTypeUnknown"],
  ["passphrase file must be provided via --evnode.signer.passphrase_file", "SignerUnreadable"],
  ["open block store: manifest has checksum mismatch", "BlockStoreDamaged"],
  ["open block store: file does not exist for table 12", "BlockStoreDamaged"],
  ["raft cluster does not have quorum", "QuorumMissing"],
  [
    "node stopped due to critical execution client failure: failed to execute transactions: EOF",
    "ExecutionFailed",
  ],
  [
    "node stopped due to critical execution client failure: failed to validate block: app hash mismatch at height 3",
    "Diverged",
  ],
  [
    "leader worker exited unexpectedly: listen tcp: address nonsense: missing port in address",
    "ListenAddressInvalid",
  ],
  ["create executor directory: mkdir /data/data: permission denied", "VolumeUnusable"],
  ["created by main.main in goroutine 1", "Crashed"],
  ["fatal error: concurrent map writes", "Crashed"],
  ["  /go/pkg/mod/go.etcd.io/bbolt@v1/db.go:99 +0x4f", "Crashed"],
];

const all: readonly (readonly [reason: FailureReason, example: string])[] = Object.entries(diagnoses).map(
  ([reason, { example }]) => [reason as FailureReason, example],
);

describe("a diagnosis", () => {
  it.each(all.filter(([reason]) => reason !== "Killed"))(
    "of %s is made of its example",
    (reason, example) => {
      expect(diagnoseExit(example)?.reason).toBe(reason);
    },
  );

  it("says in sentences what happened, what that endangers, and what to do", () => {
    for (const { meaning, danger, next } of Object.values(diagnoses)) {
      for (const text of [meaning, danger, next]) expect(text).toMatch(/^\S[\s\S]*\.$/);
    }
  });

  it.each<[string, { code: number; lastLine: string }, FailureReason | undefined]>([
    ["no failure where the process ended well", { code: 0, lastLine: "leader lock lost" }, undefined],
    ["by the line, where it says something", { code: 137, lastLine: "leader lock lost" }, "LeadershipLost"],
    ["by the code of a process that was killed", { code: 137, lastLine: '{"level":"info"}' }, "Killed"],
    ["by the code where there is no line", { code: 137, lastLine: "" }, "Killed"],
    ["none of what nobody knows", { code: 1, lastLine: "what now" }, undefined],
  ])("is %s", (_, exit, reason) => {
    expect(diagnosisOf(exit)?.reason).toBe(reason);
  });
});

describe("the last line of an exit", () => {
  it.each(more)("%j means %s, too", (line, reason) => {
    expect(diagnoseExit(line)?.reason).toBe(reason);
  });

  it.each(cases)("%j means %s", (line, reason, cure) => {
    expect(diagnoseExit(line)).toMatchObject({ reason, cure });
  });

  it("has a meaning in one sentence", () => {
    for (const [line] of cases) expect(diagnoseExit(line)?.meaning).toMatch(/^[A-Z].*\.$/);
  });

  // Lines that a healthy member prints too, or that say nothing of the cause.
  it.each([
    "",
    "exit status 1",
    "leadership resigned before shutdown",
    "raft state still at height 0 after wait; skipping recovery to allow normal sync",
    "2026/08/01 12:00:00 Rollback failed: tx closed",
    '{"level":"info","message":"produced block"}',
    "Usage:",
    "raft: initial configuration: index=0 servers=[]",
  ])("%j means nothing", (line) => {
    expect(diagnoseExit(line)).toBeUndefined();
  });
});
