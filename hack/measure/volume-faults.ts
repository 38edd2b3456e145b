import { open, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { LOG_FILE } from "../../src/evnode/raft-store.ts";
import { type Kind, kinds } from "../../src/model/kinds.ts";
import type { KubeObject } from "../../src/model/kube-object.ts";
import { EVNODE_CONTAINER } from "../../src/model/member.ts";
import { claimName } from "../../src/model/names.ts";
import type { Pod } from "../../src/model/objects.ts";
import { killContainer, signalContainer } from "../../test/e2e/harness/processes.ts";
import { type OperatedCluster, remove } from "./operated-cluster.ts";
import { pause, type Session } from "./session.ts";

/** What happens to a member's volume. */
export interface VolumeFault {
  readonly name: string;
  readonly of: "follower" | "leader";
  /** The member goes on in the process that it had. */
  readonly keepsProcess?: true;
  readonly happen: (session: Session, cluster: OperatedCluster, pod: Pod) => Promise<void>;
}

export interface PersistentVolume extends KubeObject {
  readonly spec?: { readonly local?: { readonly path: string } } & Readonly<Record<string, unknown>>;
}

export const volumeKind: Kind<PersistentVolume> = {
  apiVersion: "v1",
  kind: "PersistentVolume",
  plural: "persistentvolumes",
  namespaced: false,
};

const PAGE = 4_096;

export const volumeFaults = (heldMs: number): readonly VolumeFault[] => [
  { name: "a follower's claim deleted", of: "follower", happen: loseClaim },
  { name: "the leader's claim deleted", of: "leader", happen: loseClaim },
  { name: "the Raft directory emptied", of: "follower", happen: (...at) => damage(at, emptied("raft-1")) },
  { name: "the block data emptied", of: "follower", happen: (...at) => damage(at, emptied("data")) },
  { name: "both emptied", of: "follower", happen: (...at) => damage(at, emptied("raft-1", "data")) },
  { name: "the Raft log overwritten", of: "follower", happen: (...at) => damage(at, overwriteLog) },
  {
    name: "held back for longer than the log reaches",
    of: "follower",
    keepsProcess: true,
    happen: async (session, _, pod) => {
      await signalContainer(pod, EVNODE_CONTAINER, "SIGSTOP");
      await pause(heldMs, session);
      await signalContainer(pod, EVNODE_CONTAINER, "SIGCONT");
    },
  },
];

/** Claim, volume and pod go, as with a lost disk. */
async function loseClaim(session: Session, { namespace, name }: OperatedCluster, pod: Pod): Promise<void> {
  const ordinal = Number(pod.metadata.name.slice(name.length + 1));
  await remove(session, kinds.claim, { namespace, name: claimName(name, ordinal) });
  // The claim is protected for as long as a pod uses it.
  await remove(session, kinds.pod, { namespace, name: pod.metadata.name });
}

type At = Parameters<VolumeFault["happen"]>;

/** ev-node goes on with files that it has open, so it is killed, too: before, lest it writes them again. */
async function damage(
  [session, { namespace }, pod]: At,
  work: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await volumeFolder(session, namespace, pod);
  await signalContainer(pod, EVNODE_CONTAINER, "SIGSTOP");
  await work(folder);
  await killContainer(pod, EVNODE_CONTAINER);
}

/** Where the volume lies on this machine. */
async function volumeFolder({ api }: Session, namespace: string, { metadata }: Pod): Promise<string> {
  const claim = await api.get(kinds.claim, { namespace, name: `data-${metadata.name}` });
  const name = claim?.spec?.volumeName;
  const volume = name === undefined ? undefined : await api.get(volumeKind, { name });
  const path = volume?.spec?.local?.path;
  if (path === undefined) throw new Error(`the volume of ${metadata.name} is no folder of this machine`);
  return path;
}

const emptied =
  (...folders: readonly string[]) =>
  async (volume: string): Promise<void> => {
    for (const folder of folders)
      for (const name of await readdir(join(volume, folder)))
        await rm(join(volume, folder, name), { recursive: true });
  };

/** All but its first two pages, which alone say what the file is. */
async function overwriteLog(volume: string): Promise<void> {
  const file = await open(join(volume, "raft-1", LOG_FILE), "r+");
  try {
    const { size } = await file.stat();
    await file.write(Buffer.alloc(size - 2 * PAGE, 0xa5), 0, size - 2 * PAGE, 2 * PAGE);
  } finally {
    await file.close();
  }
}
