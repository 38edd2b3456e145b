import { isDeepStrictEqual } from "node:util";
import { kinds } from "../../src/model/kinds.ts";
import type { KubeObject } from "../../src/model/kube-object.ts";
import type { Cause } from "./refused.ts";
import { without } from "./without.ts";

type Fields = Readonly<Record<string, unknown>>;

/** What a write may not change in an object of this kind, beside its metadata. */
export function immutableFieldProblems(current: KubeObject, wanted: KubeObject): readonly Cause[] {
  switch (current.kind) {
    case kinds.secret.kind:
    case kinds.configMap.kind:
      return frozenDataProblems(fieldsOf(current), fieldsOf(wanted));
    case kinds.pod.kind:
      return specProblems(
        current,
        wanted,
        fixedInPods,
        "pod updates may not change fields other than images",
      );
    case kinds.statefulSet.kind:
      return specProblems(
        current,
        wanted,
        (spec) => without(spec, changeableInSets),
        `updates to statefulset spec for fields other than ${changeableInSets.join(", ")} are forbidden`,
      );
    case kinds.controllerRevision.kind:
      return frozenRevisionProblems(fieldsOf(current), fieldsOf(wanted));
    case kinds.claim.kind:
      return specProblems(current, wanted, fixedInClaims, "spec is immutable after creation");
    default:
      return [];
  }
}

/** An immutable Secret or ConfigMap stays what it is, and stays immutable. Its metadata is free. */
function frozenDataProblems(current: Fields, wanted: Fields): readonly Cause[] {
  if (current["immutable"] !== true) return [];
  return ["immutable", "data", "binaryData"]
    .filter((field) => !isDeepStrictEqual(current[field], wanted[field]))
    .map((field) => forbidden(field, "field is immutable when `immutable` is set"));
}

/** What a revision holds is for ever; its number is not. */
function frozenRevisionProblems({ data: before }: Fields, { data: after }: Fields): readonly Cause[] {
  if (isDeepStrictEqual(before, after)) return [];
  return [{ field: "data", reason: "FieldValueInvalid", message: "Invalid value: field is immutable" }];
}

function specProblems(
  current: KubeObject,
  wanted: KubeObject,
  fixed: (spec: Fields) => unknown,
  message: string,
): readonly Cause[] {
  const [before, after] = [current, wanted].map((object) => fixed(specOf(object)));
  return isDeepStrictEqual(before, after) ? [] : [forbidden("spec", message)];
}

/** Images, and what tells the scheduler where the pod may go and kubelet when it has to end. */
function fixedInPods(spec: Fields): unknown {
  const fixed = without(spec, ["tolerations", "schedulingGates", "activeDeadlineSeconds"]);
  const { containers, initContainers } = spec;
  return { ...fixed, containers: imageless(containers), initContainers: imageless(initContainers) };
}

function imageless(containers: unknown): unknown {
  if (!Array.isArray(containers)) return containers;
  return containers.map((container) => without(container as Fields, ["image"]));
}

const changeableInSets = [
  "replicas",
  "ordinals",
  "template",
  "updateStrategy",
  "revisionHistoryLimit",
  "persistentVolumeClaimRetentionPolicy",
  "minReadySeconds",
];

/** A claim is bound once, and may grow. */
function fixedInClaims(spec: Fields): unknown {
  const resources = without((spec["resources"] ?? {}) as Fields, ["requests"]);
  return { ...without(spec, ["volumeName"]), resources };
}

function forbidden(field: string, message: string): Cause {
  return { field, reason: "FieldValueForbidden", message: `Forbidden: ${message}` };
}

function specOf(object: KubeObject): Fields {
  return (fieldsOf(object)["spec"] ?? {}) as Fields;
}

function fieldsOf(object: KubeObject): Fields {
  return object as unknown as Fields;
}
