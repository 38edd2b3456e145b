import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { z } from "zod";
import { packageVersion, requireBanner } from "./bundle.ts";
import { type BundledPackage, bundledPackages, noticesOf } from "./bundled-packages.ts";

const root = join(import.meta.dirname, "..");

/** What the plugin must never load: it is a client beside the operator, not a part of it. */
const keptFromPlugin = [
  "src/plan/",
  "src/act/",
  "src/observe/",
  "src/agent/",
  "src/resources/",
  "node_modules/pino/",
];

/** What an older Node.js says instead names a line of this bundle, and not what is wrong. */
function nodeBanner(): string {
  const [, major = "", minor = ""] = /^>=(\d+)\.(\d+)$/.exec(enginesNode()) ?? [];
  return `{ const [major, minor] = process.versions.node.split(".").map(Number);
if (major < ${major} || (major === ${major} && minor < ${minor})) {
  console.error("error: kubectl evnode wants Node.js ${major}.${minor} or newer, found " + process.versions.node);
  console.error("It takes the first node in your PATH: https://nodejs.org");
  process.exit(1);
} }`;
}

function enginesNode(): string {
  const text = readFileSync(join(root, "package.json"), "utf8");
  return z.object({ engines: z.object({ node: z.string() }) }).parse(JSON.parse(text)).engines.node;
}

export interface PluginBundle {
  readonly file: string;
  readonly packages: readonly BundledPackage[];
}

/**
 * Writes the kubectl plugin into `folder` as one file that runs wherever Node.js is, with the licences of the packages
 * in it at its end. The same sources give the same bytes.
 */
export async function bundlePlugin(folder = join(root, "dist")): Promise<PluginBundle> {
  const { metafile, outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: ["src/kubectl-evnode.ts"],
    outdir: folder,
    bundle: true,
    write: false,
    format: "esm",
    platform: "node",
    target: "node24",
    minifySyntax: true,
    legalComments: "none",
    metafile: true,
    logLevel: "warning",
    define: { EVNODE_OPERATOR_VERSION: JSON.stringify(packageVersion()) },
    banner: { js: `#!/usr/bin/env node\n${nodeBanner()}\n${requireBanner}` },
  });
  const inputs = Object.keys(metafile.inputs);
  const refused = inputs.filter((input) => keptFromPlugin.some((prefix) => input.startsWith(prefix)));
  if (refused.length > 0)
    throw new Error(
      `the plugin would load ${refused.slice(0, 5).join(", ")}; expected nothing of the operator`,
    );
  const [output] = outputFiles;
  if (output === undefined) throw new Error("the plugin has no output");
  const file = join(folder, "kubectl-evnode");
  const packages = bundledPackages(metafile);
  const notices = noticesOf(packages).replaceAll("*/", "* /");
  writeFileSync(file, `${output.text}\n/*\n${notices}\n*/\n`);
  chmodSync(file, 0o755);
  return { file, packages };
}
