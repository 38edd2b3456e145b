import { mkdir, rm, statfs } from "node:fs/promises";
import { join } from "node:path";
import { claimName } from "../../src/model/names.ts";
import { command } from "../local-cluster/command.ts";
import { nodeName, paths } from "../local-cluster/layout.ts";
import { storageClassName } from "../local-cluster/volumes.ts";
import { isLeftOver, marksSelector, ownMarks } from "./namespaces.ts";
import { type OperatedCluster, remove } from "./operated-cluster.ts";
import { pollUntil, type Session } from "./session.ts";
import { type PersistentVolume, volumeKind } from "./volume-faults.ts";

/** A member's volume with a size of its own, which those of the local cluster do not have. */
export interface SmallVolume {
  /** Takes what is free away: nothing can be written there any more. */
  fill(): Promise<void>;
  free(): Promise<void>;
  remove(): Promise<void>;
}

const TOPIC = "small-volume";
const SIZE = 256 << 20;
/** With less on it, its member has not begun with it. */
const BEGUN = 64 << 10;
const FILL_TIMEOUT_MS = 60_000;

/** Made before its member is, which finds it by its claim. */
export async function provideSmallVolume(
  session: Session,
  { namespace, name }: OperatedCluster,
  ordinal: number,
): Promise<SmallVolume> {
  const claim = claimName(name, ordinal);
  const volume = `${namespace}-${claim}`;
  const folder = folderOf(volume);
  await mkdir(folder, { recursive: true });
  const mount = async (...options: readonly string[]) =>
    command("mount", ["-t", "tmpfs", "-o", options.join(), volume, folder]);
  await mount(`size=${SIZE}`, "mode=0777");
  await session.api.create(volumeKind, objectOf(volume, folder, { namespace, name: claim }));
  let isThere = true;
  const undo = async () => {
    if (isThere) await removeVolume(session, volume);
    isThere = false;
  };
  session.atEnd(`volume ${volume}`, undo);
  return {
    fill: async () => {
      const shrink = async () => {
        const used = await usedIn(folder);
        if (used < BEGUN) return undefined;
        // What is written meanwhile needs its place: it is asked for less until that is granted.
        return mount("remount", `size=${used}`).then(
          () => true,
          () => undefined,
        );
      };
      const isFull = await pollUntil(shrink, { everyMs: 10, timeoutMs: FILL_TIMEOUT_MS }, session);
      if (isFull === undefined) throw new Error(`${folder} could not be filled`);
    },
    free: async () => {
      await mount("remount", `size=${SIZE}`);
    },
    remove: undo,
  };
}

/** Those that campaigns left behind that were killed on this machine; they take memory. */
export async function removeLeftVolumes(session: Session): Promise<void> {
  const { items } = await session.api.list(volumeKind, { labelSelector: marksSelector(TOPIC) });
  for (const { metadata } of items.filter((one) => isLeftOver(one.metadata.labels)))
    await removeVolume(session, metadata.name);
}

async function removeVolume(session: Session, name: string): Promise<void> {
  await remove(session, volumeKind, { name });
  // Containers that end hold on to it for a moment.
  await command("umount", ["--lazy", folderOf(name)]);
  await rm(folderOf(name), { recursive: true });
}

const folderOf = (volume: string) => join(paths.volumes, volume);

async function usedIn(folder: string): Promise<number> {
  const { blocks, bfree, bsize } = await statfs(folder);
  return (blocks - bfree) * bsize;
}

/** The provisioner did not make it, so that it does not remove it either. */
function objectOf(
  name: string,
  path: string,
  claim: { readonly namespace: string; readonly name: string },
): PersistentVolume {
  const { apiVersion, kind } = volumeKind;
  const isHere = [{ key: "kubernetes.io/hostname", operator: "In", values: [nodeName] }];
  return {
    apiVersion,
    kind,
    metadata: { name, labels: ownMarks(TOPIC) },
    spec: {
      storageClassName,
      persistentVolumeReclaimPolicy: "Retain",
      accessModes: ["ReadWriteOnce"],
      capacity: { storage: "1Gi" },
      claimRef: { apiVersion: "v1", kind: "PersistentVolumeClaim", ...claim },
      local: { path },
      nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: isHere }] } },
    },
  };
}
