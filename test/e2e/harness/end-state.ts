import { annotations, labels } from "../../../src/model/annotations.ts";
import type { KubeObject } from "../../../src/model/kube-object.ts";
import type { Cluster } from "./cluster.ts";

const compared = [
  "clusters",
  "serviceAccounts",
  "services",
  "networkPolicies",
  "budgets",
  "secrets",
  "claims",
  "statefulSets",
  "pods",
] as const;

type Plain = KubeObject & Readonly<Record<string, unknown>>;

/** What the server decides, what time decides, and what names one object and no other. */
const unequalFields = new Set([
  "uid",
  "resourceVersion",
  "generation",
  "creationTimestamp",
  "managedFields",
  "status",
  "clusterIP",
  "clusterIPs",
  "volumeName",
  "kubectl.kubernetes.io/last-applied-configuration",
  // Kubernetes writes these on a claim unless the volume is there before it gets to it.
  "volume.beta.kubernetes.io/storage-provisioner",
  "volume.kubernetes.io/storage-provisioner",
  labels.role,
  annotations.proposer,
  annotations.orderGivenAt,
]);

/**
 * The objects of a cluster without what differs from one cluster to the next, by kind and name. Two clusters that
 * were made alike are equal in this form.
 */
export async function endStateOf(cluster: Cluster): Promise<Readonly<Record<string, unknown>>> {
  const found: [string, unknown][] = [];
  for (const collection of compared) {
    for (const object of await cluster.api.list<Plain>(cluster.path(collection))) {
      if (!isOf(cluster, object)) continue;
      const key = `${collection}/${object.metadata.name}`.replaceAll(cluster.name, "NAME");
      found.push([key, comparable(cluster, object)]);
    }
  }
  return Object.fromEntries(found.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function isOf({ name }: Cluster, { metadata }: KubeObject): boolean {
  return metadata.name === name || new RegExp(`^(data-)?${name}-`).test(metadata.name);
}

function comparable({ name }: Cluster, object: Plain): unknown {
  const text = JSON.stringify(withKeysOnly(object), (field, value: unknown) => {
    return unequalFields.has(field) ? undefined : value;
  });
  return JSON.parse(masked(text, name));
}

/** Keys of a Secret are compared, and not what is random by intention. */
function withKeysOnly(object: Plain): Plain {
  const { data } = object;
  if (typeof data !== "object" || data === null) return object;
  return { ...object, data: Object.keys(data).sort() };
}

/** Names, uids and digests are told by their form and place. */
function masked(text: string, name: string): string {
  return text
    .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "UID")
    .replaceAll(new RegExp(`("${labels.revision}":"${name}-)[^"]*`, "g"), "$1HASH")
    .replaceAll(/("evnode\.dev\/config-revision":")[^"]*/g, "$1REVISION")
    .replaceAll(/(\\"configRevision\\":\\")[^"\\]*/g, "$1REVISION")
    .replaceAll(new RegExp(`(${name}-\\d\\.)[0-9a-f]{10}\\.yaml`, "g"), "$1REVISION.yaml")
    .replaceAll(name, "NAME");
}
