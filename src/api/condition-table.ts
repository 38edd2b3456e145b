export type ConditionStatus = "True" | "False" | "Unknown";

/** What a reason says of its condition, and what it means. */
export type ReasonEntry = readonly [status: ConditionStatus, meaning: string];

/**
 * The condition types of an EvNodeCluster, the reasons that each may have, and what both mean. The reference and
 * the types come from this table; a reason fixes the status of its condition, so the two cannot contradict.
 */
export const conditionTable = {
  Ready: {
    meaning: "The chain is produced by one leader and every member follows it.",
    reasons: {
      AllMembersReady: ["True", "There is one leader and every member is ready."],
      MembersNotReady: [
        "False",
        "Some members are not ready; the message names them. The chain goes on while a majority is.",
      ],
      WaitingForLeader: ["False", "No member leads, so no blocks are made. An election takes seconds."],
      Levelling: [
        "False",
        "After a stop of all members they get the blocks of their Raft logs from each other, before one may lead.",
      ],
      QuorumLost: [
        "False",
        "Fewer than a majority of the members run; no blocks can be made until more come back.",
      ],
      QuorumUnknown: ["Unknown", "Too few members answer the operator to say whether a majority runs."],
      HashesDiffer: ["False", "The chain has forked: members hold different blocks at one height."],
      IdentityDiffers: ["False", "A member has another genesis or another Raft membership than the cluster."],
      MemberDiffers: [
        "False",
        "Every member is ready, but one has another peer id or DA namespace than it should; the message names it.",
      ],
      Suspended: ["False", "No member runs, as spec.suspend is true. Volumes and identity stay."],
      Bootstrapping: ["False", "The cluster is starting for the first time."],
      Blocked: ["False", "The cluster is not started: condition Stalled says what has to change first."],
      Deleting: ["False", "The cluster is being deleted."],
    },
  },
  Reconciling: {
    meaning: "The operator is changing something, or waits for a change of its own to take effect.",
    reasons: {
      Bootstrapping: ["True", "The first start is under way."],
      Converging: [
        "True",
        "Objects of the cluster are being written, or members are on their way to the wanted state.",
      ],
      RollingOut: ["True", "A change of the spec is being taken to the members, one after another."],
      Deleting: ["True", "Members are being stopped; volumes and identity stay."],
      Converged: ["False", "The cluster is as the spec wants it, or as near as this version brings it."],
    },
  },
  Stalled: {
    meaning: "The operator cannot go on without a person. A running chain goes on meanwhile.",
    reasons: {
      SpecInvalid: [
        "True",
        "The spec contradicts itself or asks for what cannot be; the message names the fields.",
      ],
      SecretMissing: ["True", "A Secret that the spec refers to, or a key of it, does not exist."],
      SecretInvalid: [
        "True",
        "A Secret that the spec refers to does not hold what is expected; the message says what.",
      ],
      GenesisMissing: ["True", "The ConfigMap or Secret with the genesis, or its key, does not exist."],
      GenesisInvalid: ["True", "The given genesis cannot be used: it is malformed or of another chain id."],
      ProposerMismatch: ["True", "The given genesis names another proposer than the signer of the cluster."],
      ChainLocked: ["True", "Another cluster runs this chain with this signer; two would fork the chain."],
      NameConflict: [
        "True",
        "An object of a name that the cluster needs exists and was made by somebody else.",
      ],
      ImmutableFieldChanged: ["True", "A field that cannot change was changed; set it back."],
      StorageClassMissing: ["True", "A storage class that the spec names does not exist."],
      IdentityLost: [
        "True",
        "The Secret with the signer is gone although the chain has begun; restore it from a backup.",
      ],
      IdentityMismatch: ["True", "The Secret with the signer is unreadable or belongs to another chain."],
      VolumeLost: [
        "True",
        "A volume that held a member's blocks is gone. The member is not started on an empty one.",
      ],
      VolumeForeign: [
        "True",
        "A volume belongs to another member, cluster or time. The member is not started on it.",
      ],
      HashesDiffer: [
        "True",
        "Members hold different blocks at one height: the chain has forked. Nothing is changed any more.",
      ],
      IdentityDiffers: [
        "True",
        "A member has another genesis or another Raft membership than the cluster: it could fork the chain. Nothing is changed any more.",
      ],
      RehearsalFailed: [
        "True",
        "The new image does not start on a node where a member runs. No member was touched; the message says what the runtime said.",
      ],
      RolloutStalled: [
        "True",
        "A rollout does not get on; the message names the member and what it waits for. Nothing is restarted meanwhile.",
      ],
      MembershipTakenBack: [
        "True",
        "A change of the number of members did not come to its end in time. The old members go on; the message says what was missing.",
      ],
      MigrationHeld: [
        "True",
        "The chain of a sequencer outside cannot be taken over as things are; the message says what speaks against it. No member makes blocks.",
      ],
      OldSequencerAnswers: [
        "True",
        "The sequencer that the chain was taken over from answers again. It has the same key: stop it before it makes other blocks.",
      ],
      RolloutReverted: [
        "True",
        "A member did not come up with the change, so the members go back, or went back, to what they ran before. The change waits for another edit of the spec.",
      ],
      IntentUnreadable: [
        "True",
        "The StatefulSet does not tell what its pods are made from, and the spec is something else. Nothing is guessed.",
      ],
      PathBlocked: [
        "True",
        "Members cannot reach each other on the Raft port, so none of them is started for the first time.",
      ],
      NameUnresolved: [
        "True",
        "The name of a member has no address, so none of them is started for the first time.",
      ],
      ApplyRefused: ["True", "The Kubernetes API refused an object of the cluster; the message says why."],
      NotStalled: ["False", "Nothing needs a person."],
    },
  },
  LeaderElected: {
    meaning: "Exactly one member leads.",
    reasons: {
      LeaderElected: ["True", "One member leads; the message names it."],
      Suspended: ["False", "No member runs, as spec.suspend is true."],
      WaitingForLeader: ["False", "Every member answered and none leads, or the only one makes no blocks."],
      Levelling: ["False", "No member may lead yet: the message says what each of them waits for."],
      MoreThanOneLeader: [
        "False",
        "More than one member says that it leads. For a moment this happens in every election.",
      ],
      LeaderUnknown: ["Unknown", "No member that answered leads, but not every member answered."],
    },
  },
  LeadershipStable: {
    meaning: "The leader changes seldom, but for rollouts and drills.",
    reasons: {
      LeadershipKept: [
        "True",
        "The leader changed a few times at most within the last hour, or is the only member.",
      ],
      LeadershipFlaps: [
        "False",
        "The leader changed more than five times within an hour without a rollout or a drill; the message says what is to be seen of why.",
      ],
      ChangesUnknown: ["Unknown", "No member tells how often it took the lead."],
    },
  },
  Quorate: {
    meaning: "A majority of the members takes part in Raft.",
    reasons: {
      QuorumHealthy: [
        "True",
        "A majority would remain if any one member were lost; or the cluster is a single sequencer, and it runs.",
      ],
      QuorumAtRisk: ["True", "A majority takes part, but one more loss would stop the chain."],
      QuorumLost: [
        "False",
        "Fewer than a majority take part, or the only member does not run; no blocks can be made.",
      ],
      QuorumUnknown: ["Unknown", "Too few members answer the operator to count them."],
    },
  },
  InSync: {
    meaning: "Every member is within spec.readiness.maxBlocksBehind of the highest block.",
    reasons: {
      MembersInSync: ["True", "Every member follows the chain closely."],
      MembersBehind: [
        "False",
        "Some members are further behind, or reach no majority; the message names them.",
      ],
      NoProgress: ["False", "A member leads, but no block has come for many block times."],
      HeightsUnknown: ["Unknown", "Not every member tells its height."],
    },
  },
  ConfigValid: {
    meaning: "The spec and everything it refers to can be used.",
    reasons: {
      ConfigAccepted: ["True", "The spec and everything it refers to is accepted."],
      SpecInvalid: [
        "False",
        "The spec contradicts itself or asks for what cannot be; the message names the fields.",
      ],
      SecretMissing: ["False", "A Secret that the spec refers to, or a key of it, does not exist."],
      SecretInvalid: [
        "False",
        "A Secret that the spec refers to does not hold what is expected; the message says what.",
      ],
      GenesisMissing: ["False", "The ConfigMap or Secret with the genesis, or its key, does not exist."],
      GenesisInvalid: ["False", "The given genesis cannot be used: it is malformed or of another chain id."],
      ProposerMismatch: ["False", "The given genesis names another proposer than the signer of the cluster."],
      ChainLocked: ["False", "Another cluster runs this chain with this signer; two would fork the chain."],
      NameConflict: [
        "False",
        "An object of a name that the cluster needs exists and was made by somebody else.",
      ],
      ImmutableFieldChanged: ["False", "A field that cannot change was changed; set it back."],
      StorageClassMissing: ["False", "A storage class that the spec names does not exist."],
      IdentityLost: [
        "False",
        "The Secret with the signer is gone although the chain has begun; restore it from a backup.",
      ],
      IdentityMismatch: ["False", "The Secret with the signer is unreadable or belongs to another chain."],
      IntentUnreadable: [
        "False",
        "The StatefulSet does not tell what its pods are made from, and the spec is something else. Nothing is guessed.",
      ],
      ApplyRefused: ["False", "The Kubernetes API refused an object of the cluster; the message says why."],
    },
  },
  ChainSafe: {
    meaning: "Nothing was seen that forks the chain, or that could.",
    reasons: {
      NoForkSeen: ["True", "Members hold equal blocks wherever they were compared."],
      HashesDiffer: [
        "False",
        "Members hold different blocks at one height: the chain has forked. Nothing is changed any more.",
      ],
      IdentityDiffers: [
        "False",
        "A member has another genesis or another Raft membership than the cluster: it could fork the chain. Nothing is changed any more.",
      ],
      HeightsUnknown: ["Unknown", "No two members have told a block of one height, so none was compared."],
    },
  },
  VolumesReady: {
    meaning: "Every member has its own volume with what it wrote there.",
    reasons: {
      VolumesIntact: ["True", "Every member has its own volume."],
      VolumesBinding: ["False", "Some volumes are not there yet; the message names the claims."],
      MemberRebuilding: [
        "False",
        "A member that lost its volume, its data or its Raft state is rebuilt from the others.",
      ],
      VolumeLost: [
        "False",
        "A volume that held a member's blocks is gone. The member is not started on an empty one.",
      ],
      VolumeForeign: [
        "False",
        "A volume belongs to another member, cluster or time. The member is not started on it.",
      ],
    },
  },
  RolloutComplete: {
    meaning: "Every member runs what the spec asks for.",
    reasons: {
      UpToDate: ["True", "Every member runs the spec."],
      Rehearsing: ["False", "The new image is tried on the members' nodes before any member is touched."],
      RollingOut: ["False", "The members are being updated, one after another, the leader last."],
      RolloutWaiting: [
        "False",
        "The next member may not be restarted yet; the message says what is waited for.",
      ],
      PlanAwaitsApproval: [
        "False",
        "In mode Plan the change waits for its approval; status.rollout has the plan and its hash.",
      ],
      RolloutPaused: ["False", "In mode Paused no member is restarted; the change waits."],
      RehearsalFailed: [
        "False",
        "The new image does not start on a node where a member runs. No member was touched; the message says what the runtime said.",
      ],
      RolloutStalled: [
        "False",
        "A rollout does not get on; the message names the member and what it waits for. Nothing is restarted meanwhile.",
      ],
      RolloutReverted: [
        "False",
        "A member did not come up with the change, so the members go back, or went back, to what they ran before. The change waits for another edit of the spec.",
      ],
      Bootstrapping: ["False", "The members have not started yet."],
      IntentUnreadable: [
        "Unknown",
        "The StatefulSet does not tell what its pods are made from, so nobody knows what has not reached them.",
      ],
    },
  },
  MembershipComplete: {
    meaning: "The cluster has as many members as the spec asks for.",
    reasons: {
      MembershipAsAsked: ["True", "The number of members is that of the spec."],
      MembershipAwaitsApproval: [
        "False",
        "Blocks stop for some seconds while the number of members changes, so its owner has to approve it; the message says how.",
      ],
      MembershipWaiting: ["False", "The change cannot begin yet; the message says what is waited for."],
      MembersJoining: [
        "False",
        "New members get the chain as full nodes, while the old ones make blocks. Nothing was stopped yet.",
      ],
      MembersChanging: [
        "False",
        "The old members stop, all hold the same blocks, and the new membership begins, or the old one goes on; the message says how far that is.",
      ],
      MembershipTakenBack: [
        "False",
        "A change of the number of members did not come to its end in time. The old members go on; the message says what was missing.",
      ],
      Migrating: [
        "False",
        "The members follow a sequencer outside the cluster as full nodes, and make no blocks; the message says what is waited for.",
      ],
      MigrationHeld: [
        "False",
        "The chain of a sequencer outside cannot be taken over as things are; the message says what speaks against it. No member makes blocks.",
      ],
      OldSequencerAnswers: [
        "False",
        "The sequencer that the chain was taken over from answers again. It has the same key: stop it before it makes other blocks.",
      ],
      Bootstrapping: ["False", "The members have not started yet."],
    },
  },
  Connected: {
    meaning: "Every member reaches every other one on the Raft and the P2P port.",
    reasons: {
      PathsOpen: [
        "True",
        "Nothing stands between the members. Before the first start nobody listens yet, which is no fault.",
      ],
      PathBlocked: [
        "False",
        "A member gets no answer from a port of another one, as behind a firewall or a NetworkPolicy. The message names pair and port.",
      ],
      NameUnresolved: [
        "False",
        "The name of a member has no address for another one, or that of another pod. The message names the pair.",
      ],
      PathRefused: [
        "False",
        "A port refuses, although ev-node of the member runs. The message names pair and port.",
      ],
      PathsUnknown: [
        "Unknown",
        "Of some paths nobody can say yet: an agent does not answer, or has not looked for long enough.",
      ],
    },
  },
  TimingFits: {
    meaning: "Raft's time-outs are long enough for the round trips between the members.",
    reasons: {
      RoundTripsFit: ["True", "The heartbeat takes at least four round trips and the lease two."],
      RoundTripsTooLong: [
        "False",
        "For minutes the heartbeat has been shorter than four round trips, or the lease than two. The message has the edit that takes what fits.",
      ],
      RoundTripsUnknown: ["Unknown", "No round trip between two members was measured yet."],
    },
  },
} as const satisfies Record<string, { meaning: string; reasons: Record<string, ReasonEntry> }>;
