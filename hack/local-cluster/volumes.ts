import { join } from "node:path";
import { nodeName, paths } from "./layout.ts";

export const provisionerName = "evnode.dev/local";
export const storageClassName = "local";

/** The parts of the two kinds of objects that the provisioner reads. */
export interface Claim {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
  readonly spec: {
    readonly storageClassName?: string;
    readonly volumeName?: string;
    readonly accessModes?: readonly string[];
    readonly resources?: { readonly requests?: { readonly storage?: string } };
  };
  readonly status?: { readonly phase?: string; readonly capacity?: { readonly storage?: string } };
}

export interface Volume {
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
  readonly spec: {
    readonly persistentVolumeReclaimPolicy?: string;
    readonly capacity?: { readonly storage?: string };
    readonly claimRef?: { readonly uid?: string };
  };
  readonly status?: { readonly phase?: string };
}

export type VolumeAction =
  | { readonly kind: "create"; readonly claim: Claim; readonly name: string }
  | { readonly kind: "remove"; readonly name: string }
  | { readonly kind: "grow"; readonly claim: Claim; readonly name: string; readonly storage: string };

/** What has to be done so that every claim has its volume and no released volume stays. */
export function decideVolumes(claims: readonly Claim[], volumes: readonly Volume[]): readonly VolumeAction[] {
  const existing = new Map(volumes.map((volume) => [volume.metadata.name, volume]));
  const created = claims
    .filter((claim) => awaitsVolume(claim) && !existing.has(volumeNameOf(claim)))
    .map((claim): VolumeAction => ({ kind: "create", claim, name: volumeNameOf(claim) }));
  const grown = claims.flatMap((claim) => growth(claim, existing.get(volumeNameOf(claim))));
  const removed = volumes
    .filter(isReleased)
    .map((volume): VolumeAction => ({ kind: "remove", name: volume.metadata.name }));
  return [...created, ...grown, ...removed];
}

/** The scheduler has chosen the node: with WaitForFirstConsumer nothing is made before that. */
function awaitsVolume(claim: Claim): boolean {
  return (
    claim.spec.storageClassName === storageClassName &&
    claim.spec.volumeName === undefined &&
    claim.metadata.deletionTimestamp === undefined &&
    claim.metadata.annotations?.["volume.kubernetes.io/selected-node"] === nodeName
  );
}

/** A folder has no size of its own, so a larger request is granted by saying so. */
function growth(claim: Claim, volume: Volume | undefined): readonly VolumeAction[] {
  const wanted = claim.spec.resources?.requests?.storage;
  if (!volume || wanted === undefined || claim.status?.phase !== "Bound") return [];
  if (wanted === volume.spec.capacity?.storage && wanted === claim.status.capacity?.storage) return [];
  return [{ kind: "grow", claim, name: volume.metadata.name, storage: wanted }];
}

function isReleased(volume: Volume): boolean {
  return (
    volume.metadata.annotations?.["pv.kubernetes.io/provisioned-by"] === provisionerName &&
    volume.status?.phase === "Released" &&
    volume.spec.persistentVolumeReclaimPolicy === "Delete"
  );
}

function volumeNameOf(claim: Claim): string {
  return `pvc-${claim.metadata.uid}`;
}

export function volumeFolder(name: string): string {
  return join(paths.volumes, name);
}

/** A `local` volume and not a hostPath one: the kubelet applies fsGroup to the former only. */
export function renderVolume(claim: Claim, name: string): object {
  const { metadata, spec } = claim;
  return {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name, annotations: { "pv.kubernetes.io/provisioned-by": provisionerName } },
    spec: {
      storageClassName,
      persistentVolumeReclaimPolicy: "Delete",
      accessModes: spec.accessModes ?? ["ReadWriteOnce"],
      capacity: { storage: spec.resources?.requests?.storage ?? "1Gi" },
      claimRef: {
        apiVersion: "v1",
        kind: "PersistentVolumeClaim",
        namespace: metadata.namespace,
        name: metadata.name,
        uid: metadata.uid,
      },
      local: { path: volumeFolder(name) },
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [
            { matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: [nodeName] }] },
          ],
        },
      },
    },
  };
}
