import { beforeEach, describe, expect, test } from "vitest";
import type { KubeApi, ListOptions, ListPage, WatchEvent, WatchOptions } from "../src/kube/api.ts";
import { KubeError } from "../src/kube/errors.ts";
import { labels, MANAGED_BY } from "../src/model/annotations.ts";
import { type Kind, kinds } from "../src/model/kinds.ts";
import type { KubeObject } from "../src/model/kube-object.ts";
import type { Pod } from "../src/model/objects.ts";
import type { Logger } from "../src/telemetry/log.ts";
import { Watches, type WatchesDependencies } from "../src/watches.ts";
import { cluster } from "./builders.ts";
import { fixedRandom } from "./runtime/seeded-random.ts";
import { settle, VirtualClock } from "./runtime/virtual-clock.ts";

/** Lists what a test put there, and hands each watch the events that the test sends. */
class ListedApi implements Pick<KubeApi, "list" | "watch"> {
  readonly held: KubeObject[] = [];
  readonly asked = new Map<string, ListOptions>();
  readonly #streams = new Map<string, ReadableStreamDefaultController<WatchEvent<KubeObject>>>();
  error: KubeError | undefined;

  async list<T extends KubeObject>({ kind }: Kind<T>, options: ListOptions): Promise<ListPage<T>> {
    this.asked.set(kind, options);
    if (this.error) throw this.error;
    const items = this.held.filter((object) => object.kind === kind) as unknown as T[];
    return { items, resourceVersion: "1", continueToken: undefined };
  }

  watch<T extends KubeObject>({ kind }: Kind<T>, { signal }: WatchOptions): AsyncIterable<WatchEvent<T>> {
    const stream = new ReadableStream<WatchEvent<KubeObject>>({
      start: (controller) => {
        this.#streams.set(kind, controller);
        signal.addEventListener("abort", () => controller.close(), { once: true });
      },
    });
    return stream as unknown as AsyncIterable<WatchEvent<T>>;
  }

  async send(type: "ADDED" | "MODIFIED" | "DELETED", object: KubeObject): Promise<void> {
    this.#streams.get(object.kind)?.enqueue({ type, object });
    await settle();
  }
}

let api: ListedApi;
let changes: string[];
let pods: string[];
let lines: string[];
let stop: AbortController;

beforeEach(() => {
  api = new ListedApi();
  [changes, pods, lines] = [[], [], []];
  stop = new AbortController();
});

/** Watches that have read everything, unless the server refused. */
async function watching(over: Partial<WatchesDependencies> = {}) {
  const log = {
    warn: (_: object, text: string) => lines.push(text),
    error: (_: object, text: string) => lines.push(text),
  };
  const watches = new Watches({
    api: api as unknown as KubeApi,
    clock: new VirtualClock(),
    random: fixedRandom(0),
    log: log as unknown as Logger,
    namespace: undefined,
    onChange: (key) => changes.push(key),
    onPod: ({ metadata }, isGone) => pods.push(`${metadata.name}${isGone ? " is gone" : ""}`),
    ...over,
  });
  const ended = watches.run(stop.signal);
  await settle();
  return { watches, ended };
}

let version = 10;
const pod = (name: string, own: Record<string, string>, over: Partial<Pod["metadata"]> = {}): Pod => {
  version += 1;
  const metadata = { name, namespace: "rollup", uid: `uid-of-${name}`, resourceVersion: String(version) };
  return { apiVersion: "v1", kind: "Pod", metadata: { ...metadata, labels: own, ...over } };
};
const ofSeq = { [labels.cluster]: "seq", [labels.managedBy]: MANAGED_BY };

test("every cluster is watched, and of all other kinds only what this operator made", async () => {
  await watching();
  const asked = [...api.asked].map(([kind, { labelSelector }]) => `${kind} ${labelSelector ?? "all"}`);
  const made = "app.kubernetes.io/managed-by=evnode-operator";
  expect(asked.sort()).toEqual([
    "EvNodeCluster all",
    `NetworkPolicy ${made}`,
    `PersistentVolumeClaim ${made}`,
    `Pod ${made}`,
    `PodDisruptionBudget ${made}`,
    `Service ${made}`,
    `ServiceAccount ${made}`,
    `StatefulSet ${made}`,
  ]);
});

