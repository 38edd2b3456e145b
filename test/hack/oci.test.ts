import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ImageSpec, writeImage } from "../../hack/oci.ts";
import type { TarEntry as Entry } from "../../hack/tar.ts";

interface TarEntry {
  readonly path: string;
  readonly type: string;
  readonly mode: number;
  readonly uid: number;
  readonly mtime: number;
  readonly target: string;
  readonly content: Buffer;
}

/** Reads a tar independently of the writer, and checks every header's sum. */
function readTar(tar: Buffer): ReadonlyMap<string, TarEntry> {
  const entries = new Map<string, TarEntry>();
  const text = (at: number, length: number) => tar.toString("utf8", at, at + length).replace(/\0.*$/s, "");
  for (let at = 0; tar[at] !== 0; ) {
    const octal = (offset: number, length: number) => Number.parseInt(text(at + offset, length), 8);
    const sum = tar
      .subarray(at, at + 512)
      .reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 32 : byte), 0);
    expect(octal(148, 8)).toBe(sum);
    expect(tar.toString("latin1", at + 257, at + 265)).toBe("ustar\u000000");
    const size = octal(124, 12);
    const prefix = text(at + 345, 155);
    const path = prefix === "" ? text(at, 100) : `${prefix}/${text(at, 100)}`;
    entries.set(path, {
      path,
      type: text(at + 156, 1),
      mode: octal(100, 8),
      uid: octal(108, 8),
      mtime: octal(136, 12),
      target: text(at + 157, 100),
      content: tar.subarray(at + 512, at + 512 + size),
    });
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return entries;
}

const sha256 = (content: Buffer) => createHash("sha256").update(content).digest("hex");

