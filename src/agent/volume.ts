import { readdir } from "node:fs/promises";
import { basename, join, resolve, sep } from "node:path";
import type { AgentAnswer, Voter } from "../model/agent-protocol.ts";
import { isAbsent } from "./disk.ts";
import { lookAtRaftFolder, namesIn, type RaftFolder } from "./raft-folder.ts";
import { OWN_FOLDER, type RecordReading, readRecord, type VolumeRecord } from "./volume-record.ts";
import { votersDigest } from "./voters.ts";

/** Everything about a volume that its judgement needs. */
export interface VolumeLook {
  readonly record: RecordReading;
  readonly raft: RaftFolder;
  /** Whether there is any file below the database folder. */
  readonly hasBlockData: boolean;
  /** What else lies on the volume, apart from the raft folder of this epoch. */
  readonly others: readonly string[];
}

export interface VolumeOwner {
  readonly clusterId: string;
  readonly member: string;
  readonly chainId: string;
  readonly epoch: number;
  /** Only of a single sequencer, which runs without Raft: itself, as the one member that the volume was prepared for. */
  readonly single?: Voter;
}

export type VolumeState =
  /** `leftover` is a raft folder that an order wrote when it did not come to its end. */
  | { readonly kind: "empty"; readonly leftover: RaftFolder & { readonly kind: "missing" | "fresh" } }
  | { readonly kind: "foreign"; readonly message: string }
  | {
      readonly kind: "damaged";
      readonly message: string;
      readonly record: VolumeRecord;
      readonly hasBlockData: boolean;
    }
  /** `isFresh`: ev-node has not run since the raft folder was written. */
  | { readonly kind: "intact"; readonly record: VolumeRecord; readonly isFresh: boolean };

export const raftFolderName = (epoch: number) => `raft-${epoch}`;

export async function lookAtVolume(home: string, epoch: number, dbPath: string): Promise<VolumeLook> {
  const [record, raft, hasBlockData, names] = await Promise.all([
    readRecord(home),
    lookAtRaftFolder(join(home, raftFolderName(epoch))),
    hasFile(resolve(home, dbPath), 3),
    namesIn(home),
  ]);
  // A file system's own folder, the mount point of the config and the agent's folder say nothing about the volume.
  const expected = new Set(["lost+found", "config", OWN_FOLDER, raftFolderName(epoch)]);
  return { record, raft, hasBlockData, others: (names ?? []).filter((name) => !expected.has(name)) };
}

export function judgeVolume(look: VolumeLook, owner: VolumeOwner): VolumeState {
  if (look.record.kind === "absent") return judgeUnknown(look);
  if (look.record.kind === "unreadable") {
    return { kind: "foreign", message: `the volume's identity cannot be read: ${look.record.problem}` };
  }

  const { record } = look.record;
  const difference = differenceOf(record, owner);
  if (difference !== undefined) return { kind: "foreign", message: difference };

  const damage = owner.single
    ? damageOfSingle(look, record, owner.single)
    : damageOf(look, record, owner.epoch);
  if (damage !== undefined)
    return { kind: "damaged", message: damage, record, hasBlockData: look.hasBlockData };
  return { kind: "intact", record, isFresh: !owner.single && look.raft.kind === "fresh" };
}

function judgeUnknown({ raft, others }: VolumeLook): VolumeState {
  if (others.length === 0 && (raft.kind === "missing" || raft.kind === "fresh"))
    return { kind: "empty", leftover: raft };

  const found = [...others, ...(raft.kind === "missing" ? [] : ["a raft folder"])].slice(0, 4).join(", ");
  return { kind: "foreign", message: `the volume has data but no identity of a member: ${found}` };
}

function differenceOf(record: VolumeRecord, owner: VolumeOwner): string | undefined {
  for (const key of ["clusterId", "member", "chainId", "epoch"] as const) {
    if (record[key] !== owner[key]) return `the volume is of ${key} ${record[key]}, expected ${owner[key]}`;
  }
  return undefined;
}

function damageOf(
  { raft, hasBlockData }: VolumeLook,
  record: VolumeRecord,
  epoch: number,
): string | undefined {
  const folder = raftFolderName(epoch);
  if (raft.kind === "missing") return `the folder ${folder} is missing`;
  if (raft.kind === "broken") return `${folder}/${raft.problem}`;
  if (raft.voters !== undefined && votersDigest(raft.voters) !== record.votersDigest) {
    return `${folder} holds another membership than the one it was bootstrapped with`;
  }
  if (record.started && record.hadBlocks && !hasBlockData) return "the block data is missing";
  return undefined;
}

/**
 * ev-node without Raft begins the chain again on an empty block store, and there are no others that would object. So
 * blocks that were missed once stay missed: what came in their place is no chain that anybody was served.
 */
function damageOfSingle(
  { raft, hasBlockData }: VolumeLook,
  record: VolumeRecord,
  single: Voter,
): string | undefined {
  if (record.votersDigest !== votersDigest([single])) return "it was prepared for other members";
  if (raft.kind !== "missing") return "it has the Raft state of this epoch, and a single sequencer has none";
  if (record.lostBlocks) return "the block data was missing";
  if (record.started && record.hadBlocks && !hasBlockData) return "the block data is missing";
  return undefined;
}

/** How the answer shows a volume: a bootstrap that did not come to its end left a volume as good as empty. */
export function shownVolume(state: VolumeState): AgentAnswer["volume"] {
  if (state.kind === "empty") return { kind: "empty" };
  if (state.kind === "intact") {
    return { kind: "intact", epoch: state.record.epoch, started: state.record.started };
  }
  return { kind: state.kind, message: state.message };
}

/** Whether `dbPath` is a folder of its own inside the home, apart from all that the agent keeps there. */
export function isFolderInHome(home: string, dbPath: string): boolean {
  const path = resolve(home, dbPath);
  if (!path.startsWith(home + sep)) return false;
  const [first = ""] = path.slice(home.length + 1).split(sep);
  return first !== OWN_FOLDER && first !== "config" && !first.startsWith("raft-") && basename(path) !== "";
}

async function hasFile(folder: string, depth: number): Promise<boolean> {
  let entries: Awaited<ReturnType<typeof entriesOf>>;
  try {
    entries = await entriesOf(folder);
  } catch (error) {
    if (isAbsent(error)) return false;
    throw error;
  }
  if (entries.some((entry) => entry.isFile())) return true;
  if (depth === 1) return false;

  for (const entry of entries) {
    if (entry.isDirectory() && (await hasFile(join(folder, entry.name), depth - 1))) return true;
  }
  return false;
}

function entriesOf(folder: string) {
  return readdir(folder, { withFileTypes: true });
}
