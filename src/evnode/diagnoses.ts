/**
 * What helps a member that exited:
 * - `Restart`: nothing to do, the next start goes on.
 * - `RewriteRaftState`: its raft directory is written anew with the membership; its blocks stay.
 * - `Rebuild`: raft directory and blocks are both given up, the member follows the others from scratch.
 * - `CorrectInput`: someone has to change the spec, or a Secret or image that it names.
 * - `CorrectEnvironment`: someone has to look at the node, the network or a service.
 */
export type Cure = "Restart" | "RewriteRaftState" | "Rebuild" | "CorrectInput" | "CorrectEnvironment";

/** All in sentences for people, but for the example. */
export interface Diagnosis {
  readonly cure: Cure;
  /** One sentence: what happened. */
  readonly meaning: string;
  /** What is at stake. */
  readonly danger: string;
  /** What a person does, or why there is nothing to do. */
  readonly next: string;
  /** A last line of ev-node that means this. */
  readonly example: string;
}

const ONE_MEMBER = "Nothing but this member, as long as a majority of the others runs.";
const ALL_ALIKE =
  "The whole cluster, if all members have it: each ends as soon as it starts. A rollout stops at the first one.";
const NOTHING = "Nothing: the others elect a leader, and the member comes back as a follower.";
const BY_ITSELF = "Nothing, unless it comes again and again.";
const CREATE_NODE = "failed to create node: failed to initialize raft node: create raft node: ";
const LEADER = "leader worker exited unexpectedly: components started with error: ";

