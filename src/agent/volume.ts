import { readdir } from "node:fs/promises";
import { basename, join, resolve, sep } from "node:path";
import { LOG_FILE, STABLE_FILE } from "../evnode/raft-store.ts";
import type { AgentAnswer, Voter } from "../model/agent-protocol.ts";
import { isAbsent } from "./disk.ts";
import { lookAtRaftFolder, namesIn, type RaftFolder } from "./raft-folder.ts";
import {
  epochAhead,
  fitsEpoch,
  OWN_FOLDER,
  type RecordReading,
  readRecord,
  type VolumeRecord,
} from "./volume-record.ts";
import { votersDigest } from "./voters.ts";

/** Everything about a volume that its judgement needs. */
export interface VolumeLook {
  readonly record: RecordReading;
  /** Of the epoch that the record names, or of the config where there is no record. */
  readonly raft: RaftFolder;
  /** Of the epoch that the volume is on its way to. */
  readonly raftAhead?: RaftFolder;
  /** Whether there is any file below the database folder. */
  readonly hasBlockData: boolean;
  /** What else lies on the volume, apart from the raft folder of this epoch. */
  readonly others: readonly string[];
  /** Whether Raft or an agent left anything on it. */
  readonly wasMember?: boolean;
}

export interface VolumeOwner {
  readonly clusterId: string;
  readonly member: string;
  readonly chainId: string;
  /** Of the member's config. */
  readonly epoch: number;
  /** Only of a single sequencer, which runs without Raft: itself, as the one member that the volume was prepared for. */
  readonly single?: Voter;
}

export type VolumeState =
  /** `leftover` is a raft folder that an order wrote when it did not come to its end. */
  | { readonly kind: "empty"; readonly leftover: RaftFolder & { readonly kind: "missing" | "fresh" } }
  /**
   * This member's own has another `epoch` than its config. `earlier`: that is one before. `isCopy`: blocks alone, as
   * somebody may have copied them from a node that is no member of anything.
   */
  | {
      readonly kind: "foreign";
      readonly message: string;
      readonly isCopy?: true;
      readonly epoch?: number;
      readonly earlier?: EarlierVolume;
    }
  | {
      readonly kind: "damaged";
      readonly message: string;
      readonly record: VolumeRecord;
      readonly hasBlockData: boolean;
    }
  /**
   * `isFresh`: ev-node has not run since the raft folder was written. `isPrepared`: what the next epoch begins with is
   * there.
   */
  | {
      readonly kind: "intact";
      readonly record: VolumeRecord;
      readonly isFresh: boolean;
      readonly isPrepared: boolean;
    };

export interface EarlierVolume {
  readonly record: VolumeRecord;
  readonly hasBlockData: boolean;
}

const missing = { kind: "missing" } as const;

export const raftFolderName = (epoch: number) => `raft-${epoch}`;

export async function lookAtVolume(home: string, epoch: number, dbPath: string): Promise<VolumeLook> {
  const record = await readRecord(home);
  const known = record.kind === "present" ? record.record : undefined;
  const ahead = known && epochAhead(known);
  const [raft, raftAhead, hasBlockData, wasMember, names] = await Promise.all([
    lookAtRaftFolder(join(home, raftFolderName(known?.epoch ?? epoch))),
    ahead === undefined ? missing : lookAtRaftFolder(join(home, raftFolderName(ahead))),
    hasFile(resolve(home, dbPath), 3),
    known === undefined && hasTraces(home),
    namesIn(home),
  ]);
  // A file system's own folder, the mount point of the config and the agent's folder say nothing about the volume.
  const expected = new Set(["lost+found", "config", OWN_FOLDER, raftFolderName(epoch)]);
  return {
    record,
    raft,
    raftAhead,
    hasBlockData,
    wasMember,
    others: (names ?? []).filter((name) => !expected.has(name)),
  };
}

export function judgeVolume(look: VolumeLook, owner: VolumeOwner): VolumeState {
  if (look.record.kind === "absent") return judgeUnknown(look);
  if (look.record.kind === "unreadable") {
    return { kind: "foreign", message: `the volume's identity cannot be read: ${look.record.problem}` };
  }

  const { record } = look.record;
  const difference = differenceOf(record, owner);
  if (difference !== undefined) return { kind: "foreign", message: difference };

  const { hasBlockData } = look;
  if (!fitsEpoch(record, owner.epoch)) {
    const { epoch } = record;
    const message = `the volume is of epoch ${epoch}, expected ${owner.epoch}`;
    const isEarlier = epoch < owner.epoch;
    return { kind: "foreign", message, epoch, ...(isEarlier ? { earlier: { record, hasBlockData } } : {}) };
  }

  const damage = damageIn(look, record, owner);
  if (damage !== undefined) return { kind: "damaged", message: damage, record, hasBlockData };
  const isFresh = !owner.single && record.change === undefined && look.raft.kind === "fresh";
  return { kind: "intact", record, isFresh, isPrepared: isPrepared(look, record) };
}

