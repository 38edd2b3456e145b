import { kinds } from "../../../src/model/kinds.ts";
import type { PersistentVolumeClaim } from "../../../src/model/objects.ts";
import { type Following, followObjects, type Scope } from "../follow-objects.ts";
import type { Session } from "../session.ts";
import { type PersistentVolume, volumeKind } from "../volume-faults.ts";

const LABEL = "evnode.dev/measured-in";

/**
 * Gives every claim a volume that exists only on paper. Claims of pods that no node takes would stay unbound,
 * because the storage class waits for the node.
 */
export async function bindClaims(session: Session, scope: Scope): Promise<Following> {
  const { api, kubectl, atEnd } = session;
  const mark = scope.namespace ?? "everywhere";
  atEnd(`volumes of ${mark}`, async () => {
    // All in one request: there may be thousands.
    const selector = encodeURIComponent(`${LABEL}=${mark}`);
    await kubectl.run(["delete", "--raw", `/api/v1/persistentvolumes?labelSelector=${selector}`]);
  });
  return followObjects(session, kinds.claim, scope, async (claim, type) => {
    if (type === "ADDED") await api.create(volumeKind, volumeFor(claim, mark));
  });
}

function volumeFor({ metadata, spec }: PersistentVolumeClaim, mark: string): PersistentVolume {
  const { namespace = "", name, uid = "" } = metadata;
  return {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name: `paper-${uid}`, labels: { [LABEL]: mark } },
    spec: {
      capacity: { storage: "1Gi" },
      accessModes: ["ReadWriteOnce"],
      storageClassName: spec?.storageClassName ?? "",
      persistentVolumeReclaimPolicy: "Retain",
      claimRef: { apiVersion: "v1", kind: "PersistentVolumeClaim", namespace, name, uid },
      hostPath: { path: "/nonexistent" },
    },
  };
}