describe("writeImage", () => {
  let folder = "";
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "oci-test-"));
  });
  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  const image = (
    layers: readonly (readonly Entry[])[],
    config: Partial<ImageSpec["config"]> = {},
  ): ImageSpec => ({
    name: "evnode.dev/sample:1",
    architecture: "amd64",
    layers,
    config: { entrypoint: ["/usr/bin/sample"], ...config },
  });
  const file = (path: string, content: string): Entry => ({ kind: "file", path, mode: 0o644, content });

  async function write(spec: ImageSpec) {
    const { digest } = await writeImage(join(folder, "image.tar"), spec);
    const tar = await readFile(join(folder, "image.tar"));
    const blobs = readTar(tar);
    const json = (path: string) => JSON.parse(blobs.get(path)?.content.toString() ?? "null");
    const blobOf = (descriptor: { digest: string }) => `blobs/${descriptor.digest.replace(":", "/")}`;
    const index = json("index.json");
    const manifest = json(blobOf(index.manifests[0]));
    const layers = manifest.layers.map((layer: { digest: string }) =>
      readTar(blobs.get(blobOf(layer))?.content ?? Buffer.alloc(1)),
    ) as ReadonlyMap<string, TarEntry>[];
    return { digest, tar, blobs, index, manifest, config: json(blobOf(manifest.config)), layers };
  }

  it("names every blob by its digest and states its size", async () => {
    const { digest, blobs, index, manifest, config } = await write(
      image([[file("a", "1")], [file("b", "2")]]),
    );
    for (const descriptor of [index.manifests[0], manifest.config, ...manifest.layers]) {
      const content = blobs.get(`blobs/${descriptor.digest.replace(":", "/")}`)?.content;
      expect(content?.length).toBe(descriptor.size);
      expect(`sha256:${sha256(content ?? Buffer.alloc(0))}`).toBe(descriptor.digest);
    }
    expect(digest).toBe(index.manifests[0].digest);
    expect(config.rootfs.diff_ids).toEqual(manifest.layers.map((layer: { digest: string }) => layer.digest));
  });

  it("gives the image its name in the form that containerd imports", async () => {
    const { index, blobs } = await write(image([[]]));
    expect(index.manifests[0].annotations).toEqual({
      "io.containerd.image.name": "evnode.dev/sample:1",
      "org.opencontainers.image.ref.name": "evnode.dev/sample:1",
    });
    expect(blobs.get("oci-layout")?.content.toString()).toBe('{"imageLayoutVersion":"1.0.0"}');
  });

  it("writes how the program is started", async () => {
    const { config } = await write(
      image([[]], {
        command: ["run"],
        env: { B: "2", A: "1" },
        user: "65532:65532",
        workingDir: "/app",
        labels: { l: "v" },
      }),
    );
    expect(config).toMatchObject({
      architecture: "amd64",
      os: "linux",
      config: {
        Entrypoint: ["/usr/bin/sample"],
        Cmd: ["run"],
        Env: ["A=1", "B=2", "PATH=/usr/local/bin:/usr/bin:/bin"],
        User: "65532:65532",
        WorkingDir: "/app",
        Labels: { l: "v" },
      },
    });
  });

  it("adds the parents of a file, before it, with mode 0755", async () => {
    const { layers } = await write(image([[file("/usr/bin/sample", "x")]]));
    expect([...(layers[0]?.values() ?? [])].map(({ path, type, mode }) => [path, type, mode])).toEqual([
      ["usr/", "5", 0o755],
      ["usr/bin/", "5", 0o755],
      ["usr/bin/sample", "0", 0o644],
    ]);
  });

  it("keeps mode and owner of a directory that is named, and the target of a link", async () => {
    const { layers } = await write(
      image([
        [
          { kind: "directory", path: "tmp/", mode: 0o1777, uid: 65532 },
          { kind: "symlink", path: "bin", target: "usr/bin" },
        ],
      ]),
    );
    expect(layers[0]?.get("tmp/")).toMatchObject({ type: "5", mode: 0o1777, uid: 65532, mtime: 0 });
    expect(layers[0]?.get("bin")).toMatchObject({ type: "2", target: "usr/bin" });
  });

  it.each([0, 1, 511, 512, 513, 3_000_000])("streams a file of %i bytes unchanged", async (size) => {
    const content = Buffer.alloc(size, "evnode");
    await writeFile(join(folder, "source"), content);
    const { layers } = await write(
      image([[{ kind: "file", path: "f", mode: 0o755, content: { fromFile: join(folder, "source") } }]]),
    );
    expect(sha256(layers[0]?.get("f")?.content ?? Buffer.alloc(1))).toBe(sha256(content));
  });

  it("writes equal bytes for equal input, whatever its order", async () => {
    const entries = [file("b", "2"), file("a/c", "3"), file("a/b", "1")];
    const first = await write(image([entries]));
    const second = await write(image([entries.toReversed()]));
    expect(sha256(second.tar)).toBe(sha256(first.tar));
  });

  it("has another digest when one byte differs", async () => {
    const first = await write(image([[file("a", "1")]]));
    const second = await write(image([[file("a", "2")]]));
    expect(second.digest).not.toBe(first.digest);
  });

  it("splits a long path between the two fields of the header", async () => {
    const path = `${"d".repeat(60)}/${"e".repeat(60)}/${"f".repeat(60)}`;
    const { layers } = await write(image([[file(path, "x")]]));
    expect(layers[0]?.get(path)?.content.toString()).toBe("x");
  });

  it.each([
    ["a path that leaves the image", [file("../etc/passwd", "")], 'path "../etc/passwd" is not allowed'],
    ["an empty path", [file("/", "")], 'path "/" is not allowed'],
    ["the same path twice", [file("a", ""), file("/a", "")], 'path "/a" is given twice'],
    ["a name that no header holds", [file("x".repeat(101), "")], "does not fit into a tar header"],
    [
      "a link target that no header holds",
      [{ kind: "symlink", path: "l", target: "x".repeat(101) } satisfies Entry],
      "is longer than 100 bytes",
    ],
  ])("refuses %s and leaves no file behind", async (_, entries, message) => {
    await expect(writeImage(join(folder, "image.tar"), image([entries]))).rejects.toThrow(message);
    expect(await readdir(folder)).toEqual([]);
  });
});
