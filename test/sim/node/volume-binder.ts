import { kinds } from "../../../src/model/kinds.ts";
import type { PersistentVolumeClaim } from "../../../src/model/objects.ts";
import { Volume } from "../member/volume.ts";
import type { Registry } from "../registry.ts";
import { CLAIM_IN_USE } from "./set-pod.ts";

/** One look at every claim: a new one gets an empty volume, and one that is deleted goes when no pod uses it. */
export function tendClaims(registry: Registry, volumes: Map<string, Volume>): void {
  for (const claim of registry.store.all(kinds.claim)) {
    if (claim.metadata.deletionTimestamp !== undefined) release(registry, claim);
    else if (claim.spec?.volumeName === undefined) bind(registry, volumes, claim);
  }
}

function bind(registry: Registry, volumes: Map<string, Volume>, claim: PersistentVolumeClaim): void {
  const volumeName = `pv-${claim.metadata.uid ?? ""}`;
  volumes.set(volumeName, new Volume(volumeName));
  const bound = registry.patch(kinds.claim, claim.metadata, { spec: { volumeName } });
  registry.replaceStatus(kinds.claim, { ...bound, status: { phase: "Bound" } });
}

function release(registry: Registry, { metadata }: PersistentVolumeClaim): void {
  const isUsed = registry.store
    .all(kinds.pod)
    .some(
      (pod) =>
        pod.metadata.namespace === metadata.namespace &&
        pod.spec?.volumes?.some(
          ({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName === metadata.name,
        ),
    );
  if (isUsed) return;
  const finalizers = (metadata.finalizers ?? []).filter((one) => one !== CLAIM_IN_USE);
  registry.patch(kinds.claim, metadata, { metadata: { finalizers } });
}
