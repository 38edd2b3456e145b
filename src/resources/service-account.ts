import { serviceAccountName } from "../model/names.ts";
import type { ServiceAccount } from "../model/objects.ts";
import { type Blueprint, ownedMetadata } from "./blueprint.ts";

/** For workload identity only: members never talk to the Kubernetes API, so no token is mounted. */
export function serviceAccount(blueprint: Blueprint): ServiceAccount {
  const metadata = ownedMetadata(blueprint, serviceAccountName(blueprint.name));
  return {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: {
      ...metadata,
      annotations: { ...blueprint.intent.spec.pod.serviceAccountAnnotations, ...metadata.annotations },
    },
    automountServiceAccountToken: false,
  };
}
