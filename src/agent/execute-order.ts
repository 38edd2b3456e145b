import { readFile } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { bootstrapFiles } from "../evnode/raft-bootstrap.ts";
import { readMembership } from "../evnode/raft-membership.ts";
import { LOG_FILE, STABLE_FILE } from "../evnode/raft-store.ts";
import type { Voter } from "../model/agent-protocol.ts";
import type { ChangeVerdict } from "./change-orders.ts";
import type { Disk } from "./disk.ts";
import type { OrderVerdict } from "./orders.ts";
import { lookAtRaftFolder, namesIn } from "./raft-folder.ts";
import { raftFolderName, type VolumeOwner } from "./volume.ts";
import { OWN_FOLDER, type VolumeRecord, withOrder, writeRecord } from "./volume-record.ts";
import { votersDigest } from "./voters.ts";

type Executable = Extract<
  OrderVerdict | ChangeVerdict,
  { kind: "writeRaftFolder" | "join" | "prepare" | "record" }
>;

const MAX_SET_ASIDE = 1_000;

/** Does what an order asks for. Stopped at any step, it is done again from the start and ends the same. */
export async function executeOrder(
  disk: Disk,
  { home, dbPath }: { readonly home: string; readonly dbPath: string },
  owner: VolumeOwner,
  verdict: Executable,
): Promise<VolumeRecord> {
  const { order } = verdict;
  if (verdict.kind === "writeRaftFolder") {
    if (order.kind === "rejoin" && (order.anew === "all" || verdict.before?.forked)) {
      // The Raft folder first: without it ev-node does not start, and it must not start on one without the blocks.
      if (!(await isWritten(home, owner.epoch, order.voters)))
        await setAside(disk, home, raftFolderName(owner.epoch));
      await setAside(disk, home, relative(home, resolve(home, dbPath)));
    }
    if (!owner.single) await writeRaftFolder(disk, home, owner.epoch, verdict.order.voters);
  }

  if (verdict.kind === "prepare") {
    // The set of one has no Raft folder, and must not find one.
    if (verdict.order.voters.length === 1) await setAside(disk, home, raftFolderName(order.epoch));
    else await writeRaftFolder(disk, home, order.epoch, verdict.order.voters);
  }

  const record = withOrder("record" in verdict ? verdict.record : newRecord(owner, verdict), order.id);
  await writeRecord(disk, home, record);
  return record;
}

function newRecord(
  owner: VolumeOwner,
  verdict: Extract<Executable, { kind: "writeRaftFolder" | "join" }>,
): VolumeRecord {
  return {
    version: 1,
    clusterId: owner.clusterId,
    member: owner.member,
    chainId: owner.chainId,
    epoch: verdict.order.epoch,
    votersDigest: votersDigest(verdict.order.voters),
    bootstrapped: true,
    // The others run already: a member that rejoins needs no further leave to start.
    started: verdict.order.kind === "rejoin",
    hadBlocks: verdict.hadBlocks,
    executedOrders: verdict.before?.executedOrders ?? [],
    ...(verdict.kind === "join"
      ? { change: { kind: "joining", ...(verdict.isCopy ? { copy: {} } : {}) } }
      : {}),
  };
}

async function writeRaftFolder(
  disk: Disk,
  home: string,
  epoch: number,
  voters: readonly Voter[],
): Promise<void> {
  const name = raftFolderName(epoch);
  if (await isWritten(home, epoch, voters)) return;

  const ownFolder = join(home, OWN_FOLDER);
  const fresh = join(ownFolder, `${name}.new`);

  await disk.makeFolder(fresh);
  const files = bootstrapFiles(voters);
  await disk.write(join(fresh, LOG_FILE), files[LOG_FILE], 0o600);
  await disk.write(join(fresh, STABLE_FILE), files[STABLE_FILE], 0o600);
  await disk.syncFolder(fresh);
  await proveMembership(join(fresh, LOG_FILE), voters);

  await setAside(disk, home, name);
  await disk.rename(fresh, join(home, name));
  await disk.syncFolder(ownFolder);
  await disk.syncFolder(home);
}

/** Whether the folder is there as the order asks for it, and was not used since. */
async function isWritten(home: string, epoch: number, voters: readonly Voter[]): Promise<boolean> {
  const present = await lookAtRaftFolder(join(home, raftFolderName(epoch)));
  return present.kind === "fresh" && votersDigest(present.voters) === votersDigest(voters);
}

/** What is on the disk is read back: a membership is for ever, and ev-node checks nothing of it. */
async function proveMembership(path: string, voters: readonly Voter[]): Promise<void> {
  const membership = readMembership(await readFile(path));
  const found =
    membership.kind === "members" ? membership.members.map(({ id, address }) => ({ id, address })) : [];
  if (votersDigest(found) !== votersDigest(voters)) {
    throw new Error(`the membership read back from ${path} is not the one that was written`);
  }
}

/** Nothing is deleted: a folder that is in the way keeps its content under another name. */
export async function setAside(disk: Disk, home: string, name: string): Promise<void> {
  const path = join(home, name);
  if (!(await namesIn(dirname(path)))?.includes(basename(path))) return;

  await disk.makeFolder(join(home, OWN_FOLDER));
  const taken = new Set(await namesIn(join(home, OWN_FOLDER)));
  for (let count = 1; count <= MAX_SET_ASIDE; count += 1) {
    const aside = `${basename(name)}.aside-${count}`;
    if (taken.has(aside)) continue;
    await disk.rename(path, join(home, OWN_FOLDER, aside));
    return;
  }
  throw new Error(
    `${MAX_SET_ASIDE} folders were set aside in ${OWN_FOLDER}; remove what is no longer needed`,
  );
}