/** Every exit that is known by its last line, or by its code. */
export const diagnoses = {
  AheadOfRaft: {
    cure: "Restart",
    meaning: "The member holds newer blocks than its raft state at this moment; raft catches up.",
    danger: "Nothing, if it passes with a restart. If it stays, its raft state was taken away or replaced.",
    next: "Wait for a restart or two. If it stays, compare the blocks of all members before anything is deleted.",
    example: `${LEADER}failed to start executor: failed to initialize state: invalid state: local height (12) ahead of raft (11)`,
  },
  BehindAtElection: {
    cure: "Restart",
    meaning: "The member was elected before it had all blocks, and refused to lead.",
    danger: NOTHING,
    next: BY_ITSELF,
    example:
      "leader worker exited unexpectedly: cannot sync to height 12: block not found in store (store may be behind Raft consensus): datastore: key not found",
  },
  BlockStoreDamaged: {
    cure: "Rebuild",
    meaning: "The files of the member's block store do not fit together: some are damaged or gone.",
    danger: "The blocks of this member. Those of the others are as they were.",
    next: "Look at the disk below the volume. Then have the member rebuilt from the others; see VolumeLost in the runbook.",
    example: "open block store: manifest has bad magic",
  },
  ConfigNotRead: {
    cure: "Restart",
    meaning: "The member found no usable evnode.yaml and refused to run by its defaults.",
    danger: ONE_MEMBER,
    next: "The agent installs the file again. If it stays, its log says what keeps it from that.",
    example: "failed to create node: raft config must be used in sequencer setup only",
  },
  ConfigRefused: {
    cure: "CorrectInput",
    meaning: "The member refused a value of its config.",
    danger: ALL_ALIKE,
    next: "The line names the value: correct the field of the spec that it comes from.",
    example: "'node.block_time' expected a map or struct, got \"int\"",
  },
  Crashed: {
    cure: "Restart",
    meaning:
      "The program crashed: its last words are a trace of its calls. A damaged file of its raft state does that, too.",
    danger: "This member; all of them, if they crash alike, and then the image is to blame.",
    next: "The log of the container before has the reason above the trace, after the word panic or fatal error.",
    example: "\t/src/cmd/testapp/main.go:35 +0xde",
  },
  DaAddressInvalid: {
    cure: "CorrectInput",
    meaning: "The DA address is no URL with a scheme that ev-node knows.",
    danger: ALL_ALIKE,
    next: "Correct spec.da.address: it begins with http:// or https://.",
    example: "connect to DA: failed to connect to blob namespace: unknown url scheme 'ftp'",
  },
  DiskFull: {
    cure: "CorrectEnvironment",
    meaning: "The member's volume is full.",
    danger: "The others before long: their volumes hold as much.",
    next: "Give every volume more space. Delete nothing on it.",
    example: "write /data/raft-1/raft-log.db: no space left on device",
  },
  Diverged: {
    cure: "Rebuild",
    meaning:
      "The member holds a block or a state that differs from the cluster's: the chain has forked here.",
    danger: "The chain: two blocks of one height bear the signature of the sequencer.",
    next: "Stop sending transactions, keep all volumes, and see HashesDiffer in the runbook.",
    example: "invalid state: block hash mismatch at height 12: raft=aa local=bb",
  },
  EnvironmentVariableRefused: {
    cure: "CorrectInput",
    meaning: "An environment variable of the container bears a name that ev-node takes for a setting.",
    danger: ALL_ALIKE,
    next: "Remove the variable from the image or from whatever adds it to pods: DB_PATH, CLEAR_CACHE, or one with a dot such as RAFT.NODE_ID.",
    example: "failed to load node config: bindFlags failed: no such flag -db_path",
  },
  ExecutionFailed: {
    cure: "CorrectEnvironment",
    meaning: "The execution layer refused a block or did not answer, and the member gave up.",
    danger: "The chain stands still if it fails for every leader.",
    next: "The end of the line says what the execution layer answered: look at its log.",
    example: `${LEADER}node stopped due to critical execution client failure: failed to execute transactions: connection refused`,
  },
  ExecutionLayerAhead: {
    cure: "CorrectEnvironment",
    meaning: "The execution client is ahead of the chain and has to be rolled back by hand.",
    danger: ONE_MEMBER,
    next: "Roll the execution client of this member back to the height that the line names, or rebuild the member.",
    example:
      "execution layer height (12) ahead of target height (11): manually rollback execution layer to height 11",
  },
  FirstStartRace: {
    cure: "RewriteRaftState",
    meaning:
      "Another member reached this one before it had bootstrapped; its raft state holds a term but no membership, for ever.",
    danger: ONE_MEMBER,
    next: "The operator's own first starts cannot come to this. Have the raft state written anew; no restart helps.",
    example: "error while starting leader election: bootstrap cluster: bootstrap only works on new clusters",
  },
  FollowerFailed: {
    cure: "Restart",
    meaning: "The member could not follow the leader.",
    danger: ONE_MEMBER,
    next: "The end of the line says why. Nothing to do, unless it comes again and again.",
    example: "follower worker exited unexpectedly: context deadline exceeded",
  },
  GenesisInvalid: {
    cure: "CorrectInput",
    meaning: "The genesis is missing or not valid.",
    danger: ALL_ALIKE,
    next: "Restore the identity Secret from its backup: the genesis in it never changes.",
    example: "load genesis: da_epoch_forced_inclusion must be at least 1, got 0",
  },
  GenesisOfAnotherChain: {
    cure: "CorrectInput",
    meaning: "The blocks on the member's volume are of another chain than its genesis.",
    danger: "The chain, if the member were made to start all the same.",
    next: "Find out which of the two is the wrong one: the identity Secret or the volume. Delete neither before that.",
    example: `${LEADER}node stopped due to critical execution client failure: failed to validate block: invalid chain ID - got rollup-2, want rollup-1`,
  },
  Killed: {
    cure: "CorrectEnvironment",
    meaning:
      "The process was killed without a word: out of memory, or still there when its time to stop was over.",
    danger:
      "A leader that is killed hands nothing over: no blocks for an election. Again and again, the quorum.",
    next: "kubectl describe pod says OOMKilled if it was the memory: raise the limit in spec.pod.resources.",
    example: "exit code 137",
  },
  KmsFailed: {
    cure: "CorrectEnvironment",
    meaning:
      "The key management service did not answer, refused, or answered with something that is no proof.",
    danger: "The chain stands still if it fails for every leader.",
    next: "Check that the service is up, and that the members' service account may use the key.",
    example: "initialize signer via factory: failed to fetch public key from KMS: AccessDeniedException",
  },
  KmsKeyMismatch: {
    cure: "CorrectInput",
    meaning: "The key management service answers with another key id than the configured one.",
    danger: ALL_ALIKE,
    next: "Name the key by its full ARN: an alias or a bare key id is not what the service answers with.",
    example:
      "initialize signer via factory: KMS returned unexpected key ID: arn:aws:kms:eu-central-1:1:key/2",
  },
  LeaderFailed: {
    cure: "Restart",
    meaning: "The member was elected but could not lead.",
    danger: "No blocks, if it is so for every member that is elected.",
    next: "The end of the line says why.",
    example: "leader worker exited unexpectedly: failed to initialize state: some new trouble",
  },
  LeadershipLost: {
    cure: "Restart",
    meaning: "The member led and lost or handed over the leadership; it always exits then.",
    danger: NOTHING,
    next: "Nothing. Many of them within an hour are leadership flapping: see LeadershipFlaps in the runbook.",
    example: "leader lock lost",
  },
  ListenAddressInvalid: {
    cure: "CorrectInput",
    meaning: "An address to listen on is none.",
    danger: ALL_ALIKE,
    next: "The line names the address: correct the argument that it comes from.",
    example: 'start p2p: failed to parse multiaddr "nonsense": must begin with /',
  },
  NodeKeyInvalid: {
    cure: "CorrectInput",
    meaning: "The member's P2P key cannot be read.",
    danger: ONE_MEMBER,
    next: "Restore the identity Secret from its backup.",
    example: "load node key: failed to read node key file /data/config/node_key.json: permission denied",
  },
  OwnAddressStale: {
    cure: "Restart",
    meaning: "The member's own name still resolves to the address of an earlier pod.",
    danger: ONE_MEMBER,
    next: "Wait until the DNS cache has let go of the old address. If it stays, compare the pod's IP with what its name resolves to.",
    example: `${CREATE_NODE}create transport: listen tcp 10.244.0.7:5001: bind: cannot assign requested address`,
  },
  OwnNameUnresolved: {
    cure: "Restart",
    meaning: "The member's own name could not be resolved.",
    danger: "The cluster, while the DNS of Kubernetes is down: no member can start.",
    next: "Wait some seconds. If it stays, look at the DNS of Kubernetes and at the headless Service of the cluster.",
    example: `${CREATE_NODE}resolve raft addr: lookup seq-0.seq.rollup.svc.cluster.local on 10.96.0.10:53: no such host`,
  },
  PortInUse: {
    cure: "CorrectInput",
    meaning: "Another process in the pod listens on one of the member's ports.",
    danger: ONE_MEMBER,
    next: "Give the extra container, or the member, another port.",
    example: "leader worker exited unexpectedly: listen tcp 0.0.0.0:7331: bind: address already in use",
  },
  QuorumMissing: {
    cure: "Restart",
    meaning: "The member led and reached no majority when it was to make a block.",
    danger: "No blocks until a majority is back.",
    next: "See QuorumLost in the runbook: bring the missing members back.",
    example: "leader worker exited unexpectedly: raft cluster does not have quorum",
  },
  RaftAddressInvalid: {
    cure: "CorrectInput",
    meaning: "The raft address is one that other members cannot dial.",
    danger: ALL_ALIKE,
    next: "It is 0.0.0.0 or empty, which the operator never writes: look for who changed the member's config.",
    example: `${CREATE_NODE}create transport: local bind address is not advertisable`,
  },
  RaftPeersInvalid: {
    cure: "CorrectInput",
    meaning: "The list of raft peers names an id or an address twice.",
    danger: "The membership, if a list like this were ever taken. It was not.",
    next: "The operator writes no list: look for who changed the member's config or arguments.",
    example:
      "error while starting leader election: bootstrap cluster: found duplicate address in configuration: a:1",
  },
  RaftStateDamaged: {
    cure: "RewriteRaftState",
    meaning: "The member's raft state cannot be read.",
    danger: "The vote of this member. Its blocks are another store.",
    next: "Look at the disk below the volume. Then have the raft state written anew, one member at a time.",
    example: `${CREATE_NODE}create log store: invalid database`,
  },
  RaftStateMissing: {
    cure: "RewriteRaftState",
    meaning: "The member found no raft state on its volume and refused to start a cluster of its own.",
    danger: "The vote of this member. A second member like it at once would endanger the chain.",
    next: "Find out who took the folder away. Then have the raft state written anew, one member at a time.",
    example:
      'error while starting leader election: peer "bootstrapped-by-agent" : expecting nodeID@address for peer',
  },
  RaftTimingInvalid: {
    cure: "CorrectInput",
    meaning: "A raft time-out breaks a rule of the raft library.",
    danger: ALL_ALIKE,
    next: "Correct spec.raft.timing: lease <= heartbeat <= election, and none below 5 ms.",
    example: "create raft: LeaderLeaseTimeout (175ms) cannot be larger than heartbeat timeout (100ms)",
  },
  RollbackRefused: {
    cure: "CorrectEnvironment",
    meaning: "A block that is final on the DA layer was to be taken back.",
    danger: "The chain, if it were forced: what is final was seen by others.",
    next: "Take nothing back. Rebuild the member from the others instead.",
    example: "DA included height is greater than the rollback height: cannot rollback a finalized height",
  },
  ShutdownTimedOut: {
    cure: "Restart",
    meaning: "The member did not stop within its own limit.",
    danger: NOTHING,
    next: BY_ITSELF,
    example: "shutdown timeout exceeded",
  },
  SignerMismatch: {
    cure: "CorrectInput",
    meaning: "The signer is not the proposer that the genesis names.",
    danger: "Nothing: no block is made with it.",
    next: "Give the signer back that the genesis names. The line names neither: compare status.proposerAddress with the genesis.",
    example: `${LEADER}failed to start executor: failed to initialize state: not a proposer`,
  },
  SignerTypeUnknown: {
    cure: "CorrectInput",
    meaning:
      "This ev-node does not know the type of signer, or the key management service, that it is to use.",
    danger: ALL_ALIKE,
    next: "Use an image whose ev-node knows it; the line names what it does not know.",
    example: "initialize signer via factory: unknown signer type: grpc",
  },
  SignerUnreadable: {
    cure: "CorrectInput",
    meaning: "The signer's file or its passphrase cannot be read.",
    danger: ALL_ALIKE,
    next: "Restore the identity Secret from its backup.",
    example: "initialize signer via factory: key file not found at /data/config/signer.json",
  },
  StoreInUse: {
    cure: "Restart",
    meaning: "Another process still holds the member's block store.",
    danger: "Nothing: the lock is there to keep two processes off one store.",
    next: "Wait until the other process has ended. If it stays, look for a second pod on the same volume.",
    example:
      'open block store: Cannot acquire directory lock on "/data/data/testapp".  Another process is using this Badger database.',
  },
  TransferFailed: {
    cure: "Restart",
    meaning: "The member was elected without having all blocks and found no other member to hand over to.",
    danger: NOTHING,
    next: BY_ITSELF,
    example: "leadership transfer failed after store-lag abdication: cannot find peer",
  },
  UnknownFlag: {
    cure: "CorrectInput",
    meaning: "The program does not know one of its arguments.",
    danger: ALL_ALIKE,
    next: "Correct spec.app: the image is of another program or version than app.kind and app.extraArgs are made for.",
    example: "unknown flag: --no-such-flag",
  },
  VolumeUnusable: {
    cure: "CorrectEnvironment",
    meaning: "The member may not write on its volume, or finds something in the way there.",
    danger: ONE_MEMBER,
    next: "The line names the path. Look at its owner and mode, at the pod's fsGroup, and at whether the file system went read-only.",
    example: `${CREATE_NODE}create raft dir: mkdir /data/raft-1: read-only file system`,
  },
  WrongPassphrase: {
    cure: "CorrectInput",
    meaning: "The passphrase does not open the signer.",
    danger: ALL_ALIKE,
    next: "Restore the identity Secret from its backup: signer and passphrase are in it together.",
    example:
      "initialize signer via factory: failed to decrypt private key (wrong passphrase?): cipher: message authentication failed",
  },
} as const satisfies Readonly<Record<string, Diagnosis>>;

export type FailureReason = keyof typeof diagnoses;
