/** Writes what is derived from the source: src/api, src/evnode, the table of metrics, Events. With --verify nothing is written; a stale file is an error. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { resource } from "../src/api/resource.ts";
import { conditionsPage } from "./generate-conditions.ts";
import { crdManifest, crdTemplate } from "./generate-crd.ts";
import { exitsPage } from "./generate-exits.ts";
import { metricsPage } from "./generate-metrics.ts";
import { reference } from "./generate-reference.ts";
import { settings } from "./generate-settings.ts";
import { valuesPage } from "./generate-values.ts";

const root = join(import.meta.dirname, "..");

const conditionSources = {
  runbook: readFileSync(join(root, "docs/runbook.md"), "utf8"),
  notices: readFileSync(join(root, "src/plan/notices.ts"), "utf8"),
};

const outputs: readonly { readonly path: string; readonly content: string }[] = [
  { path: `crds/${resource.group}_${resource.plural}.yaml`, content: crdManifest() },
  { path: "helm/templates/crd.yaml", content: crdTemplate() },
  { path: "docs/reference.md", content: reference() },
  { path: "docs/conditions.md", content: conditionsPage(conditionSources) },
  { path: "docs/settings.md", content: settings() },
  { path: "docs/exits.md", content: exitsPage() },
  { path: "docs/metrics.md", content: metricsPage() },
  { path: "docs/values.md", content: valuesPage() },
];

function current(path: string): string | undefined {
  try {
    return readFileSync(join(root, path), "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

const stale = outputs.filter(({ path, content }) => current(path) !== content);
if (process.argv.includes("--verify")) {
  for (const { path } of stale) console.error(`${path} is not what the source says; run npm run generate`);
  if (stale.length > 0) process.exitCode = 1;
} else {
  for (const { path, content } of stale) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
    console.log(`wrote ${path}`);
  }
}
