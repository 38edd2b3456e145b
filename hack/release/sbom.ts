import { createHash } from "node:crypto";
import { dirname } from "node:path";
import type { BundledPackage } from "../bundled-packages.ts";
import type { SystemPackage } from "../system-files.ts";

/** What is in a release, as it was looked up where the release is made. */
export interface Contents {
  readonly version: string;
  /** npm packages of which something is in the program or the plugin, and in which of them. */
  readonly packages: readonly { readonly package: BundledPackage; readonly parts: readonly string[] }[];
  readonly node: {
    readonly version: string;
    readonly sha256: string;
    /** What is built into it, as `process.versions` tells: `openssl` to `3.5.8`. */
    readonly builtIn: Readonly<Record<string, string>>;
  };
  /** Of the image's system, with the files of each that are in the image. */
  readonly system: readonly {
    readonly package: SystemPackage;
    /** Such as `debian`, as in /etc/os-release. */
    readonly distribution: string;
    readonly files: readonly { readonly path: string; readonly sha256: string }[];
  }[];
}

const ROOT = "evnode-operator";
const NODE = "node";
/** `process.versions` also numbers interfaces and data, which are no software that could have a hole. */
const noSoftware = new Set(["node", "modules", "napi", "unicode", "cldr", "tz"]);

/**
 * The bill of materials as CycloneDX 1.6 (https://cyclonedx.org/docs/1.6/json/). Without a time, and with a serial
 * number that follows from the content, so that equal releases have equal bills.
 */
export function billOfMaterials(contents: Contents): string {
  const { version } = contents;
  const document = {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      component: {
        type: "application",
        "bom-ref": ROOT,
        name: ROOT,
        version,
        licenses: [{ license: { id: "Apache-2.0" } }],
      },
    },
    components: [
      ...contents.packages.map(npmComponent),
      nodeComponent(contents.node),
      ...contents.system.map(systemComponent),
    ],
    dependencies: dependenciesOf(contents),
  };
  const serialNumber = `urn:uuid:${uuidOf(JSON.stringify(document))}`;
  return `${JSON.stringify({ ...document, serialNumber }, null, 2)}\n`;
}

function npmComponent({
  package: { name, version, licence, integrity },
  parts,
}: Contents["packages"][number]) {
  const reference = `pkg:npm/${encodeURIComponent(name).replace("%2F", "/")}@${version}`;
  return {
    type: "library",
    "bom-ref": reference,
    name,
    version,
    hashes: [{ alg: "SHA-512", content: hexOf(integrity) }],
    licenses: [/ OR | AND /.test(licence) ? { expression: licence } : { license: { id: licence } }],
    purl: reference,
    properties: parts.map(isIn),
  };
}

function nodeComponent({ version, sha256, builtIn }: Contents["node"]) {
  return {
    type: "platform",
    "bom-ref": NODE,
    name: NODE,
    version,
    hashes: [{ alg: "SHA-256", content: sha256 }],
    licenses: [{ license: { id: "MIT" } }],
    cpe: `cpe:2.3:a:nodejs:node.js:${version}:*:*:*:*:*:*:*`,
    purl: `pkg:generic/node@${version}`,
    properties: [isIn("image")],
    components: Object.entries(builtIn)
      .filter(([name, found]) => found !== "" && !noSoftware.has(name))
      .map(([name, found]) => ({
        type: "library",
        "bom-ref": `${NODE}/${name}`,
        name,
        version: found,
      })),
  };
}

function systemComponent({ package: owner, distribution, files }: Contents["system"][number]) {
  return {
    type: "library",
    "bom-ref": systemReference(owner, distribution),
    name: owner.name,
    version: owner.version,
    // A package of Debian has many; its whole account of them is in that file.
    licenses: [{ license: { name: "as LICENSES.txt has it" } }],
    purl: systemReference(owner, distribution),
    properties: [isIn("image")],
    components: files.map(({ path, sha256 }) => ({
      type: "file",
      "bom-ref": path,
      name: path,
      hashes: [{ alg: "SHA-256", content: sha256 }],
    })),
  };
}

function systemReference({ name, version, architecture }: SystemPackage, distribution: string): string {
  return `pkg:deb/${distribution}/${name}@${encodeURIComponent(version)}?arch=${architecture}`;
}

const isIn = (part: string) => ({ name: "evnode-operator:in", value: part });

function dependenciesOf({ packages, system }: Contents) {
  const references = new Map(
    packages.map((entry) => [entry.package.path, npmComponent(entry)["bom-ref"]] as const),
  );
  const all = [...references.values(), NODE, ...system.map((entry) => systemComponent(entry)["bom-ref"])];
  const ofPackages = packages.map(({ package: { path, dependsOn } }) => ({
    ref: references.get(path),
    dependsOn: dependsOn.flatMap((name) => references.get(installedFor(path, name, references) ?? "") ?? []),
  }));
  return [{ ref: ROOT, dependsOn: all }, ...ofPackages];
}

/** Where Node.js finds `name` when the package in `path` asks for it: the nearest node_modules above it. */
function installedFor(path: string, name: string, all: ReadonlyMap<string, string>): string | undefined {
  for (let folder = path; folder !== "."; folder = dirname(folder)) {
    const candidate = folder.endsWith("node_modules")
      ? `${folder}/${name}`
      : `${folder}/node_modules/${name}`;
    if (all.has(candidate)) return candidate;
  }
  return undefined;
}

function hexOf(integrity: string): string {
  const [algorithm, encoded = ""] = integrity.split("-", 2);
  if (algorithm !== "sha512")
    throw new Error(`package-lock.json has a hash by ${algorithm}, expected sha512`);
  return Buffer.from(encoded, "base64").toString("hex");
}

/** A UUID of version 8 (RFC 9562): the digits are those of a hash, but for version and variant. */
function uuidOf(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
