import type { Preconditions } from "../../src/kube/api.ts";
import type { KubeError } from "../../src/kube/errors.ts";

export type Verb =
  | "get"
  | "list"
  | "watch"
  | "create"
  | "replace"
  | "replaceStatus"
  | "patch"
  | "delete"
  | "evict";

/** One request of a client, as its faults and whoever keeps a record see it. */
export interface Request {
  readonly client: string;
  /** On the clock of the simulation; it arrives later. */
  readonly sentAtMs: number;
  readonly verb: Verb;
  readonly kind: string;
  readonly namespace: string | undefined;
  /** Absent for lists and watches. */
  readonly name: string | undefined;
  /** The object or the patch, or the options. */
  readonly body: unknown;
  readonly preconditions: Preconditions | undefined;
}

/** What a client hears instead of the answer; later than the answer would have come, if that is said. */
export interface Fault {
  readonly error: KubeError;
  readonly afterMs?: number;
}

export interface Faults {
  /** Asked when a request arrives. A fault means that nothing is carried out. */
  before?(request: Request): Fault | undefined;
  /** Asked when a request was carried out or refused. A fault means that the answer is lost. */
  after?(request: Request, isCarriedOut: boolean): Fault | undefined;
}
