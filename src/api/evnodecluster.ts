import type * as z from "zod";
import type { KubeObject } from "../model/kube-object.ts";
import type { spec } from "./schema/spec.ts";
import type { status } from "./schema/status.ts";

/** Objects from the API are never changed in place. */
type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T;

/** The spec as the user wrote it: every field that has a default may be absent. */
export type Spec = DeepReadonly<z.output<typeof spec>>;
export type Status = DeepReadonly<z.output<typeof status>>;
export type MemberStatus = NonNullable<Status["members"]>[number];
export type Condition = NonNullable<Status["conditions"]>[number];
export type Phase = NonNullable<Status["phase"]>;
export type Quorum = NonNullable<Status["quorum"]>;

export interface EvNodeCluster extends KubeObject {
  readonly spec: Spec;
  readonly status?: Status;
}
