/**
 * What helps a member that exited:
 * - `Restart`: nothing to do, the next start goes on.
 * - `RewriteRaftState`: its raft directory is written anew with the membership; its blocks stay.
 * - `Rebuild`: raft directory and blocks are both given up, the member follows the others from scratch.
 * - `CorrectInput`: someone has to change the spec, or a Secret or image that it names.
 * - `CorrectEnvironment`: someone has to look at the node, the network or a service.
 */
export type Cure = "Restart" | "RewriteRaftState" | "Rebuild" | "CorrectInput" | "CorrectEnvironment";

export type FailureReason =
  | "AheadOfRaft"
  | "BehindAtElection"
  | "BlockDataDamaged"
  | "ConfigNotRead"
  | "ConfigRefused"
  | "DaAddressInvalid"
  | "DiskFull"
  | "Diverged"
  | "EnvironmentVariableRefused"
  | "ExecutionLayerAhead"
  | "FirstStartRace"
  | "FollowerFailed"
  | "GenesisInvalid"
  | "LeaderFailed"
  | "LeadershipLost"
  | "NodeKeyInvalid"
  | "OwnAddressStale"
  | "OwnNameUnresolved"
  | "PortInUse"
  | "RaftAddressInvalid"
  | "RaftPeersInvalid"
  | "RaftStateDamaged"
  | "RaftStateMissing"
  | "RaftTimingInvalid"
  | "ShutdownTimedOut"
  | "SignerMismatch"
  | "SignerUnreadable"
  | "StoreInUse"
  | "TransferFailed"
  | "UnknownFlag"
  | "WrongPassphrase";

export interface Failure {
  readonly reason: FailureReason;
  /** One sentence for people: what happened. */
  readonly meaning: string;
  readonly cure: Cure;
}

type Row = readonly [text: RegExp, reason: FailureReason, cure: Cure, meaning: string];

