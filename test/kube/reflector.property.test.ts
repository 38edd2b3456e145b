import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { KubeApi } from "../../src/kube/api.ts";
import { KubeError } from "../../src/kube/errors.ts";
import { Reflector } from "../../src/kube/reflector.ts";
import { Store } from "../../src/kube/store.ts";
import { kinds } from "../../src/model/kinds.ts";
import type { Pod } from "../../src/model/objects.ts";
import { gatedPod } from "../conformance/objects.ts";
import { namespaceKind } from "../namespace-kind.ts";
import { seededRandom } from "../runtime/seeded-random.ts";
import { VirtualClock } from "../runtime/virtual-clock.ts";
import type { Fault, Request } from "../sim/faults.ts";
import type { Registry } from "../sim/registry.ts";
import type { SimulatedClient } from "../sim/simulated-client.ts";
import { SimulatedServer } from "../sim/simulated-server.ts";

const namespace = "default";

/** A server with faults on demand, and the reflector's client of it. */
class FaultyServer {
  readonly clock = new VirtualClock();
  /** The next lists fail. */
  listFaults = 0;
  readonly client: SimulatedClient;
  readonly registry: Registry;
  #writes = 0;

  constructor(seed: number) {
    const random = seededRandom(seed);
    const watchLagMs = () => (random.next() < 0.5 ? 0 : random.next() * 5_000);
    const server = new SimulatedServer({ clock: this.clock, random, watchLagMs });
    const faults = { before: ({ verb }: Request) => (verb === "list" ? this.#listFault() : undefined) };
    this.client = server.client({ name: "reflector", faults });
    this.registry = server.registry;
    this.registry.create(namespaceKind, {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: namespace },
    });
  }

  /** Pages of two, so that most lists have several. */
  get api(): Pick<KubeApi, "list" | "watch"> {
    const { client } = this;
    return {
      list: (kind, options) => client.list(kind, { ...options, limit: 2 }),
      watch: (kind, options) => client.watch(kind, options),
    };
  }

  put(name: string): void {
    const { registry } = this;
    const written = { "example.com/write": String(this.#writes++) };
    const pod = gatedPod(namespace, name);
    const known = registry.get(kinds.pod, pod.metadata);
    if (known === undefined) registry.create(kinds.pod, pod);
    else registry.patch(kinds.pod, pod.metadata, { metadata: { annotations: written } });
  }

  remove(name: string): void {
    const ref = { namespace, name };
    if (this.registry.get(kinds.pod, ref) !== undefined) this.registry.delete(kinds.pod, ref);
  }

  #listFault(): Fault | undefined {
    if (this.listFaults === 0) return undefined;
    this.listFaults -= 1;
    return { error: new KubeError("Unavailable", "scripted") };
  }
}

type Step = (server: FaultyServer) => unknown;

const name = fc.constantFrom("a", "b", "c", "d", "e");
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: name.map(
      (key): Step =>
        (server) =>
          server.put(key),
    ),
  },
  {
    weight: 3,
    arbitrary: name.map(
      (key): Step =>
        (server) =>
          server.remove(key),
    ),
  },
  { weight: 1, arbitrary: fc.constant<Step>((server) => server.registry.store.compact()) },
  {
    weight: 3,
    arbitrary: fc.constantFrom("closed" as const, "broken" as const, "mute" as const).map(
      (end): Step =>
        (server) =>
          server.client.endWatches(end),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 1, max: 4 }).map(
      (times): Step =>
        (server) =>
          (server.listFaults += times),
    ),
  },
  {
    weight: 4,
    arbitrary: fc.constantFrom(0, 500, 3_000, 40_000, 200_000).map(
      (ms): Step =>
        ({ clock }) =>
          clock.advance(ms),
    ),
  },
);

/** Follows the changes that are told, and refuses those that do not fit what was told before. */
function follower() {
  const known = new Map<string, Pod>();
  const store = new Store<Pod>({
    label: "cluster",
    onListenerError: (error) => {
      throw error;
    },
  });
  store.subscribe((change) => {
    const { name: key, uid } = change.object.metadata;
    const before = known.get(key);
    if ((change.kind === "added") !== (before === undefined))
      throw new Error(`${change.kind} ${key} out of turn`);
    if (before !== undefined && before.metadata.uid !== uid) throw new Error(`${key} became another object`);
    if (change.kind === "removed") known.delete(key);
    else known.set(key, change.object);
  });
  return { store, known };
}

describe("a reflector of a server with faults", () => {
  it("holds in the end what the server holds, and has told every change in turn", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60, size: "max" }), fc.integer(), async (steps, seed) => {
        const server = new FaultyServer(seed);
        const { clock, registry } = server;
        const { store, known } = follower();
        const stop = new AbortController();
        const ended = new Reflector<Pod>({
          api: server.api,
          kind: kinds.pod,
          store,
          clock,
          random: seededRandom(seed),
          onFailure: () => {},
        }).run(stop.signal);
        for (const run of steps) await run(server);
        // Many faults in a row, each with a longer wait after it, would outlast any end.
        server.listFaults = 0;
        // A mute stream is given up after 150 s; failing lists may follow.
        await clock.advance(600_000);
        const byName = (pods: Iterable<Pod>) => new Map([...pods].map((item) => [item.metadata.name, item]));
        expect(byName(store.all())).toEqual(byName(registry.store.all(kinds.pod)));
        expect(known).toEqual(byName(store.all()));
        stop.abort();
        await ended;
        expect(clock.pendingTimers).toBe(0);
      }),
      { numRuns: 150 },
    );
  });
});
