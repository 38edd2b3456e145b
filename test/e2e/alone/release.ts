import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { command } from "../../../hack/local-cluster/command.ts";
import type { KubeObject } from "../../../src/model/kube-object.ts";
import { operatorName, operatorNamespace } from "../harness/operator-names.ts";
import type { World } from "../harness/world.ts";
import { keepLogs } from "./operator.ts";

const CHART = join(import.meta.dirname, "../../../helm");
const TIMEOUT_MS = 240_000;

export type Values = Readonly<Record<string, unknown>>;

/** A release of Helm. What installs and changes ends as `--wait` does: when all that it made is as it should be. */
export interface Release {
  install(values?: Values, chart?: string): Promise<void>;
  /** With these values and no others, but for the chart's own; a release that is not there is installed. */
  upgrade(values?: Values, chart?: string): Promise<void>;
  rollBack(revision: number): Promise<void>;
  uninstall(): Promise<void>;
  /** What was set at the last installation or upgrade. */
  values(): Promise<Values>;
  revision(): Promise<number>;
}

/** `chart` is a folder, for installations and upgrades that name none. */
export function releaseOf(world: World, name: string, namespace: string, chart = CHART): Release {
  const { helm, kubeconfig } = world.environment;
  const run = (args: readonly string[], input?: string) =>
    command(helm, [...args, "--namespace", namespace], {
      env: { KUBECONFIG: kubeconfig },
      timeoutMs: TIMEOUT_MS,
      ...(input === undefined ? {} : { input }),
    });
  /** Who scales a Deployment by hand owns its number of replicas from then on, as other tests do: Helm 4 then refuses. */
  const owns = async () => {
    const version = await command(helm, ["version", "--template={{.Version}}"]);
    return version.startsWith("v3") ? [] : ["--force-conflicts"];
  };
  const waits = ["--wait", `--timeout=${TIMEOUT_MS / 1_000 - 10}s`];
  const apply = async (verb: string, values: Values, folder: string, more: readonly string[] = []) => {
    await run([verb, name, folder, "--values", "-", ...waits, ...more], JSON.stringify(values));
  };
  return {
    install: (values = {}, folder = chart) => apply("install", values, folder),
    async upgrade(values = {}, folder = chart) {
      await apply("upgrade", values, folder, ["--install", ...(await owns())]);
    },
    async rollBack(revision) {
      await run(["rollback", name, String(revision), ...waits, ...(await owns())]);
    },
    async uninstall() {
      await run(["uninstall", name, ...waits]);
    },
    async values() {
      return (JSON.parse(await run(["get", "values", name, "--output", "json"])) as Values | null) ?? {};
    },
    async revision() {
      return (JSON.parse(await run(["status", name, "--output", "json"])) as { version: number }).version;
    },
  };
}

/**
 * Lends the tests of a file the installed operator as a release that they may change, or take away, and puts it back
 * afterwards as it was found.
 */
export function useInstalled(
  world: () => World,
): () => { readonly operator: Release; readonly values: Values } {
  let found: { readonly operator: Release; readonly values: Values } | undefined;
  beforeAll(async () => {
    const operator = releaseOf(world(), operatorName, operatorNamespace);
    await keepLogs(world());
    found = { operator, values: await operator.values() };
  });
  afterAll(async () => {
    if (!found) return;
    await keepLogs(world());
    await found.operator.upgrade(found.values);
  });
  return () => {
    if (!found) throw new Error("the release of the operator was not found yet");
    return found;
  };
}

/** Runs a part with a copy of the operator's chart that may be edited; the copy is gone afterwards. */
export async function withChartCopy(part: (folder: string) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    await cp(CHART, folder, { recursive: true });
    await part(folder);
  });
}

/** Runs a part with the folder of a chart that is for `hold` to fill. */
export async function withEmptyChart(part: (folder: string) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    await mkdir(join(folder, "templates"));
    await writeFile(join(folder, "Chart.yaml"), "apiVersion: v2\nname: chain\nversion: 0.1.0\n");
    await part(folder);
  });
}

/** From now on the chart consists of this object. */
export async function hold(folder: string, object: KubeObject): Promise<void> {
  await writeFile(join(folder, "templates/object.yaml"), JSON.stringify(object));
}

export async function withFolder<T>(part: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "e2e-release-"));
  try {
    return await part(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Edits a file of a chart; what is to be replaced has to be there, once. */
export async function editFile(file: string, before: string | RegExp, after: string): Promise<void> {
  const text = await readFile(file, "utf8");
  const parts = text.split(before);
  if (parts.length !== 2)
    throw new Error(`${String(before)} is ${parts.length - 1} times in ${file}, not once`);
  await writeFile(file, parts.join(after));
}
