import type { RaftFolder } from "../../../src/agent/raft-folder.ts";
import { judgeVolume, type VolumeOwner, type VolumeState } from "../../../src/agent/volume.ts";
import { epochAhead, type VolumeRecord } from "../../../src/agent/volume-record.ts";
import type { Voter } from "../../../src/model/agent-protocol.ts";
import { type Head, heightOf } from "./block.ts";

/** What Raft keeps of one member in one epoch: who votes, how far it voted, and the log. */
export interface RaftState {
  readonly voters: readonly Voter[];
  term: number;
  log: Head;
  /** It looks like a Raft directory, and ev-node cannot use it. */
  isSpoilt?: true;
  /** A single sequencer has no such directory: what it does is the same as for one that is led by itself. */
  readonly isSingle?: boolean;
}

/** One persistent volume. It outlives pods, and goes with its claim. */
export class Volume {
  readonly name: string;
  record: VolumeRecord | undefined;
  /** What is decided and in the block store. It can be ahead of the log: blocks come over P2P, too. */
  stored: Head;
  /** From this height on, what is stored here are other blocks than the chain's, which nothing else of this world knows. */
  forkedFrom: number | undefined;
  /** By epoch: those of earlier ones stay beside the one that runs. */
  readonly rafts = new Map<number, RaftState>();
  /** The process that has its files open: another one that wants them waits for it without a word. */
  lockedBy: string | undefined;

  constructor(name: string) {
    this.name = name;
  }

  /** Of the epoch that its record names. */
  get raft(): RaftState | undefined {
    return this.record && this.rafts.get(this.record.epoch);
  }
}

/** The agent's own judgement of what lies there. */
export function stateOf(volume: Volume, owner: VolumeOwner): VolumeState {
  const { record, rafts, stored } = volume;
  const own = rafts.get(record?.epoch ?? owner.epoch);
  const ahead = record && epochAhead(record);
  return judgeVolume(
    {
      record: record === undefined ? { kind: "absent" } : { kind: "present", record },
      raft: folderOf(own),
      raftAhead: folderOf(ahead === undefined ? undefined : rafts.get(ahead)),
      hasBlockData: own?.log !== undefined || stored !== undefined,
      others: [],
    },
    owner,
  );
}

/** Whatever was overwritten is not as the agent wrote it. */
function folderOf(raft: RaftState | undefined): RaftFolder {
  if (raft === undefined || raft.isSingle) return { kind: "missing" };
  const isUsed = raft.log !== undefined || raft.term > 1 || raft.isSpoilt === true;
  return { kind: isUsed ? "used" : "fresh", voters: raft.voters };
}

export const storedHeight = ({ stored }: Volume): number => heightOf(stored);

/** What is told of a block of the chain: here it may be another one. */
export const toldId = (
  { forkedFrom }: Volume,
  { height, id }: { readonly height: number; readonly id: string },
) => (forkedFrom !== undefined && height >= forkedFrom ? `not-${id}` : id);
