import type { KubeApi } from "../../src/kube/api.ts";
import { KubeError, type KubeErrorKind } from "../../src/kube/errors.ts";
import type { Lease } from "../../src/model/objects.ts";

type LeaseApi = Pick<KubeApi, "get" | "create" | "patch">;
/** "lost answer" carries the request out; "none" lets one pass. */
type Fault = KubeErrorKind | "hang" | "lost answer" | "none";

/** The part of an API server that a leader election needs: one Lease, optimistic locking, and faults on demand. */
export class LeaseServer {
  lease: Lease | undefined;
  writes = 0;
  /** Faults of the next requests, used up in order. */
  readonly faults: Fault[] = [];
  /** A fault of every request, until it is taken back. */
  outage: Fault | undefined;
  #version = 0;

  /** The view of one process; a cut one gets no answer any more, whatever the others get. */
  client(): { readonly api: LeaseApi; readonly cut: () => void } {
    let isCut = false;
    const through = <A>(run: () => A): Promise<A> => {
      const fault = isCut ? "hang" : (this.faults.shift() ?? this.outage);
      if (fault === undefined || fault === "none") return Promise.resolve().then(run);
      if (fault === "lost answer") run();
      if (fault === "lost answer" || fault === "hang") return new Promise(() => {});
      return Promise.reject(new KubeError(fault, `scripted ${fault}`));
    };
    const api = {
      get: () => through(() => this.lease),
      create: (_: unknown, lease: Lease) => through(() => this.#create(lease)),
      patch: (
        _: unknown,
        __: unknown,
        patch: Partial<Lease>,
        wanted: { uid: string; resourceVersion?: string },
      ) => through(() => this.#patch(patch, wanted)),
    };
    const cut = () => {
      isCut = true;
    };
    return { api: api as unknown as LeaseApi, cut };
  }

  get holder(): string | undefined {
    return this.lease?.spec?.holderIdentity;
  }

  delete(): void {
    this.lease = undefined;
  }

  #create(lease: Lease): Lease {
    if (this.lease !== undefined) throw new KubeError("AlreadyExists", "there is one");
    return this.#store({ ...lease, metadata: { ...lease.metadata, uid: `uid-${this.#version}` } });
  }

  #patch(patch: Partial<Lease>, wanted: { uid: string; resourceVersion?: string }): Lease {
    const { lease } = this;
    if (lease === undefined) throw new KubeError("NotFound", "there is none");
    if (lease.metadata.resourceVersion !== wanted.resourceVersion)
      throw new KubeError("Conflict", "modified");
    if (lease.metadata.uid !== wanted.uid) throw new KubeError("Invalid", "another uid");
    return this.#store({ ...lease, spec: { ...lease.spec, ...patch.spec } });
  }

  #store(lease: Lease): Lease {
    this.writes += 1;
    this.#version += 1;
    this.lease = { ...lease, metadata: { ...lease.metadata, resourceVersion: `${this.#version}` } };
    return this.lease;
  }
}