function isPrepared({ raftAhead = missing }: VolumeLook, { change }: VolumeRecord): boolean {
  if (change?.prepared === undefined) return false;
  if (change.prepared.isSingle) return raftAhead.kind === "missing";
  return raftAhead.kind === "fresh" && votersDigest(raftAhead.voters) === change.prepared.votersDigest;
}

function judgeUnknown({ raft, others, hasBlockData, wasMember = true }: VolumeLook): VolumeState {
  if (others.length === 0 && (raft.kind === "missing" || raft.kind === "fresh"))
    return { kind: "empty", leftover: raft };

  const found = [...others, ...(raft.kind === "missing" ? [] : ["a raft folder"])].slice(0, 4).join(", ");
  const isCopy = hasBlockData && !wasMember ? { isCopy: true as const } : {};
  return { kind: "foreign", message: `the volume has data but no identity of a member: ${found}`, ...isCopy };
}

function differenceOf(record: VolumeRecord, owner: VolumeOwner): string | undefined {
  for (const key of ["clusterId", "member", "chainId"] as const) {
    if (record[key] !== owner[key]) return `the volume is of ${key} ${record[key]}, expected ${owner[key]}`;
  }
  return undefined;
}

function damageIn(look: VolumeLook, record: VolumeRecord, owner: VolumeOwner): string | undefined {
  // A config of the epoch to come says nothing of what the volume has of the one that ends.
  if (record.change?.kind === "joining" || owner.epoch !== record.epoch) return lossOf(look, record);
  return owner.single ? damageOfSingle(look, record, owner.single) : damageOfRaft(look, record);
}

/** A member that joins has never been started, and goes on from its blocks all the same. */
function lossOf({ hasBlockData }: VolumeLook, record: VolumeRecord): string | undefined {
  if (record.lostBlocks) return "the block data was missing";
  const isInUse = record.started || record.change !== undefined;
  return isInUse && record.hadBlocks && !hasBlockData ? "the block data is missing" : undefined;
}

function damageOfRaft(look: VolumeLook, record: VolumeRecord): string | undefined {
  if (record.forked) return "its blocks are of a fork, and have to be set aside";
  const { raft } = look;
  const folder = raftFolderName(record.epoch);
  if (raft.kind === "missing") return `the folder ${folder} is missing`;
  if (raft.kind === "broken") return `${folder}/${raft.problem}`;
  if (raft.voters !== undefined && votersDigest(raft.voters) !== record.votersDigest) {
    return `${folder} holds another membership than the one it was bootstrapped with`;
  }
  return lossOf(look, record);
}

/**
 * ev-node without Raft begins the chain again on an empty block store, and there are no others that would object. So
 * blocks that were missed once stay missed: what came in their place is no chain that anybody was served.
 */
function damageOfSingle(look: VolumeLook, record: VolumeRecord, single: Voter): string | undefined {
  if (record.votersDigest !== votersDigest([single])) return "it was prepared for other members";
  if (look.raft.kind !== "missing")
    return "it has the Raft state of this epoch, and a single sequencer has none";
  return lossOf(look, record);
}

/** How the answer shows a volume: a bootstrap that did not come to its end left a volume as good as empty. */
export function shownVolume(state: VolumeState): AgentAnswer["volume"] {
  if (state.kind === "empty") return { kind: "empty" };
  if (state.kind === "damaged") return { kind: "damaged", message: state.message };
  if (state.kind === "foreign") {
    const { kind, message, epoch, isCopy } = state;
    return { kind, message, ...(epoch === undefined ? {} : { epoch }), ...(isCopy ? { copy: true } : {}) };
  }
  const { epoch, started, change } = state.record;
  if (change === undefined) return { kind: "intact", epoch, started };
  const prepared = state.isPrepared ? { prepared: true as const } : {};
  if (change.kind === "frozen")
    return { kind: "intact", epoch, started, change: { kind: change.kind, to: change.to, ...prepared } };
  const copy = change.copy === undefined ? {} : { copy: change.copy };
  return { kind: "intact", epoch, started, change: { kind: change.kind, ...prepared, ...copy } };
}

/** Whether `dbPath` is a folder of its own inside the home, apart from all that the agent keeps there. */
export function isFolderInHome(home: string, dbPath: string): boolean {
  const path = resolve(home, dbPath);
  if (!path.startsWith(home + sep)) return false;
  const [first = ""] = path.slice(home.length + 1).split(sep);
  return first !== OWN_FOLDER && first !== "config" && !first.startsWith("raft-") && basename(path) !== "";
}

/** Where a member was, or one of a Raft group, the last blocks may be elsewhere than among the blocks. */
async function hasTraces(home: string): Promise<boolean> {
  const names = ((await namesIn(home)) ?? []).filter((name) => name !== "lost+found" && name !== "config");
  if (names.some((name) => name.startsWith("raft"))) return true;
  const own = (await namesIn(join(home, OWN_FOLDER))) ?? [];
  // The record of an order that was cut off says nothing yet.
  if (own.some((name) => !name.startsWith("."))) return true;
  const inside = await Promise.all(names.map((name) => namesIn(join(home, name))));
  return inside.some((found) => found?.includes(LOG_FILE) || found?.includes(STABLE_FILE));
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
