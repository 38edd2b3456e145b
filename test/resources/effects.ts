import { parse } from "yaml";
import type { Spec } from "../../src/api/evnodecluster.ts";
import { annotations } from "../../src/model/annotations.ts";
import type { KubeObject } from "../../src/model/kube-object.ts";
import { memberName } from "../../src/model/names.ts";
import type { StatefulSet } from "../../src/model/objects.ts";
import { surroundings, workload } from "../../src/resources/desired.ts";
import { rendered } from "./rendered.ts";

type Values = ReadonlyMap<string, unknown>;

/**
 * In what the objects of two specs differ: keys of the first member's evnode.yaml as `evnode.yaml <key>`, and else
 * the object, such as `pod template`, `volume claim` or `Service seq-rpc`. What follows from these, such as a digest of
 * the configs, is left out.
 */
export function effectsOf(before: Spec, after: Spec): readonly string[] {
  const [was, is] = [valuesOf(before), valuesOf(after)];
  const keys = new Set([...was.keys(), ...is.keys()]);
  const changed = [...keys].filter((key) => JSON.stringify(was.get(key)) !== JSON.stringify(is.get(key)));
  return changed.sort();
}

function valuesOf(spec: Spec): Values {
  const { authTokenSecret } = spec.da;
  const plans = rendered(spec, authTokenSecret && `token in ${authTokenSecret.name} ${authTokenSecret.key}`);
  const objects = [...surroundings(plans, new Map()), workload(plans)].map(({ object }) => object);
  const first = [...plans.texts].find(([entry]) => entry.startsWith(memberName(plans.name, 0)));
  return new Map([...configValues(first?.[1] ?? ""), ...objects.flatMap(objectValues)]);
}

function configValues(text: string): [string, unknown][] {
  return valuesBelow("evnode.yaml ", parse(text));
}

function valuesBelow(path: string, node: unknown): [string, unknown][] {
  if (typeof node !== "object" || node === null || Array.isArray(node)) return [[path, node]];
  const prefix = path.endsWith(" ") ? path : `${path}.`;
  return Object.entries(node).flatMap(([key, value]) => valuesBelow(`${prefix}${key}`, value));
}

function objectValues(object: KubeObject): [string, unknown][] {
  if (object.kind !== "StatefulSet") return [[`${object.kind} ${object.metadata.name}`, object]];
  const { template, volumeClaimTemplates, ...others } = (object as StatefulSet).spec ?? {};
  const { [annotations.configRevision]: _, ...notes } = template?.metadata?.annotations ?? {};
  return [
    ["pod template", { ...template, metadata: { ...template?.metadata, annotations: notes } }],
    ["volume claim", volumeClaimTemplates],
    ["StatefulSet", others],
  ];
}
