import { isDeepStrictEqual } from "node:util";
import type { KubeObject } from "../../../src/model/kube-object.ts";
import type { WatchEvent } from "./api.ts";
import type { Cluster } from "./cluster.ts";

/** Collections under the name that the audit log has for them. */
const watched = {
  evnodeclusters: "clusters",
  serviceaccounts: "serviceAccounts",
  services: "services",
  networkpolicies: "networkPolicies",
  poddisruptionbudgets: "budgets",
  secrets: "secrets",
  persistentvolumeclaims: "claims",
  statefulsets: "statefulSets",
  pods: "pods",
} as const;

type Plain = KubeObject & Readonly<Record<string, unknown>>;

interface Tracked {
  content: unknown;
  changes: number;
}

/** Counts how often objects of a namespace changed in what an operator may write, as a watch delivers it. */
export class History {
  readonly #tracked = new Map<string, Tracked>();
  readonly #uids = new Map<string, Set<string>>();
  readonly #stop = new AbortController();
  readonly #watching: Promise<unknown>;

  constructor(cluster: Cluster) {
    const { signal } = this.#stop;
    this.#watching = Promise.all(
      Object.entries(watched).map(([resource, collection]) => {
        const path = cluster.path(collection);
        return cluster.api.watch<Plain>(path, (event) => this.#note(resource, event), signal);
      }),
    );
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#watching;
  }

  /** How many writes the changes of an object account for; `key` is `resource/name`, with `/status` for the status. */
  changesOf(key: string): number {
    return this.#tracked.get(key)?.changes ?? 0;
  }

  /** Objects that there was more than one of, one after the other. */
  get replaced(): readonly string[] {
    return [...this.#uids].filter(([, uids]) => uids.size > 1).map(([key]) => key);
  }

  #note(resource: string, { type, object }: WatchEvent<Plain>): void {
    const { name, uid = "" } = object.metadata;
    const key = `${resource}/${name}`;
    const isNew = !this.#uids.has(key);
    const isGone = type === "DELETED";
    this.#uids.set(key, (this.#uids.get(key) ?? new Set()).add(uid));
    this.#change(`${key}/status`, isGone ? undefined : object["status"]);
    if (!madeByOthers.has(resource)) this.#change(key, isGone ? undefined : contentOf(object));
    // What somebody else made and removes counts from its first state to its last.
    else if (isNew) this.#tracked.set(key, { content: contentOf(object), changes: 0 });
    else if (!isGone || resource === "evnodeclusters")
      this.#change(key, isGone ? undefined : contentOf(object));
  }

  #change(key: string, content: unknown): void {
    const before = this.#tracked.get(key) ?? { content: undefined, changes: 0 };
    if (isDeepStrictEqual(before.content, content)) return;
    this.#tracked.set(key, { content, changes: before.changes + 1 });
  }
}

const madeByOthers = new Set(["pods", "persistentvolumeclaims", "evnodeclusters"]);

/** Without status and bookkeeping. Of what others write too, only what is this project's. */
function contentOf({ kind, metadata, ...rest }: Plain): unknown {
  const { labels = {}, annotations = {}, ownerReferences, finalizers } = metadata;
  // The scheduler and kubelet fill in the rest.
  if (kind === "Pod" || kind === "PersistentVolumeClaim") return { labels, annotations: ownOf(annotations) };
  return { ...rest, status: undefined, labels, annotations, ownerReferences, finalizers };
}

function ownOf(annotations: Readonly<Record<string, string>>): object {
  return Object.fromEntries(Object.entries(annotations).filter(([key]) => key.startsWith("evnode.dev/")));
}
