import { createHash } from "node:crypto";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { END_OF_TAR, orderedEntries, padding, type TarEntry, tarChunks, tarHeader } from "./tar.ts";

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
  readonly layers: readonly (readonly TarEntry[])[];
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
      await file.write(tarHeader({ path, mode: 0o644, size: blob.size, type: "0", uid: 0 }));
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
    await file.write(END_OF_TAR);
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

async function layerBlob(entries: readonly TarEntry[]): Promise<Blob> {
  const ordered = orderedEntries(entries);
  const digest = createHash("sha256");
  let size = 0;
  for await (const chunk of tarChunks(ordered)) {
    digest.update(chunk);
    size += chunk.length;
  }
  return { digest: `sha256:${digest.digest("hex")}`, size, chunks: () => tarChunks(ordered) };
}
