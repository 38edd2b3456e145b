import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build, type Metafile } from "esbuild";

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
const noticesFile = "THIRD-PARTY-NOTICES.txt";

/** Packages in CommonJS call require() for Node's own modules. */
export const requireBanner =
  'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);';

export interface Bundle {
  readonly folder: string;
  /** Paths in `folder`, sorted. */
  readonly files: readonly string[];
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
 * The same sources give the same bytes.
 */
export async function bundle(folder = join(root, "dist")): Promise<Bundle> {
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
  });
  const agentOutput = outputOf(metafile, agentEntry);
  const operator = loadedFrom(metafile, outputOf(metafile, mainEntry), (path) => path !== agentOutput);
  const agent = loadedFrom(metafile, outputOf(metafile, mainEntry), (path) => path === agentOutput);
  refuseInAgent(metafile, agent);
  writeFileSync(join(folder, noticesFile), noticesOf(Object.keys(metafile.inputs)));
  const chunks = readdirSync(join(folder, "chunks")).map((name) => `chunks/${name}`);
  return {
    folder,
    files: [noticesFile, ...chunks, "main.js"].sort(),
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

/** The licence of every package that is part of a bundle; most licences ask for that. */
export function noticesOf(inputs: readonly string[]): string {
  const packages = inputs.flatMap((input) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0] ?? []);
  const sections = [...new Set(packages)].sort().map((path) => {
    const folder = join(root, path);
    const file = readdirSync(folder).find((name) => /^licen[cs]e/i.test(name));
    const text =
      file === undefined ? declaredLicence(folder) : readFileSync(join(folder, file), "utf8").trim();
    return `${path.slice("node_modules/".length)}\n\n${text}\n`;
  });
  return sections.join(`\n${"-".repeat(80)}\n\n`);
}

function declaredLicence(folder: string): string {
  const file = join(folder, "package.json");
  const manifest: unknown = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
  if (typeof manifest !== "object" || manifest === null || !("license" in manifest))
    return "Licence not stated.";
  return `Licence: ${String(manifest.license)}`;
}
