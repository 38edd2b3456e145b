import { type Diagnosis, diagnoses, type FailureReason } from "./diagnoses.ts";

export type { Cure, FailureReason } from "./diagnoses.ts";

/** What an exit means, what it endangers, and what is to be done. */
export interface Failure extends Diagnosis {
  readonly reason: FailureReason;
}

type Row = readonly [text: RegExp, reason: FailureReason];

// The first row that fits counts. ev-node wraps inner errors in outer ones, so the inner texts stand above the outer.
const rows: readonly Row[] = [
  [
    /local state diverged from raft|(header|block) hash mismatch|content mismatch after replay|app hash mismatch at height|block references do not match local state/,
    "Diverged",
  ],
  [/not a proposer/, "SignerMismatch"],
  [/local height \(\d+\) ahead of raft \(\d+\)|local state ahead of raft snapshot/, "AheadOfRaft"],
  [/block not found in store \(store may be behind Raft consensus\)/, "BehindAtElection"],
  [/execution layer height \(\d+\) ahead of target height/, "ExecutionLayerAhead"],
  [/cannot rollback a finalized height/, "RollbackRefused"],
  [/failed to validate block: invalid (chain ID|block time)/, "GenesisOfAnotherChain"],
  [/critical execution client failure/, "ExecutionFailed"],
  [/leadership transfer failed after store-lag abdication/, "TransferFailed"],
  [/raft cluster does not have quorum/, "QuorumMissing"],
  [/expecting nodeID@address for peer/, "RaftStateMissing"],
  [/bootstrap only works on new clusters/, "FirstStartRace"],
  [
    /create (log|stable) store: (invalid database|version mismatch|checksum error|file size too small)|failed to (load current term|find last log|get last log|load any existing snapshots)/,
    "RaftStateDamaged",
  ],
  [/^panic in .*(raft-boltdb|boltdb\/bolt|etcd\.io\/bbolt)/, "RaftStateDamaged"],
  [
    /manifest has (bad magic|checksum mismatch|unsupported version)|file does not exist for table \d|failed to verify checksum for table|checksum validation failed for table/,
    "BlockStoreDamaged",
  ],
  [/duplicate peers found in config|found duplicate (address|ID) in configuration/, "RaftPeersInvalid"],
  [/local bind address is not advertisable/, "RaftAddressInvalid"],
  [
    /resolve raft addr: .*(no such host|server misbehaving|i\/o timeout|Temporary failure)/,
    "OwnNameUnresolved",
  ],
  [/bind: cannot assign requested address/, "OwnAddressStale"],
  [/bind: address already in use/, "PortInUse"],
  [
    /HeartbeatTimeout is too low|ElectionTimeout is too low|LeaderLeaseTimeout is too low|LeaderLeaseTimeout .* cannot be larger than heartbeat|ElectionTimeout .* must be equal or greater|election timeout .* must be >= heartbeat timeout|(send|heartbeat|leader lease) timeout must be positive/,
    "RaftTimingInvalid",
  ],
  [
    /raft config must be used in sequencer setup only|node ID is required|raft address is required|raft directory is required|DA address is required/,
    "ConfigNotRead",
  ],
  [/bindFlags failed: no such flag/, "EnvironmentVariableRefused"],
  [/unknown (flag|shorthand flag|command)|flag needs an argument|invalid argument ".*" for/, "UnknownFlag"],
  [/unknown url scheme|failed to connect to blob namespace: parsing address/, "DaAddressInvalid"],
  [
    /failed to (load|validate) node config|failed decoding viper|expected a map or struct, got|must retain at least one snapshot/,
    "ConfigRefused",
  ],
  [
    /failed to parse multiaddr|listen tcp\d?: address .*: (missing port|too many colons)/,
    "ListenAddressInvalid",
  ],
  [
    /genesis file not found|invalid genesis file|failed to (load|read) genesis|(missing chain_id|initial_height must be|start_time cannot be|proposer_address cannot be|da_epoch_forced_inclusion must be)/,
    "GenesisInvalid",
  ],
  [/wrong passphrase|passphrase file '.*' is empty/, "WrongPassphrase"],
  [/KMS returned unexpected key ID/, "KmsKeyMismatch"],
  [/unknown (kms )?signer (type|provider)/, "SignerTypeUnknown"],
  [/\bKMS\b/, "KmsFailed"],
  [
    /key file not found|failed to unmarshal key data|failed to read passphrase|passphrase file must be provided|initialize signer via factory/,
    "SignerUnreadable",
  ],
  [/failed to (load|read|unmarshal) node key/, "NodeKeyInvalid"],
  [/no space left on device/, "DiskFull"],
  [/Cannot acquire directory lock|Another process is using this Badger database/, "StoreInUse"],
  [
    /(mkdir|open|write|create) .*: (not a directory|permission denied|read-only file system|input\/output error)/,
    "VolumeUnusable",
  ],
  [/leader lock lost/, "LeadershipLost"],
  [/shutdown timeout exceeded/, "ShutdownTimedOut"],
  [/leader worker exited unexpectedly/, "LeaderFailed"],
  [/follower worker exited unexpectedly/, "FollowerFailed"],
  // The end of a trace of calls, or a line from its beginning.
  [
    /^\s+\S+\.(go|s):\d+( \+0x[0-9a-f]+)?$|^created by |^(panic|fatal error): |^panic in |^goroutine \d+ \[/,
    "Crashed",
  ],
];

/** Where a process left no word of its own. */
const KILLED = 137;

/** What the last line of a member's output says about its exit; undefined when it says nothing that is known. */
export function diagnoseExit(lastLine: string): Failure | undefined {
  const row = rows.find(([text]) => text.test(lastLine));
  return row && failure(row[1]);
}

/** As `diagnoseExit`, of a process whose code is known, too. One that ended well is no failure, whatever it said. */
export function diagnosisOf({
  code,
  lastLine,
}: {
  readonly code: number;
  readonly lastLine: string;
}): Failure | undefined {
  if (code === 0) return undefined;
  return diagnoseExit(lastLine) ?? (code === KILLED ? failure("Killed") : undefined);
}

const failure = (reason: FailureReason): Failure => ({ reason, ...diagnoses[reason] });
