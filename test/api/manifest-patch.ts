/** A JSON merge patch: null removes a field, a list replaces a list. */
export type Patch = Readonly<Record<string, unknown>>;

/** Accepted by the API server and by the operator; everything else here is this manifest with one fault. */
export const goodManifest = {
  apiVersion: "evnode.dev/v1alpha1",
  kind: "EvNodeCluster",
  metadata: { name: "demo", namespace: "default" },
  spec: {
    image: "ghcr.io/example/mychain:v1.4.0",
    chain: { id: "demo-1" },
    da: { address: "http://local-da:7980" },
    storage: { size: "1Gi" },
  },
} as const;

export interface BadManifest {
  /** What is wrong, completing "an object with …". */
  readonly name: string;
  readonly patch: Patch;
  /** The field that is blamed, as it begins both messages. */
  readonly field: string;
  /** Part of the API server's answer. */
  readonly message: string;
  /** `server` only: what the operator no longer sees, such as a field that the server does not store. */
  readonly seenBy?: "server";
}

/** A patch of the spec. */
export const spec = (patch: Patch): Patch => ({ spec: patch });

/** A patch that gives all four time-outs, valid together with ev-node's own defaults. */
export const timing = (patch: Patch): Patch =>
  spec({
    raft: {
      timing: {
        heartbeatTimeout: "350ms",
        electionTimeout: "1s",
        leaderLeaseTimeout: "175ms",
        sendTimeout: "200ms",
        ...patch,
      },
    },
  });

/** Applies a merge patch and returns a new value. */
export function patched(value: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch;
  const base = isRecord(value) ? value : {};
  const changed = Object.entries(patch).map(([key, part]) => [key, patched(base[key], part)]);
  return Object.fromEntries(
    Object.entries({ ...base, ...Object.fromEntries(changed) }).filter(([, part]) => part !== null),
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
