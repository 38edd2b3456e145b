import type * as z from "zod";
import type { KubeObject } from "../model/kube-object.ts";
import type { CompleteSpec } from "./complete-spec.ts";
import { completeSpec, isKnownDefaultsVersion } from "./defaults.ts";
import type { EvNodeCluster, Spec } from "./evnodecluster.ts";
import { fieldPath } from "./field-path.ts";
import { type MembershipPolicy, membershipPolicy } from "./membership-policy.ts";
import { type MigrationPolicy, migrationPolicy } from "./migration-policy.ts";
import { type RepairPolicy, repairPolicy } from "./repair-policy.ts";
import { type RolloutPolicy, rolloutPolicy } from "./rollout-policy.ts";
import { clusterSchema } from "./schema.ts";

/** The most problems that are told at once. */
const MAX_PROBLEMS = 20;

export type Parsed =
  | {
      readonly kind: "valid";
      readonly cluster: EvNodeCluster;
      readonly spec: CompleteSpec;
      readonly rollout: RolloutPolicy;
      readonly repair: RepairPolicy;
      readonly membership: MembershipPolicy;
      readonly migration: MigrationPolicy | undefined;
      /** Whether no member is to run. */
      readonly suspend: boolean;
    }
  | { readonly kind: "invalid"; readonly problems: readonly string[] };

/**
 * Reads an object from the API: the schema and all rules that look at one object alone are checked again, because
 * the CRD in the Kubernetes cluster may be of another version. Fields that this version does not know are dropped.
 */
export function parseCluster(object: KubeObject, defaultsVersion: number): Parsed {
  if (!isKnownDefaultsVersion(defaultsVersion)) {
    const problem = `spec: The cluster was created with version ${defaultsVersion} of the defaults, which this operator does not know; run the operator that created it, or a newer one.`;
    return { kind: "invalid", problems: [problem] };
  }
  // The status is this operator's own product and may be of another version; it must not stand in the way.
  const { status, ...given } = object as EvNodeCluster;
  const result = clusterSchema.safeParse(given);
  if (!result.success) return { kind: "invalid", problems: describe(result.error) };
  const spec: Spec = result.data.spec;
  return {
    kind: "valid",
    cluster: { ...given, spec, ...(status === undefined ? {} : { status }) },
    spec: completeSpec(spec, defaultsVersion),
    rollout: rolloutPolicy(spec),
    repair: repairPolicy(spec),
    membership: membershipPolicy(spec),
    migration: migrationPolicy(spec),
    suspend: spec.suspend ?? false,
  };
}

function describe(error: z.ZodError): readonly string[] {
  return error.issues.slice(0, MAX_PROBLEMS).map(({ path, message }) => `${fieldPath(path)}: ${message}`);
}
