import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build, type Metafile, type Plugin } from "esbuild";
import { type BundledPackage, bundledPackages, noticesOf } from "./bundled-packages.ts";

const root = join(import.meta.dirname, "..");

const mainEntry = "src/main.ts";
const agentEntry = "src/agent/main.ts";
/** What a member's agent must never load: it runs beside every ev-node and has no business with Kubernetes. */
const keptFromAgent = [
  "node_modules/@kubernetes/",
  "node_modules/undici/",
  "node_modules/prom-client/",
  "src/kube/",
];
export const noticesFile = "THIRD-PARTY-NOTICES.txt";

/** Packages in CommonJS call require() for Node's own modules. */
export const requireBanner =
  'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);';

export interface Bundle {
  readonly folder: string;
  /** Paths in `folder`, sorted. */
  readonly files: readonly string[];
  readonly packages: readonly BundledPackage[];
  /** Bytes of code that a process of each kind loads. */
  readonly loadedBytes: { readonly operator: number; readonly agent: number };
}

export function packageVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  if (typeof manifest === "object" && manifest !== null && "version" in manifest)
    return String(manifest.version);
  throw new Error("package.json has no version");
}

/**
 * Writes the program into `folder` as ES modules: `main.js`, and in `chunks` what its subcommands load on demand.
 * The same sources give the same bytes. `edits` change sources on their way, for a test that needs another version of
 * the program.
 */
export async function bundle(folder = join(root, "dist"), edits: readonly Plugin[] = []): Promise<Bundle> {
  for (const stale of ["main.js", "chunks", noticesFile])
    rmSync(join(folder, stale), { recursive: true, force: true });
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [mainEntry],
    outdir: folder,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node24",
    chunkNames: "chunks/[name]-[hash]",
    minifySyntax: true,
    legalComments: "none",
    metafile: true,
    logLevel: "warning",
    define: { EVNODE_OPERATOR_VERSION: JSON.stringify(packageVersion()) },
    banner: { js: requireBanner },
    plugins: [...edits],
  });
  const agentOutput = outputOf(metafile, agentEntry);
  const operator = loadedFrom(metafile, outputOf(metafile, mainEntry), (path) => path !== agentOutput);
  const agent = loadedFrom(metafile, outputOf(metafile, mainEntry), (path) => path === agentOutput);
  refuseInAgent(metafile, agent);
  const packages = bundledPackages(metafile);
  writeFileSync(join(folder, noticesFile), noticesOf(packages));
  const chunks = readdirSync(join(folder, "chunks")).map((name) => `chunks/${name}`);
  return {
    folder,
    files: [noticesFile, ...chunks, "main.js"].sort(),
    packages,
    loadedBytes: { operator: bytesOf(metafile, operator), agent: bytesOf(metafile, agent) },
  };
}

function outputOf(metafile: Metafile, entry: string): string {
  const found = Object.entries(metafile.outputs).find(([, output]) => output.entryPoint === entry);
  if (found === undefined)
    throw new Error(`the bundle has no file for ${entry}, expected an import of its own`);
  return found[0];
}

/** Every output that a process loads which begins with `start` and follows the dynamic imports that `follows` accepts. */
function loadedFrom(
  metafile: Metafile,
  start: string,
  follows: (path: string) => boolean,
): ReadonlySet<string> {
  const loaded = new Set([start]);
  // A set that grows is visited to its new end, so this ends once nothing new is reached.
  for (const path of loaded) {
    for (const next of metafile.outputs[path]?.imports ?? []) {
      if (next.external === true) continue;
      if (next.kind === "import-statement" || follows(next.path)) loaded.add(next.path);
    }
  }
  return loaded;
}

function refuseInAgent(metafile: Metafile, outputs: ReadonlySet<string>): void {
  const inputs = [...outputs].flatMap((path) => Object.keys(metafile.outputs[path]?.inputs ?? {}));
  const refused = inputs.filter((input) => keptFromAgent.some((prefix) => input.startsWith(prefix)));
  if (refused.length === 0) return;
  throw new Error(
    `the agent would load ${refused.slice(0, 5).join(", ")}; expected nothing of ${keptFromAgent.join(", ")}`,
  );
}

function bytesOf(metafile: Metafile, outputs: ReadonlySet<string>): number {
  return [...outputs].reduce((sum, path) => sum + (metafile.outputs[path]?.bytes ?? 0), 0);
}
