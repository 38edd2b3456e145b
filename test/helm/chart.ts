import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { helmPath } from "../../hack/local-cluster/helm.ts";
import { versions } from "../../hack/local-cluster/layout.ts";

export const chartFolder = join(import.meta.dirname, "../../helm");
export const release = { name: "evnode-operator", namespace: "evnode-system" } as const;

/** The helm to test with: named by HELM, fetched for the local cluster, or installed on the machine. */
export const helm = [process.env["HELM"], helmPath(), installed()].find(
  (path) => path !== undefined && existsSync(path),
);
/** The oldest helm that the chart is for, when it was fetched. */
export const oldestHelm = [helmPath(versions.oldestHelm)].find((path) => existsSync(path));
const withoutHelm = "there is no helm: install it, or run `npm run cluster -- up` once, which fetches it";
/** Behind the title of each suite: why it is skipped, when it is. */
export const skipped = helm === undefined ? ` (skipped: ${withoutHelm})` : "";

function installed(): string | undefined {
  const found = spawnSync("which", ["helm"], { encoding: "utf8" });
  return found.status === 0 ? found.stdout.trim() : undefined;
}

export interface Rendered {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}

/** Runs helm with no cluster to talk to; answers what it printed, or throws with what it refused. */
export function runHelm(...args: readonly string[]): string {
  return runThisHelm(helm, ...args);
}

function runThisHelm(program: string | undefined, ...args: readonly string[]): string {
  if (program === undefined) throw new Error(withoutHelm);
  return execFileSync(program, [...args], {
    encoding: "utf8",
    env: { ...process.env, KUBECONFIG: "none" },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

/** The chart's objects with the given values, each as `a.b=json`. */
export function render(...values: readonly string[]): readonly Rendered[] {
  return renderWith(helm, ...values);
}

export function renderWith(program: string | undefined, ...values: readonly string[]): readonly Rendered[] {
  const settings = values.flatMap((value) => ["--set-json", value]);
  const inNamespace = ["--namespace", release.namespace];
  const text = runThisHelm(program, "template", release.name, chartFolder, ...inNamespace, ...settings);
  return parseAllDocuments(text, { uniqueKeys: true }).flatMap((document) => {
    if ("errors" in document && document.errors.length > 0) throw document.errors[0];
    const object: Rendered | null = document.toJS();
    return object === null ? [] : [object];
  });
}

export function only(objects: readonly Rendered[], kind: string): Rendered {
  const found = objects.filter((object) => object.kind === kind);
  const [first] = found;
  if (first === undefined || found.length > 1)
    throw new Error(`the chart has ${found.length} ${kind}, expected 1`);
  return first;
}

/** The value at a path such as `spec.template.spec.containers.0.image`. */
export function at(object: unknown, path: string): unknown {
  return path.split(".").reduce((value: unknown, key) => {
    if (typeof value !== "object" || value === null) return undefined;
    return (value as Readonly<Record<string, unknown>>)[key];
  }, object);
}
