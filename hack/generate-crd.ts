import { stringify } from "yaml";
import { printerColumns, resource } from "../src/api/resource.ts";
import { spec } from "../src/api/schema/spec.ts";
import { NOT_LOOKED_AT, status } from "../src/api/schema/status.ts";
import { clusterSchema } from "../src/api/schema.ts";
import { kubernetesSchema, type SchemaNode } from "./generate-schema.ts";

export const GENERATED = "Generated from src/api by hack/generate.ts; do not edit.";

/**
 * Read where no status was written yet. For kstatus an object without one is as it should be, so that Helm's `--wait`
 * and Flux would go on before the operator had looked at it.
 */
const beforeTheFirstLook = { observedGeneration: NOT_LOOKED_AT };

/** The schema of the whole object. Kubernetes has its own for apiVersion, kind and metadata. */
export function objectSchema(): SchemaNode {
  const root = clusterSchema.meta() ?? {};
  return {
    description: root.description ?? "",
    type: "object",
    required: ["spec"],
    properties: {
      apiVersion: { description: "Version of the API that this object is written in.", type: "string" },
      kind: { description: "Kind of the object.", type: "string" },
      metadata: { type: "object" },
      spec: kubernetesSchema(spec, "spec"),
      status: { ...kubernetesSchema(status, "status"), default: beforeTheFirstLook },
    },
    "x-kubernetes-validations": root["x-kubernetes-validations"] as NonNullable<
      SchemaNode["x-kubernetes-validations"]
    >,
  };
}

function customResourceDefinition(annotations?: Readonly<Record<string, string>>): object {
  const { group, version, kind, listKind, plural, singular, shortNames, categories } = resource;
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${group}`, ...(annotations && { annotations }) },
    spec: {
      group,
      names: { kind, listKind, plural, singular, shortNames, categories },
      scope: "Namespaced",
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          additionalPrinterColumns: printerColumns,
          subresources: { status: {} },
          schema: { openAPIV3Schema: objectSchema() },
        },
      ],
    },
  };
}

export function crdManifest(): string {
  return `# ${GENERATED}\n${toYaml(customResourceDefinition())}`;
}

/** The same as a template of the Helm chart. Uninstalling the chart keeps it, and with it every cluster. */
export function crdTemplate(): string {
  const yaml = toYaml(customResourceDefinition({ "helm.sh/resource-policy": "keep" }));
  const escaped = yaml.replaceAll("{{", '{{ "{{" }}');
  return `{{- /* ${GENERATED} */ -}}\n{{- if .Values.crds.install }}\n${escaped}{{- end }}\n`;
}

function toYaml(value: object): string {
  return stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });
}
