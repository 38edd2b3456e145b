import { execFileSync } from "node:child_process";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { z } from "zod";
import { bundle } from "../bundle.ts";
import { bundlePlugin } from "../bundle-plugin.ts";
import type { BundledPackage } from "../bundled-packages.ts";
import { nodeBinary, nodeLicence, operatorImageName, writeOperatorImage } from "../operator-image.ts";
import { packagesOf, type SystemFile, systemFilesFor } from "../system-files.ts";
import { chartArchive } from "./chart-archive.ts";
import { checksums, sha256Of } from "./digests.ts";
import { licenceList } from "./licences.ts";
import { manifests } from "./manifests.ts";
import { chartOf, root } from "./release-facts.ts";
import { billOfMaterials, type Contents } from "./sbom.ts";

export interface MadeRelease {
  readonly folder: string;
  /** Name of each file to its SHA-256, in hexadecimal digits; the file of checksums is not among them. */
  readonly digests: ReadonlyMap<string, string>;
  readonly image: { readonly name: string; readonly digest: string };
}

export const CHECKSUMS = "SHA256SUMS";

/**
 * Makes every file of a release. They stand under `output` only when all of them are complete, and whatever was there
 * before is gone then.
 */
export async function makeRelease(version: string, output: string, helm: string): Promise<MadeRelease> {
  const partial = `${output}.partial`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true });
  const work = join(partial, "work");
  const program = await bundle(work);
  const plugin = await bundlePlugin(partial);
  const name = `evnode-operator-${version}`;
  const image = await writeOperatorImage(
    join(partial, `${name}-linux-amd64.oci.tar`),
    operatorImageName(version),
    program,
  );
  const write = (file: string, content: string | Uint8Array) => writeFile(join(partial, file), content);
  const own = await readFile(join(root, "LICENSE"), "utf8");
  const chartFolder = join(root, "helm");
  await write(`${name}.tgz`, await chartArchive(chartFolder, chartOf().name, own));
  await write(`${name}.yaml`, await manifests(helm, chartFolder));

  const contents = await contentsOf(version, { operator: program.packages, plugin: plugin.packages });
  await write(`${name}.cdx.json`, billOfMaterials(contents));
  const licence = await readFile(nodeLicence(nodeBinary()), "utf8");
  const packages = contents.packages.map((entry) => entry.package);
  const system = contents.system.map((entry) => entry.package);
  await write(
    "LICENSES.txt",
    licenceList({ own, node: { version: contents.node.version, licence }, packages, system }),
  );
  await rm(work, { recursive: true });

  const files = [
    basename(image.file),
    basename(plugin.file),
    `${name}.tgz`,
    `${name}.yaml`,
    `${name}.cdx.json`,
    "LICENSES.txt",
  ].sort();
  const digests = new Map<string, string>();
  for (const file of files) digests.set(file, await sha256Of(join(partial, file)));
  await write(CHECKSUMS, checksums(digests));
  await rm(output, { recursive: true, force: true });
  await rename(partial, output);
  return { folder: output, digests, image: { name: image.name, digest: image.digest } };
}

async function contentsOf(
  version: string,
  bundled: { readonly operator: readonly BundledPackage[]; readonly plugin: readonly BundledPackage[] },
): Promise<Contents> {
  const byPath = new Map([...bundled.operator, ...bundled.plugin].map((found) => [found.path, found]));
  const paths = [...byPath.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
  const isIn = (found: BundledPackage, packages: readonly BundledPackage[]) =>
    packages.some(({ path }) => path === found.path);
  const node = nodeBinary();
  return {
    version,
    packages: paths.map((found) => ({
      package: found,
      parts: [
        ...(isIn(found, bundled.operator) ? ["image"] : []),
        ...(isIn(found, bundled.plugin) ? ["plugin"] : []),
      ],
    })),
    node: await nodeFacts(node),
    system: await systemFacts(systemFilesFor(node)),
  };
}

async function nodeFacts(binary: string): Promise<Contents["node"]> {
  const told = execFileSync(binary, ["--print", "JSON.stringify(process.versions)"], { encoding: "utf8" });
  const builtIn = z.record(z.string(), z.string()).parse(JSON.parse(told));
  return { version: builtIn["node"] ?? "", sha256: await sha256Of(binary), builtIn };
}

async function systemFacts(files: readonly SystemFile[]): Promise<Contents["system"]> {
  const stray = files.filter((file) => file.package === undefined).map(({ source }) => source);
  if (stray.length > 0)
    throw new Error(
      `no package of this machine has ${stray.join(", ")}, so its version and licence are unknown; ` +
        "make releases on Debian or a child of it, or use the Dockerfile for the image",
    );
  const release = await readFile("/etc/os-release", "utf8");
  const distribution = /^ID="?([a-z0-9._-]+)"?$/m.exec(release)?.[1] ?? "debian";
  return Promise.all(
    packagesOf(files).map(async (owner) => ({
      package: owner,
      distribution,
      files: await Promise.all(
        files
          .filter((file) => file.package?.name === owner.name)
          .map(async ({ path, source }) => ({ path, sha256: await sha256Of(source) })),
      ),
    })),
  );
}
