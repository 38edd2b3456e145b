import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type ImageSpec, writeImage } from "../oci.ts";
import type { TarEntry } from "../tar.ts";
import { command } from "./command.ts";
import { localDaImage, pauseImage, testnodeImages } from "./image-names.ts";
import { endpoints, paths } from "./layout.ts";
import { step } from "./progress.ts";

const loadedFile = join(paths.images, "loaded.json");
const IMPORT_TIMEOUT_MS = 5 * 60_000;

/** Files that programs expect of a root file system; they run as any user and need no more than this. */
const baseLayer: readonly TarEntry[] = [
  { kind: "directory", path: "tmp", mode: 0o1777 },
  {
    kind: "file",
    path: "etc/passwd",
    mode: 0o644,
    content: "root:x:0:0:root:/:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/:/sbin/nologin\n",
  },
  { kind: "file", path: "etc/group", mode: 0o644, content: "root:x:0:\nnonroot:x:65532:\n" },
  { kind: "file", path: "etc/nsswitch.conf", mode: 0o644, content: "hosts: files dns\n" },
];

/** Loads the images of this harness that containerd does not hold yet in this very build. */
export async function loadOwnImages(binaries: ReadonlyMap<string, string>): Promise<void> {
  const specs = ownImages(binaries);
  // A build's folder is named after its content, so equal paths mean equal images.
  const wanted = JSON.stringify(specs);
  const loaded = await readFile(loadedFile, "utf8").catch(() => "");
  const present = await listImages();
  if (loaded === wanted && specs.every(({ name }) => present.includes(name))) return;
  await step("loading images", async () => {
    for (const spec of specs) {
      const { file } = await writeImage(
        join(paths.images, `${spec.name.replaceAll(/[/:]/g, "-")}.tar`),
        spec,
      );
      await importImage(file);
    }
    await writeFile(loadedFile, wanted);
  });
}

export async function importImage(file: string): Promise<void> {
  if (!existsSync(file)) throw new Error(`image file ${file} does not exist`);
  await ctr(["images", "import", "--digests", "--all-platforms", file]);
}

/** Gives an image that is there one more name, for whoever asks for it under that one. */
export async function nameImage(image: string, name: string): Promise<void> {
  await ctr(["images", "tag", "--force", image, name]);
}

export async function forgetImage(name: string): Promise<void> {
  await ctr(["images", "remove", name]);
}

async function listImages(): Promise<readonly string[]> {
  return (await ctr(["images", "list", "--quiet"])).trim().split("\n");
}

async function ctr(args: readonly string[]): Promise<string> {
  const common = ["--address", endpoints.containerd, "--namespace", "k8s.io"];
  return command("ctr", [...common, ...args], { timeoutMs: IMPORT_TIMEOUT_MS });
}

function ownImages(binaries: ReadonlyMap<string, string>): readonly ImageSpec[] {
  const program = (name: string): TarEntry => {
    const file = binaries.get(name);
    if (file === undefined) throw new Error(`no binary ${name} was built`);
    return { kind: "file", path: `usr/bin/${name}`, mode: 0o755, content: { fromFile: file } };
  };
  const image = (name: string, layers: readonly (readonly TarEntry[])[], entrypoint: string): ImageSpec => ({
    name,
    architecture: process.arch === "x64" ? "amd64" : process.arch,
    layers,
    config: { entrypoint: [entrypoint], user: "65532:65532" },
  });
  const testnode = testnodeImages.map((name): ImageSpec => {
    const [, tag = ""] = name.split(":");
    const marker: TarEntry = { kind: "file", path: "etc/testnode-image", mode: 0o644, content: `${tag}\n` };
    // Upstream's program is called testapp, and charts and operators start it by that name.
    const alias: TarEntry = { kind: "symlink", path: "usr/bin/testapp", target: "testnode" };
    return image(name, [baseLayer, [program("testnode"), alias], [marker]], "/usr/bin/testnode");
  });
  return [
    image(pauseImage, [[program("pause")]], "/usr/bin/pause"),
    image(localDaImage, [baseLayer, [program("local-da")]], "/usr/bin/local-da"),
    ...testnode,
  ];
}
