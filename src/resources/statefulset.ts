import type { CompleteStorage } from "../api/complete-spec.ts";
import { annotations } from "../model/annotations.ts";
import { openChange, readMembershipRecord } from "../model/membership-record.ts";
import { commonLabels, headlessServiceName, selectorLabels, statefulSetName } from "../model/names.ts";
import type { StatefulSet } from "../model/objects.ts";
import { readSuspensionRecord } from "../model/suspension-record.ts";
import { type Blueprint, ownedMetadata } from "./blueprint.ts";
import { EXECUTION_VOLUME } from "./execution.ts";
import { podTemplate } from "./pod-template.ts";

/**
 * OnDelete, because only the operator knows which member may go next; Parallel, because the first member waits
 * for a quorum that the later ones are part of; and volumes outlive everything.
 */
export function statefulSet(blueprint: Blueprint): StatefulSet {
  const { name, intent, rollout, suspension, membershipChange, migration } = blueprint;
  const { storage, execution } = intent.spec;
  const metadata = ownedMetadata(blueprint, statefulSetName(name));
  const notes = {
    ...metadata.annotations,
    [annotations.intent]: JSON.stringify(intent),
    ...(rollout === undefined ? {} : { [annotations.rollout]: rollout }),
    ...(suspension === undefined ? {} : { [annotations.suspension]: suspension }),
    ...(membershipChange === undefined ? {} : { [annotations.membershipChange]: membershipChange }),
    ...(migration === undefined ? {} : { [annotations.migration]: migration }),
  };
  return {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: { ...metadata, annotations: notes },
    spec: {
      replicas: podsOf(blueprint),
      serviceName: headlessServiceName(name),
      selector: { matchLabels: selectorLabels(name) },
      podManagementPolicy: "Parallel",
      updateStrategy: { type: "OnDelete" },
      persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain", whenScaled: "Retain" },
      revisionHistoryLimit: 10,
      template: podTemplate(blueprint),
      volumeClaimTemplates: [
        claimTemplate(name, "data", storage),
        ...(execution ? [claimTemplate(name, EXECUTION_VOLUME, execution.storage)] : []),
      ],
    },
  };
}

/** None while the cluster is suspended; while their number changes, all of the old members and of the new ones. */
function podsOf({ intent, suspension, membershipChange }: Blueprint): number {
  if (readSuspensionRecord(suspension)?.kind === "suspended") return 0;
  const change = openChange(readMembershipRecord(membershipChange));
  return Math.max(intent.spec.replicas, change?.from.replicas ?? 0, change?.to.replicas ?? 0);
}

function claimTemplate(cluster: string, volume: string, { size, storageClassName }: CompleteStorage) {
  return {
    apiVersion: "v1" as const,
    kind: "PersistentVolumeClaim" as const,
    metadata: { name: volume, labels: commonLabels(cluster) },
    spec: {
      accessModes: ["ReadWriteOnce" as const],
      volumeMode: "Filesystem" as const,
      resources: { requests: { storage: size } },
      ...(storageClassName === undefined ? {} : { storageClassName }),
    },
  };
}