// The first row that fits counts. ev-node wraps inner errors in outer ones, so the inner texts stand above the outer.
const rows: readonly Row[] = [
  [
    /local state diverged from raft|(header|block) hash mismatch|content mismatch after replay|app hash mismatch at height|block references do not match local state/,
    "Diverged",
    "Rebuild",
    "The member holds a block or a state that differs from the cluster's: the chain has forked here.",
  ],
  [
    /not a proposer/,
    "SignerMismatch",
    "CorrectInput",
    "The signer is not the proposer that the genesis names.",
  ],
  [
    /local height \(\d+\) ahead of raft \(\d+\)|local state ahead of raft snapshot/,
    "AheadOfRaft",
    "Restart",
    "The member holds newer blocks than its raft state at this moment; raft catches up.",
  ],
  [
    /block not found in store \(store may be behind Raft consensus\)/,
    "BehindAtElection",
    "Restart",
    "The member was elected before it had all blocks, and refused to lead.",
  ],
  [
    /execution layer height \(\d+\) ahead of target height/,
    "ExecutionLayerAhead",
    "CorrectEnvironment",
    "The execution client is ahead of the chain and has to be rolled back by hand.",
  ],
  [
    /leadership transfer failed after store-lag abdication/,
    "TransferFailed",
    "Restart",
    "The member was elected without having all blocks and found no other member to hand over to.",
  ],
  [
    /expecting nodeID@address for peer/,
    "RaftStateMissing",
    "RewriteRaftState",
    "The member found no raft state on its volume and refused to start a cluster of its own.",
  ],
  [
    /bootstrap only works on new clusters/,
    "FirstStartRace",
    "RewriteRaftState",
    "Another member reached this one before it had bootstrapped; its raft state holds a term but no membership, for ever.",
  ],
  [
    /create (log|stable) store: (invalid database|version mismatch|checksum error|file size too small)|failed to (load current term|find last log|get last log|load any existing snapshots)/,
    "RaftStateDamaged",
    "RewriteRaftState",
    "The member's raft state cannot be read.",
  ],
  [
    /^panic in .*(raft-boltdb|boltdb\/bolt|etcd\.io\/bbolt)/,
    "RaftStateDamaged",
    "RewriteRaftState",
    "The member's raft state cannot be read.",
  ],
  [
    /manifest has (bad magic|checksum mismatch)|while opening (memtables|fid:)|block store: .*(checksum mismatch|corrupt)/i,
    "BlockDataDamaged",
    "Rebuild",
    "The member's block store cannot be read.",
  ],
  [
    /duplicate peers found in config|found duplicate (address|ID) in configuration/,
    "RaftPeersInvalid",
    "CorrectInput",
    "The list of raft peers names an id or an address twice.",
  ],
  [
    /local bind address is not advertisable/,
    "RaftAddressInvalid",
    "CorrectInput",
    "The raft address is one that other members cannot dial.",
  ],
  [
    /resolve raft addr: .*(no such host|server misbehaving|i\/o timeout|Temporary failure)/,
    "OwnNameUnresolved",
    "Restart",
    "The member's own name could not be resolved.",
  ],
  [
    /bind: cannot assign requested address/,
    "OwnAddressStale",
    "Restart",
    "The member's own name still resolves to the address of an earlier pod.",
  ],
  [
    /bind: address already in use/,
    "PortInUse",
    "CorrectInput",
    "Another process in the pod listens on one of the member's ports.",
  ],
  [
    /HeartbeatTimeout is too low|ElectionTimeout is too low|LeaderLeaseTimeout is too low|LeaderLeaseTimeout .* cannot be larger than heartbeat|ElectionTimeout .* must be equal or greater|election timeout .* must be >= heartbeat timeout|(send|heartbeat|leader lease) timeout must be positive/,
    "RaftTimingInvalid",
    "CorrectInput",
    "A raft time-out breaks a rule of the raft library.",
  ],
  [
    /raft config must be used in sequencer setup only|node ID is required|raft address is required|raft directory is required|DA address is required/,
    "ConfigNotRead",
    "Restart",
    "The member found no usable evnode.yaml and refused to run by its defaults.",
  ],
  [
    /bindFlags failed: no such flag/,
    "EnvironmentVariableRefused",
    "CorrectInput",
    "An environment variable of the container bears a name that ev-node takes for a setting.",
  ],
  [
    /unknown (flag|shorthand flag|command)|flag needs an argument|invalid argument ".*" for/,
    "UnknownFlag",
    "CorrectInput",
    "The program does not know one of its arguments.",
  ],
  [
    /unknown url scheme|failed to connect to blob namespace: parsing address/,
    "DaAddressInvalid",
    "CorrectInput",
    "The DA address is no URL with a scheme that ev-node knows.",
  ],
  [
    /failed to (load|validate) node config|failed decoding viper|expected a map or struct, got|must retain at least one snapshot/,
    "ConfigRefused",
    "CorrectInput",
    "The member refused a value of its config.",
  ],
  [
    /genesis file not found|invalid genesis file|failed to (load|read) genesis|(missing chain_id|initial_height must be|start_time cannot be|proposer_address cannot be|da_epoch_forced_inclusion must be)/,
    "GenesisInvalid",
    "CorrectInput",
    "The genesis is missing or not valid.",
  ],
  [
    /wrong passphrase|passphrase file '.*' is empty/,
    "WrongPassphrase",
    "CorrectInput",
    "The passphrase does not open the signer.",
  ],
  [
    /key file not found|failed to unmarshal key data|failed to read passphrase|initialize signer via factory/,
    "SignerUnreadable",
    "CorrectInput",
    "The signer's file or its passphrase cannot be read.",
  ],
  [
    /failed to (load|read|unmarshal) node key/,
    "NodeKeyInvalid",
    "CorrectInput",
    "The member's P2P key cannot be read.",
  ],
  [/no space left on device/, "DiskFull", "CorrectEnvironment", "The member's volume is full."],
  [
    /Cannot acquire directory lock|Another process is using this Badger database/,
    "StoreInUse",
    "Restart",
    "Another process still holds the member's block store.",
  ],
  [
    /leader lock lost/,
    "LeadershipLost",
    "Restart",
    "The member led and lost or handed over the leadership; it always exits then.",
  ],
  [
    /shutdown timeout exceeded/,
    "ShutdownTimedOut",
    "Restart",
    "The member did not stop within its own limit.",
  ],
  [
    /leader worker exited unexpectedly/,
    "LeaderFailed",
    "Restart",
    "The member was elected but could not lead.",
  ],
  [
    /follower worker exited unexpectedly/,
    "FollowerFailed",
    "Restart",
    "The member could not follow the leader.",
  ],
];

/** What the last line of a member's output says about its exit; undefined when it says nothing that is known. */
export function diagnoseExit(lastLine: string): Failure | undefined {
  const row = rows.find(([text]) => text.test(lastLine));
  if (row === undefined) return undefined;

  const [, reason, cure, meaning] = row;
  return { reason, meaning, cure };
}