test.each([undefined, "rollup"])("they are of the namespace that was asked for: %s", async (namespace) => {
  await watching({ namespace });
  expect([...api.asked.values()].map((options) => options.namespace)).toEqual(Array(8).fill(namespace));
});

describe("a cluster is looked at", () => {
  test("when it is there at the start, or changes, or goes", async () => {
    api.held.push(cluster());
    await watching();
    expect(changes).toEqual(["rollup/seq"]);
    await api.send("MODIFIED", cluster({ metadata: { resourceVersion: "8", generation: 2 } }));
    await api.send("DELETED", cluster({ metadata: { resourceVersion: "9" } }));
    expect(changes).toEqual(["rollup/seq", "rollup/seq", "rollup/seq"]);
  });

  test("not when its status alone changes, which is its own operator's word", async () => {
    const seen = (resourceVersion: string, over: object) =>
      cluster({ metadata: { resourceVersion, generation: 1, ...over } });
    api.held.push(seen("7", {}));
    await watching();
    await api.send("MODIFIED", { ...seen("8", {}), status: { phase: "Running" } } as KubeObject);
    expect(changes).toEqual(["rollup/seq"]);
    await api.send("MODIFIED", seen("9", { annotations: { a: "b" } }));
    await api.send("MODIFIED", seen("10", { annotations: { a: "b" }, generation: 2 }));
    await api.send("MODIFIED", seen("11", { generation: 2, finalizers: ["x"] }));
    expect(changes).toHaveLength(4);
  });

  test("when something of it changes", async () => {
    await watching();
    await api.send("ADDED", pod("seq-0", ofSeq));
    expect(changes).toEqual(["rollup/seq"]);
  });

  test("when somebody takes its label off something of it, or gives it another", async () => {
    api.held.push(pod("seq-0", ofSeq));
    await watching();
    changes.length = 0;
    await api.send("MODIFIED", pod("seq-0", { ...ofSeq, [labels.cluster]: "other" }));
    expect(changes.sort()).toEqual(["rollup/other", "rollup/seq"]);
    changes.length = 0;
    await api.send("MODIFIED", pod("seq-0", { [labels.managedBy]: MANAGED_BY }));
    expect(changes).toEqual(["rollup/other"]);
  });

  test("not for what belongs to no cluster", async () => {
    await watching();
    await api.send("ADDED", pod("lone", { [labels.managedBy]: MANAGED_BY }));
    expect(changes).toEqual([]);
  });
});

test("pods are told of, that they are there and that they are gone; other objects are not", async () => {
  api.held.push(pod("seq-0", ofSeq), cluster());
  await watching();
  await api.send("DELETED", pod("seq-0", ofSeq));
  expect(pods).toEqual(["seq-0", "seq-0 is gone"]);
});

test("what is kept of an object is without the bulk of its managed fields", async () => {
  const managedFields = [{ manager: MANAGED_BY }];
  api.held.push(pod("seq-0", ofSeq, { managedFields }));
  const { watches } = await watching();
  expect(watches.all(kinds.pod).map(({ metadata }) => metadata.managedFields)).toEqual([undefined]);
  expect(watches.all(kinds.service)).toEqual([]);
});

test("everything was delivered once every kind was listed, and the watches end with their signal", async () => {
  const { watches, ended } = await watching();
  expect(watches.hasSynced).toBe(true);
  await watches.synced();
  stop.abort(new Error("the operator stops"));
  await ended;
});

test("until then nothing counts as delivered, and what failed is told", async () => {
  api.error = new KubeError("Forbidden", "cannot list");
  const { watches } = await watching();
  expect(watches.hasSynced).toBe(false);
  expect(lines).toEqual(Array(8).fill("watch failed"));
});

test("a listener that throws is told of, and disturbs no watch", async () => {
  const onPod = () => {
    throw new Error("a bug");
  };
  const { watches } = await watching({ onPod });
  await api.send("ADDED", pod("seq-0", ofSeq));
  expect(lines).toEqual(["a watch listener failed"]);
  expect(watches.all(kinds.pod).map(({ metadata }) => metadata.name)).toEqual(["seq-0"]);
});
