import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { BundledPackage } from "../../../hack/bundled-packages.ts";
import { billOfMaterials, type Contents } from "../../../hack/release/sbom.ts";

const sha512 = createHash("sha512").update("archive").digest();

const bundled = (path: string, version: string, dependsOn: readonly string[] = []): BundledPackage => ({
  name: path.replace(/^.*node_modules\//, ""),
  version,
  path,
  licence: "MIT",
  licenceText: "Permission is hereby granted",
  integrity: `sha512-${sha512.toString("base64")}`,
  dependsOn,
});

const contents: Contents = {
  version: "0.2.0",
  packages: [
    { package: bundled("node_modules/@scope/a", "1.0.0", ["b", "tool"]), parts: ["image"] },
    { package: bundled("node_modules/@scope/a/node_modules/b", "2.0.0", ["c"]), parts: ["image"] },
    { package: bundled("node_modules/b", "1.0.0"), parts: ["image", "plugin"] },
    { package: { ...bundled("node_modules/c", "3.0.0"), licence: "(MIT OR ISC)" }, parts: ["plugin"] },
  ],
  node: {
    version: "24.21.0",
    sha256: "ab",
    builtIn: { node: "24.21.0", openssl: "3.5.8", modules: "137", nghttp3: "" },
  },
  system: [
    {
      package: { name: "libc6", version: "2.36-9+deb12u14", architecture: "amd64", copyright: "LGPL" },
      distribution: "debian",
      files: [{ path: "/lib/libc.so.6", sha256: "cd" }],
    },
  ],
};

interface Component {
  readonly name: string;
  readonly purl?: string;
  readonly licenses?: unknown;
  readonly hashes?: unknown;
  readonly properties?: unknown;
  readonly components?: readonly Component[];
}

const billOf = (of: Contents) =>
  JSON.parse(billOfMaterials(of)) as {
    readonly serialNumber: string;
    readonly components: readonly Component[];
    readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
  };
const bill = billOf(contents);
const component = (name: string) => bill.components.find((found) => found.name === name);

describe("a bill of materials", () => {
  it("names packages by their address at npm, with the hash of what npm installs", () => {
    expect(component("@scope/a")).toMatchObject({
      purl: "pkg:npm/%40scope/a@1.0.0",
      hashes: [{ alg: "SHA-512", content: sha512.toString("hex") }],
      licenses: [{ license: { id: "MIT" } }],
      properties: [{ name: "evnode-operator:in", value: "image" }],
    });
    expect(component("c")?.licenses).toEqual([{ expression: "(MIT OR ISC)" }]);
  });

  it("leads from each package to the version that it loads, and to bundled ones alone", () => {
    const from = Object.fromEntries(bill.dependencies.map(({ ref, dependsOn }) => [ref, dependsOn]));
    expect(from).toMatchObject({
      "pkg:npm/%40scope/a@1.0.0": ["pkg:npm/b@2.0.0"],
      "pkg:npm/b@2.0.0": ["pkg:npm/c@3.0.0"],
      "pkg:npm/b@1.0.0": [],
    });
    expect(from["evnode-operator"]).toHaveLength(6);
  });

  it("names what is built into Node.js, without numbers of interfaces", () => {
    expect(component("node")?.components?.map(({ name }) => name)).toEqual(["openssl"]);
  });

  it("names the packages of the system and their files", () => {
    expect(component("libc6")).toMatchObject({
      purl: "pkg:deb/debian/libc6@2.36-9%2Bdeb12u14?arch=amd64",
      components: [{ name: "/lib/libc.so.6", hashes: [{ alg: "SHA-256", content: "cd" }] }],
    });
  });

  it("has a serial number that follows from the content", () => {
    expect(bill.serialNumber).toMatch(
      /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(billOf({ ...contents }).serialNumber).toBe(bill.serialNumber);
    expect(billOf({ ...contents, version: "0.2.1" }).serialNumber).not.toBe(bill.serialNumber);
  });

  it("refuses a hash that it cannot tell", () => {
    const weak = { ...bundled("node_modules/d", "1.0.0"), integrity: "sha1-abc" };
    expect(() => billOfMaterials({ ...contents, packages: [{ package: weak, parts: [] }] })).toThrow(
      "package-lock.json has a hash by sha1, expected sha512",
    );
  });
});
