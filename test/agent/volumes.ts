import { appendFile, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { realDisk } from "../../src/agent/disk.ts";
import { executeOrder } from "../../src/agent/execute-order.ts";
import { OWN_FOLDER, type VolumeRecord, writeRecord } from "../../src/agent/volume-record.ts";
import { votersDigest } from "../../src/agent/voters.ts";
import { writeBolt } from "../../src/evnode/bolt-writer.ts";
import { bootstrapFiles } from "../../src/evnode/raft-bootstrap.ts";
import { LOG_FILE, STABLE_FILE } from "../../src/evnode/raft-store.ts";
import type { Voter } from "../../src/model/agent-protocol.ts";
import { CHAIN_ID, CLUSTER_ID, voters } from "./pod.ts";

/** Volumes in every state that the agent tells apart, made in a folder that exists and is empty. */

export const otherVoters: readonly Voter[] = voters.map(({ id, address }) => ({
  id,
  address: `old-${address}`,
}));

/** Of a volume that was bootstrapped, and never started. */
export const record: VolumeRecord = {
  version: 1,
  clusterId: CLUSTER_ID,
  member: "chain-0",
  chainId: CHAIN_ID,
  epoch: 1,
  votersDigest: votersDigest(voters),
  bootstrapped: true,
  started: false,
  hadBlocks: false,
  executedOrders: ["earlier"],
};

const raft = (home: string) => join(home, "raft-1");

async function raftFolder(home: string, members: readonly Voter[] = voters): Promise<void> {
  const files = bootstrapFiles(members);
  await mkdir(raft(home), { recursive: true });
  await writeFile(join(raft(home), LOG_FILE), files[LOG_FILE]);
  await writeFile(join(raft(home), STABLE_FILE), files[STABLE_FILE]);
}

/** A store grows with its first use and never shrinks. */
async function usedRaftFolder(home: string, members: readonly Voter[] = voters): Promise<void> {
  await raftFolder(home, members);
  await appendFile(join(raft(home), LOG_FILE), Buffer.alloc(4_096));
}

async function blockData(home: string): Promise<void> {
  await mkdir(join(home, "data", "testapp"), { recursive: true });
  await writeFile(join(home, "data", "testapp", "MANIFEST"), "badger");
}

async function started(home: string, changes: Partial<VolumeRecord> = {}): Promise<void> {
  await usedRaftFolder(home);
  await blockData(home);
  await writeRecord(realDisk, home, { ...record, started: true, hadBlocks: true, ...changes });
}

export type MakeVolume = (home: string) => Promise<void>;

export const volumes = {
  empty: async () => {},
  "empty but for a file system's own folder": async (home) => {
    await mkdir(join(home, "lost+found"));
  },
  "with a fresh raft folder and no identity": (home) => raftFolder(home),
  "with a fresh raft folder of other voters and no identity": (home) => raftFolder(home, otherVoters),
  "with half a raft folder in the agent's own folder": async (home) => {
    await mkdir(join(home, OWN_FOLDER, "raft-1.new"), { recursive: true });
    await writeFile(join(home, OWN_FOLDER, "raft-1.new", LOG_FILE), "half");
  },

  "with block data and no identity": blockData,
  "with the data of another node": async (home) => {
    await blockData(home);
    await mkdir(join(home, "config"), { recursive: true });
    await mkdir(join(home, "signer"));
    await writeFile(join(home, "signer", "signer.json"), "{}");
  },
  "with the data of another node, and an order that was cut off": async (home) => {
    await blockData(home);
    await mkdir(join(home, OWN_FOLDER));
    await writeFile(join(home, OWN_FOLDER, ".volume.json.new"), "{");
  },
  "with the data of a node that was in Raft": async (home) => {
    await blockData(home);
    await mkdir(join(home, "raft"));
  },
  "with the data of a node that was in Raft somewhere else": async (home) => {
    await blockData(home);
    await mkdir(join(home, "ha"));
    await writeFile(join(home, "ha", LOG_FILE), "");
  },
  "with the data of a member without its identity": async (home) => {
    await blockData(home);
    await mkdir(join(home, OWN_FOLDER, "raft-1.aside-1"), { recursive: true });
  },
  "with a used raft folder and no identity": (home) => usedRaftFolder(home),
  "with the raft folder of another epoch and no identity": async (home) => {
    await mkdir(join(home, "raft-2"));
  },
  "of another cluster": (home) => started(home, { clusterId: "fedcba" }),
  "of another member": (home) => started(home, { member: "chain-1" }),
  "of another chain": (home) => started(home, { chainId: "another" }),
  "of another epoch": (home) => started(home, { epoch: 2 }),
  "with an identity that cannot be read": async (home) => {
    await started(home);
    await writeFile(join(home, OWN_FOLDER, "volume.json"), '{"version":1');
  },
  "with an identity of a later version": async (home) => {
    await started(home);
    await writeFile(join(home, OWN_FOLDER, "volume.json"), JSON.stringify({ ...record, version: 2 }));
  },

  "without its raft folder": async (home) => {
    await started(home);
    await rm(raft(home), { recursive: true });
  },
  "with identity only": async (home) => {
    await writeRecord(realDisk, home, { ...record, started: true, hadBlocks: true });
  },
  "without its raft log": async (home) => {
    await started(home);
    await rm(join(raft(home), LOG_FILE));
  },
  "without its raft votes": async (home) => {
    await started(home);
    await rm(join(raft(home), STABLE_FILE));
  },
  "with a raft log of zeros": async (home) => {
    await started(home);
    await writeFile(join(raft(home), LOG_FILE), Buffer.alloc(24_576));
  },
  "with a raft log that was cut off": async (home) => {
    await started(home);
    await writeFile(join(raft(home), LOG_FILE), bootstrapFiles(voters)[LOG_FILE].subarray(0, 9_000));
  },
  "with a raft folder in which no membership ever was": async (home) => {
    await started(home);
    const empty = writeBolt([
      { name: "conf", entries: [] },
      { name: "logs", entries: [] },
    ]);
    await writeFile(join(raft(home), LOG_FILE), empty);
  },
  "with another membership": async (home) => {
    await started(home);
    await usedRaftFolder(home, otherVoters);
  },
  "without the blocks that it had": async (home) => {
    await started(home);
    await rm(join(home, "data"), { recursive: true });
  },
  "with empty folders where its blocks were": async (home) => {
    await started(home);
    await rm(join(home, "data", "testapp", "MANIFEST"));
  },

  bootstrapped: async (home) => {
    await executeOrder(realDisk, { home, dbPath: "data" }, record, {
      kind: "writeRaftFolder",
      order: { id: "earlier", kind: "bootstrap", epoch: 1, voters: [...voters] },
      hadBlocks: false,
      before: undefined,
    });
  },
  "bootstrapped with other voters": async (home) => {
    await raftFolder(home, otherVoters);
    await writeRecord(realDisk, home, { ...record, votersDigest: votersDigest(otherVoters) });
  },
  "started a moment ago": async (home) => {
    await usedRaftFolder(home);
    await writeRecord(realDisk, home, { ...record, started: true });
  },
  started: (home) => started(home),
  "started, with the log compacted into a snapshot": async (home) => {
    await started(home);
    const later = writeBolt([
      { name: "conf", entries: [] },
      { name: "logs", entries: [] },
    ]);
    await writeFile(join(raft(home), LOG_FILE), later);
    await mkdir(join(raft(home), "snapshots", "2-5000-1900000000000"), { recursive: true });
  },
} satisfies Readonly<Record<string, MakeVolume>>;

export type VolumeName = keyof typeof volumes;
