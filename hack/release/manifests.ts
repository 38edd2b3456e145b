import { type Document, isMap, parseAllDocuments } from "yaml";
import { command } from "../local-cluster/command.ts";

const release = { name: "evnode-operator", namespace: "evnode-system" } as const;

const HEAD = `# evnode-operator without Helm: its namespace and what the chart makes with its default values.
# docs/install.md says how to apply, upgrade and remove it. Never delete this file's objects as a whole:
# with the CustomResourceDefinition goes every EvNodeCluster, and with the namespace go the locks of all chains.
`;
const namespace = `apiVersion: v1
kind: Namespace
metadata:
  name: ${release.namespace}
`;

/** Says that Helm looks after an object; nobody does after one that was applied by hand. */
const ofHelm = [
  ["metadata", "labels", "helm.sh/chart"],
  ["metadata", "labels", "app.kubernetes.io/managed-by"],
  ["metadata", "annotations", "helm.sh/resource-policy"],
  ["spec", "template", "metadata", "labels", "helm.sh/chart"],
  ["spec", "template", "metadata", "labels", "app.kubernetes.io/managed-by"],
] as const;

/** What `kubectl apply` installs: the chart's objects, without what Helm notes on them, and the namespace. */
export async function manifests(helm: string, chartFolder: string): Promise<string> {
  const rendered = await command(
    helm,
    ["template", release.name, chartFolder, "--namespace", release.namespace],
    // No cluster has a say in what is released.
    { env: { KUBECONFIG: "none" } },
  );
  // Without Helm's notes of the template that each object is from.
  const documents = parseAllDocuments(rendered.replaceAll(/^# Source: .*\n/gm, ""));
  if (!Array.isArray(documents)) throw new Error(`the chart ${chartFolder} renders nothing`);
  const objects = documents.flatMap((document) => {
    if (document.errors[0] !== undefined) throw document.errors[0];
    return document.contents === null ? [] : [withoutHelm(document)];
  });
  return [HEAD + namespace, ...objects].join("---\n");
}

function withoutHelm(document: Document): string {
  for (const path of ofHelm) if (document.hasIn(path)) document.deleteIn(path);
  const annotations = document.getIn(["metadata", "annotations"]);
  if (isMap(annotations) && annotations.items.length === 0) document.deleteIn(["metadata", "annotations"]);
  return document.toString({ lineWidth: 0, directives: false, flowCollectionPadding: false });
}
