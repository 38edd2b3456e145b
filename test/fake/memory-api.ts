import type { KubeError } from "../../src/kube/errors.ts";
import { Store } from "../../src/kube/store.ts";
import { labels, MANAGED_BY } from "../../src/model/annotations.ts";
import { type Kind, kinds } from "../../src/model/kinds.ts";
import type { KubeObject, ObjectRef } from "../../src/model/kube-object.ts";
import type { Clock } from "../../src/runtime/clock.ts";
import { namespaceKind } from "../namespace-kind.ts";
import { seededRandom } from "../runtime/seeded-random.ts";
import { VirtualClock } from "../runtime/virtual-clock.ts";
import type { Request as ClientRequest, Fault, Faults } from "../sim/faults.ts";
import { kindOf } from "../sim/kind-rules.ts";
import { SimulatedClient } from "../sim/simulated-client.ts";
import { SimulatedServer } from "../sim/simulated-server.ts";
import type { VersionedStore } from "../sim/versioned-store.ts";
import { wired } from "../sim/wire.ts";
import { without } from "../sim/without.ts";

/** One request that reached the server, with what it carried. */
export type Request = Omit<ClientRequest, "client">;

const watchedKinds = [
  kinds.cluster,
  kinds.statefulSet,
  kinds.pod,
  kinds.claim,
  kinds.service,
  kinds.serviceAccount,
  kinds.networkPolicy,
  kinds.disruptionBudget,
];

/**
 * The simulated server as one test sees it: objects are put there past all rules, every request is kept, and what the
 * watches show is brought up to date by `deliver` alone, so that a test decides how far they lag.
 */
export class MemoryApi extends SimulatedClient {
  readonly requests: Request[] = [];
  readonly caches = new Map(
    watchedKinds.map(({ kind }) => [
      kind,
      new Store<KubeObject>({ label: labels.cluster, onListenerError: raise }),
    ]),
  );
  /** Asked before every request: an error that it returns is the answer. */
  fault: (request: Request) => KubeError | undefined = () => undefined;
  readonly #store: VersionedStore;

  constructor(clock: Clock = new VirtualClock()) {
    const server = new SimulatedServer({ clock, random: seededRandom(1) });
    const faults: Faults = {};
    super(server, { name: "operator", faults });
    faults.before = (request) => this.#receive(request);
    this.#store = server.registry.store;
  }

  /** Puts an object there, or another version of it, as somebody else would. */
  put<T extends KubeObject>(object: T): T {
    const { kind, metadata } = object;
    const known = this.#store.get(kindOf(object), metadata);
    const uid = known?.metadata.uid ?? `uid-${kind}-${metadata.name}-${this.#store.version}`;
    return this.#store.put(wired({ ...object, metadata: { uid, ...metadata } }));
  }

  remove(kind: Kind<KubeObject>, ref: ObjectRef): void {
    if (this.held(kind, ref) !== undefined) this.#store.remove(kind, ref);
  }

  /** What the server holds, past all requests. */
  held<T extends KubeObject>(kind: Kind<T>, ref: ObjectRef): T | undefined {
    return this.#store.get(kind, ref);
  }

  /** In the order in which they were last written. */
  all(): KubeObject[] {
    const version = ({ metadata }: KubeObject) => Number(metadata.resourceVersion);
    const objects = this.#store.everything().filter(({ kind }) => kind !== namespaceKind.kind);
    return objects.sort((a, b) => version(a) - version(b));
  }

  /** Shows the watches everything that they select. */
  deliver(): void {
    for (const [kind, store] of this.caches) {
      store.replaceAll(this.all().filter((object) => object.kind === kind && isWatched(object)));
    }
  }

  /** The writes so far, in short, such as `create Service seq-rpc`. */
  get writes(): string[] {
    return this.requests
      .filter(({ verb }) => verb !== "get")
      .map(({ verb, kind, name }) => `${verb} ${kind} ${name}`);
  }

  /** The reads so far, in short. */
  get reads(): string[] {
    return this.requests.filter(({ verb }) => verb === "get").map(({ kind, name }) => `${kind} ${name}`);
  }

  #receive(asked: ClientRequest): Fault | undefined {
    const request = without(asked, ["client"]);
    this.requests.push(request);
    // Every namespace that is asked for is there.
    if (request.namespace !== undefined) this.#provideNamespace(request.namespace);
    const error = this.fault(request);
    return error && { error };
  }

  #provideNamespace(name: string): void {
    if (this.held(namespaceKind, { name }) === undefined)
      this.put({ apiVersion: "v1", kind: namespaceKind.kind, metadata: { name } });
  }
}

function isWatched({ kind, metadata }: KubeObject): boolean {
  return kind === kinds.cluster.kind || metadata.labels?.[labels.managedBy] === MANAGED_BY;
}

function raise(error: unknown): never {
  throw error;
}
