import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Metafile } from "esbuild";
import { z } from "zod";

const root = join(import.meta.dirname, "..");

/**
 * Licences that let the program be passed on under Apache 2.0 with the text beside it, by their SPDX identifiers.
 * Another one is a person's decision: read it, then add it here.
 */
export const allowedLicences = [
  "0BSD",
  "Apache-2.0",
  "BlueOak-1.0.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "ISC",
  "MIT",
  "Unlicense",
] as const;

/** An npm package of which something is in a bundle. */
export interface BundledPackage {
  readonly name: string;
  readonly version: string;
  /** Its folder, from the root of the repository: `node_modules/a/node_modules/b`. */
  readonly path: string;
  /** SPDX expression. */
  readonly licence: string;
  readonly licenceText: string;
  /** Of the archive that npm installs, as package-lock.json has it: `sha512-` and Base64. */
  readonly integrity: string;
  /** Names of packages that it depends on, bundled or not. */
  readonly dependsOn: readonly string[];
}

const lockedPackage = z.object({
  version: z.string(),
  integrity: z.string(),
  dependencies: z.record(z.string(), z.string()).default({}),
});
const lockFile = z.object({ packages: z.record(z.string(), z.unknown()) });
const manifest = z.object({ name: z.string(), version: z.string(), license: z.string() });

/** The packages whose code esbuild wrote into its outputs; what it read and dropped is none of them. Sorted by path. */
export function bundledPackages({ outputs }: Metafile): readonly BundledPackage[] {
  const written = Object.values(outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : [])),
  );
  const paths = written.flatMap((input) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0] ?? []);
  return [...new Set(paths)].sort().map(packageIn);
}

/** The package that is installed in a folder, checked against what package-lock.json says about it. */
export function packageIn(path: string): BundledPackage {
  const { name, version, license } = manifest.parse(readJson(join(path, "package.json")));
  const locked = lockedPackage.parse(lockFile.parse(readJson("package-lock.json")).packages[path]);
  if (locked.version !== version)
    throw new Error(
      `${path} has version ${version}, and package-lock.json ${locked.version}: install anew with npm ci`,
    );
  if (!isAllowed(license))
    throw new Error(
      `${name} ${version} has the licence ${license}, expected one of ${allowedLicences.join(", ")}: ` +
        "do without the package, or read its licence and add it in hack/bundled-packages.ts",
    );
  return {
    name,
    version,
    path,
    licence: license,
    licenceText: licenceText(path, name),
    integrity: locked.integrity,
    dependsOn: Object.keys(locked.dependencies),
  };
}

/** True when one of the alternatives of an SPDX expression asks for allowed licences alone. */
export function isAllowed(expression: string): boolean {
  const alternatives = expression.replace(/^\((.*)\)$/, "$1").split(" OR ");
  return alternatives.some((alternative) =>
    alternative.split(" AND ").every((id) => (allowedLicences as readonly string[]).includes(id)),
  );
}

function licenceText(path: string, name: string): string {
  const folder = join(root, path);
  const files = readdirSync(folder).filter((file) => /^(?:licen[cs]e|notice)/i.test(file));
  if (!files.some((file) => /^licen[cs]e/i.test(file)))
    throw new Error(
      `${name} has no licence text in ${path}, expected a file LICENSE; its licence asks for it`,
    );
  return files
    .sort()
    .map((file) => readFileSync(join(folder, file), "utf8").trim())
    .join("\n\n");
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(join(root, path), "utf8"));
}

/** The licence of every package, one after another; most licences ask for that. */
export function noticesOf(packages: readonly BundledPackage[]): string {
  const sections = packages.map(
    ({ name, version, licence, licenceText: text }) => `${name} ${version} (${licence})\n\n${text}\n`,
  );
  return sections.join(`\n${"-".repeat(80)}\n\n`);
}
