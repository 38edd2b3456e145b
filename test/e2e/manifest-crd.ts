import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { type Answer, kubectl } from "./kubectl.ts";

const crdFile = join(import.meta.dirname, "../../crds/evnode.dev_evnodeclusters.yaml");

export interface TestResource {
  readonly apiVersion: string;
  /** The name for kubectl, such as `manifests.0a1b2c3d.manifests.test`. */
  readonly resource: string;
  readonly remove: () => void;
}

/** Not those of the real resource: other files ask kubectl for that one at the same time, and do not name its group. */
const names = { plural: "manifests", singular: "manifest", shortNames: [], categories: [] };

/**
 * Installs the CRD under an API group and names of its own. The API server judges its objects by the same schema and
 * rules, but no operator acts on them, and the installed CRD stays as it is.
 */
export function installTestResource(): TestResource {
  const group = `${randomBytes(4).toString("hex")}.manifests.test`;
  const crd = parse(readFileSync(crdFile, "utf8")) as { spec: { names: { kind: string; listKind: string } } };
  const resource = `${names.plural}.${group}`;
  const spec = { ...crd.spec, group, names: { ...crd.spec.names, ...names } };
  must(kubectl(["create", "-f", "-"], { ...crd, metadata: { name: resource }, spec }));
  const remove = () => must(kubectl(["delete", "crd", resource, "--timeout=120s"]));
  const established = waitEstablished(resource);
  if (!established.ok) {
    remove();
    throw new Error(established.text);
  }
  return { apiVersion: `${group}/v1alpha1`, resource, remove };
}

/** `kubectl wait` gives up at once on a CRD that has no conditions yet, as it is in its first moments. */
function waitEstablished(resource: string, attempts = 50): Answer {
  const answer = kubectl(["wait", "--for=condition=Established", `crd/${resource}`, "--timeout=60s"]);
  const isTooEarly = answer.text.includes(".status.conditions accessor error");
  return isTooEarly && attempts > 1 ? waitEstablished(resource, attempts - 1) : answer;
}

function must({ ok, text }: Answer): void {
  if (!ok) throw new Error(text);
}
