import { isRecord } from "../model/json.ts";

type Fields = Readonly<Record<string, unknown>>;

const container: Fields = {
  terminationMessagePath: "/dev/termination-log",
  terminationMessagePolicy: "File",
};
const probe: Fields = { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 };

/** What the API server adds where a StatefulSet leaves it out, by the field that holds it, or whose items do. */
const added: Readonly<Record<string, Fields>> = {
  metadata: { creationTimestamp: null },
  spec: { restartPolicy: "Always", dnsPolicy: "ClusterFirst", schedulerName: "default-scheduler" },
  initContainers: container,
  containers: container,
  startupProbe: probe,
  readinessProbe: probe,
  livenessProbe: probe,
  httpGet: { scheme: "HTTP" },
  fieldRef: { apiVersion: "v1" },
  volumeClaimTemplates: { status: { phase: "Pending" } },
};

/**
 * Where a live object holds more than the desired one and than what the server adds by itself, or undefined. With
 * no drift either, the two say the same. A default that is not known here is taken for a difference.
 */
export function surplusOf(desired: unknown, live: unknown, within = "", path = ""): string | undefined {
  if (Array.isArray(live)) {
    const items = Array.isArray(desired) ? desired : [];
    return first(live, (item, index) => surplusOf(items[index], item, within, `${path}[${index}]`));
  }
  if (!isRecord(live)) return undefined;
  const wanted = isRecord(desired) ? desired : {};
  return first(Object.entries(live), ([field, value]) => {
    const at = path === "" ? field : `${path}.${field}`;
    if (wanted[field] !== undefined) return surplusOf(wanted[field], value, field, at);
    return isAdded(live, within, field) ? undefined : at;
  });
}

function isAdded(live: Fields, within: string, field: string): boolean {
  // The old name of the field, which the server keeps beside the new one.
  if (within === "spec" && field === "serviceAccount") return live[field] === live["serviceAccountName"];
  const byDefault = added[within] ?? {};
  return field in byDefault && JSON.stringify(live[field]) === JSON.stringify(byDefault[field]);
}

function first<T>(items: readonly T[], find: (item: T, index: number) => string | undefined) {
  for (const [index, item] of items.entries()) {
    const found = find(item, index);
    if (found !== undefined) return found;
  }
  return undefined;
}
