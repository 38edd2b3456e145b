import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";

/** Content that stands in memory, or a file that is streamed: a binary of 110 MB is never held as a whole. */
export type Content = string | Uint8Array | { readonly fromFile: string };

/** One entry of a layer. Parent directories that are not named are made with mode 0755. */
export type LayerEntry =
  | {
      readonly kind: "file";
      readonly path: string;
      readonly mode: number;
      readonly content: Content;
      readonly uid?: number;
    }
  | { readonly kind: "directory"; readonly path: string; readonly mode: number; readonly uid?: number }
  | { readonly kind: "symlink"; readonly path: string; readonly target: string; readonly uid?: number };

export interface ImageConfig {
  readonly entrypoint: readonly string[];
  readonly command?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly user?: string;
  readonly workingDir?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface ImageSpec {
  /** Full reference with tag, such as `evnode.dev/testnode:1`. */
  readonly name: string;
  /** GOARCH notation: amd64, arm64. */
  readonly architecture: string;
  readonly layers: readonly (readonly LayerEntry[])[];
  readonly config: ImageConfig;
}

export interface WrittenImage {
  readonly file: string;
  readonly name: string;
  /** Digest of the manifest, `sha256:` and 64 hex digits. */
  readonly digest: string;
}

interface Blob {
  readonly digest: string;
  readonly size: number;
  readonly chunks: () => AsyncIterable<Uint8Array>;
}

const BLOCK = 512;
const LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar";
const CONFIG_TYPE = "application/vnd.oci.image.config.v1+json";
const MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json";

/**
 * Writes an OCI image layout as one tar file. Equal input gives an equal file, byte for byte: entries are
 * sorted, times are zero, nothing is compressed. The file appears under its name only when it is complete.
 */
export async function writeImage(output: string, spec: ImageSpec): Promise<WrittenImage> {
  const layers = await Promise.all(spec.layers.map(async (entries) => layerBlob(entries)));
  const config = jsonBlob(configOf(spec, layers));
  const manifest = jsonBlob({
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    config: descriptor(CONFIG_TYPE, config),
    layers: layers.map((layer) => descriptor(LAYER_TYPE, layer)),
  });
  const annotations = {
    "io.containerd.image.name": spec.name,
    "org.opencontainers.image.ref.name": spec.name,
  };
  const index = jsonBlob({
    schemaVersion: 2,
    manifests: [{ ...descriptor(MANIFEST_TYPE, manifest), annotations }],
  });
  await writeLayout(output, index, [...layers, config, manifest]);
  return { file: output, name: spec.name, digest: manifest.digest };
}

function configOf(spec: ImageSpec, layers: readonly Blob[]): object {
  const { entrypoint, command, env = {}, user, workingDir, labels } = spec.config;
  return {
    architecture: spec.architecture,
    os: "linux",
    config: {
      Entrypoint: entrypoint,
      ...(command && { Cmd: command }),
      Env: Object.entries({ PATH: "/usr/local/bin:/usr/bin:/bin", ...env })
        .map(([key, value]) => `${key}=${value}`)
        .sort(),
      ...(user !== undefined && { User: user }),
      ...(workingDir !== undefined && { WorkingDir: workingDir }),
      ...(labels && { Labels: labels }),
    },
    rootfs: { type: "layers", diff_ids: layers.map((layer) => layer.digest) },
  };
}

async function writeLayout(output: string, index: Blob, blobs: readonly Blob[]): Promise<void> {
  await mkdir(dirname(output), { recursive: true });
  const partial = `${output}.${process.pid}.partial`;
  const file = await open(partial, "w", 0o644);
  try {
    const layout = bufferBlob(Buffer.from('{"imageLayoutVersion":"1.0.0"}'));
    const named = new Map<string, Blob>([
      ["oci-layout", layout],
      ["index.json", index],
      ...blobs.map((blob): [string, Blob] => [`blobs/${blob.digest.replace(":", "/")}`, blob]),
    ]);
    for (const [path, blob] of named) {
      await file.write(header({ path, mode: 0o644, size: blob.size, type: "0", uid: 0 }));
      const digest = createHash("sha256");
      for await (const chunk of blob.chunks()) {
        digest.update(chunk);
        await file.write(chunk);
      }
      // A source file that changed between the two passes would make an image that no runtime accepts.
      const written = `sha256:${digest.digest("hex")}`;
      if (written !== blob.digest) throw new Error(`${path} of ${output} changed while it was written`);
      await file.write(padding(blob.size));
    }
    await file.write(Buffer.alloc(2 * BLOCK));
    await file.close();
    await rename(partial, output);
  } catch (error) {
    await file.close();
    await rm(partial, { force: true });
    throw error;
  }
}

function jsonBlob(value: object): Blob {
  return bufferBlob(Buffer.from(JSON.stringify(value)));
}

function bufferBlob(content: Uint8Array): Blob {
  const digest = `sha256:${createHash("sha256").update(content).digest("hex")}`;
  return {
    digest,
    size: content.length,
    async *chunks() {
      yield content;
    },
  };
}

function descriptor(mediaType: string, blob: Blob) {
  return { mediaType, digest: blob.digest, size: blob.size };
}

async function layerBlob(entries: readonly LayerEntry[]): Promise<Blob> {
  const ordered = withParents(entries);
  const digest = createHash("sha256");
  let size = 0;
  for await (const chunk of layerChunks(ordered)) {
    digest.update(chunk);
    size += chunk.length;
  }
  return { digest: `sha256:${digest.digest("hex")}`, size, chunks: () => layerChunks(ordered) };
}

/** Sorted by path, so that a directory stands before what it holds. */
function withParents(entries: readonly LayerEntry[]): readonly LayerEntry[] {
  const byPath = new Map<string, LayerEntry>();
  for (const entry of entries) {
    const path = entry.path.replace(/^\/+|\/+$/g, "");
    if (path === "" || path.split("/").includes(".."))
      throw new Error(`layer path "${entry.path}" is not allowed`);
    if (byPath.has(path)) throw new Error(`layer path "${entry.path}" is given twice`);
    byPath.set(path, { ...entry, path });
  }
  for (const path of Array.from(byPath.keys())) {
    for (let parent = dirname(path); parent !== "."; parent = dirname(parent)) {
      if (!byPath.has(parent)) byPath.set(parent, { kind: "directory", path: parent, mode: 0o755 });
    }
  }
  return [...byPath.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function* layerChunks(entries: readonly LayerEntry[]): AsyncGenerator<Uint8Array> {
  for (const entry of entries) {
    const uid = entry.uid ?? 0;
    if (entry.kind === "directory") {
      yield header({ path: `${entry.path}/`, mode: entry.mode, size: 0, type: "5", uid });
    } else if (entry.kind === "symlink") {
      yield header({ path: entry.path, mode: 0o777, size: 0, type: "2", uid, target: entry.target });
    } else {
      yield* fileChunks(entry.path, entry.mode, uid, entry.content);
    }
  }
  yield Buffer.alloc(2 * BLOCK);
}

async function* fileChunks(
  path: string,
  mode: number,
  uid: number,
  content: Content,
): AsyncGenerator<Uint8Array> {
  const fromFile = typeof content === "object" && "fromFile" in content ? content.fromFile : undefined;
  if (fromFile !== undefined) {
    const { size } = await stat(fromFile);
    yield header({ path, mode, size, type: "0", uid });
    yield* createReadStream(fromFile, { highWaterMark: 1 << 20 });
    yield padding(size);
    return;
  }
  const buffer = Buffer.from(content as string | Uint8Array<ArrayBuffer>);
  yield header({ path, mode, size: buffer.length, type: "0", uid });
  yield buffer;
  yield padding(buffer.length);
}

interface HeaderFields {
  readonly path: string;
  readonly mode: number;
  readonly size: number;
  readonly type: "0" | "2" | "5";
  readonly uid: number;
  readonly target?: string;
}

/** A ustar header. The checksum is the sum of all bytes with its own field read as spaces. */
function header(fields: HeaderFields): Buffer {
  const block = Buffer.alloc(BLOCK);
  const { name, prefix } = splitPath(fields.path);
  const target = fields.target ?? "";
  if (Buffer.byteLength(target) > 100) throw new Error(`link target "${target}" is longer than 100 bytes`);
  block.write(name, 0, 100);
  block.write(octal(fields.mode, 8), 100);
  block.write(octal(fields.uid, 8), 108);
  block.write(octal(fields.uid, 8), 116);
  block.write(octal(fields.size, 12), 124);
  block.write(octal(0, 12), 136);
  block.write(" ".repeat(8), 148);
  block.write(fields.type, 156);
  block.write(target, 157, 100);
  block.write("ustar\u000000", 257);
  block.write(prefix, 345, 155);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}

function splitPath(path: string): { readonly name: string; readonly prefix: string } {
  if (Buffer.byteLength(path) <= 100) return { name: path, prefix: "" };
  for (let slash = path.indexOf("/"); slash !== -1; slash = path.indexOf("/", slash + 1)) {
    const [prefix, name] = [path.slice(0, slash), path.slice(slash + 1)];
    if (Buffer.byteLength(prefix) <= 155 && Buffer.byteLength(name) <= 100 && name !== "")
      return { name, prefix };
  }
  throw new Error(`path "${path}" does not fit into a tar header`);
}

function octal(value: number, width: number): string {
  const digits = value.toString(8);
  if (digits.length > width - 1) throw new Error(`${value} does not fit into a tar header field`);
  return `${digits.padStart(width - 1, "0")}\0`;
}

function padding(size: number): Buffer {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
}
