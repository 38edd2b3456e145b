import { judgeVolume, type VolumeOwner, type VolumeState } from "../../../src/agent/volume.ts";
import type { VolumeRecord } from "../../../src/agent/volume-record.ts";
import type { Voter } from "../../../src/model/agent-protocol.ts";
import { type Head, heightOf } from "./block.ts";

/** What Raft keeps of one member: who votes, how far it voted, and the blocks. Of a single sequencer, the blocks. */
export interface RaftState {
  readonly voters: readonly Voter[];
  term: number;
  log: Head;
  /** What is decided and in the block store. It can be ahead of the log: blocks come over P2P, too. */
  stored: Head;
  /** It looks like a Raft directory, and ev-node cannot use it. */
  isSpoilt?: true;
}

/** One persistent volume. It outlives pods, and goes with its claim. */
export interface Volume {
  readonly name: string;
  record: VolumeRecord | undefined;
  raft: RaftState | undefined;
  /** The process that has its files open: another one that wants them waits for it without a word. */
  lockedBy: string | undefined;
}

export const newVolume = (name: string): Volume => ({
  name,
  record: undefined,
  raft: undefined,
  lockedBy: undefined,
});

/** The agent's own judgement of what lies there. */
export function stateOf({ record, raft }: Volume, owner: VolumeOwner): VolumeState {
  // Whatever was overwritten is not as the agent wrote it.
  const isUsed = raft !== undefined && (raft.log !== undefined || raft.term > 1 || raft.isSpoilt === true);
  return judgeVolume(
    {
      record: record === undefined ? { kind: "absent" } : { kind: "present", record },
      raft:
        raft === undefined || owner.single
          ? { kind: "missing" }
          : { kind: isUsed ? "used" : "fresh", voters: raft.voters },
      hasBlockData: raft?.log !== undefined || raft?.stored !== undefined,
      others: [],
    },
    owner,
  );
}

export const storedHeight = ({ raft }: Volume): number => heightOf(raft?.stored);
