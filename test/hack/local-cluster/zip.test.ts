import { crc32, deflateRawSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { readZipEntry } from "../../../hack/local-cluster/zip.ts";

interface Source {
  readonly name: string;
  readonly content: Buffer;
  readonly method: 0 | 8 | 9;
}

/** A small writer from the format's description, with an extra field in the local headers only. */
function zip(sources: readonly Source[], comment = ""): Buffer {
  const local: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, content, method } of sources) {
    const stored = method === 8 ? deflateRawSync(content) : content;
    const fields = Buffer.alloc(22);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(method, 4);
    fields.writeUInt32LE(crc32(content), 10);
    fields.writeUInt32LE(stored.length, 14);
    fields.writeUInt32LE(content.length, 18);
    const names = Buffer.alloc(2);
    names.writeUInt16LE(name.length);
    const header = [
      Buffer.from("PK\x03\x04"),
      fields,
      names,
      Buffer.from([4, 0]),
      Buffer.from(name),
      Buffer.alloc(4),
    ];
    local.push(...header, stored);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    directory.push(
      Buffer.from("PK\x01\x02"),
      Buffer.from([20, 0]),
      fields,
      names,
      Buffer.from([0, 0]),
      tail.subarray(0, 14),
      Buffer.from(name),
    );
    offset += header.reduce((sum, part) => sum + part.length, 0) + stored.length;
  }
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", "latin1");
  end.writeUInt16LE(sources.length, 10);
  end.writeUInt32LE(offset, 16);
  end.writeUInt16LE(comment.length, 20);
  return Buffer.concat([...local, ...directory, end, Buffer.from(comment)]);
}

describe("readZipEntry", () => {
  const text = Buffer.from("helm ".repeat(1_000));
  const archive = zip([
    { name: "kubectl/kubectl", content: Buffer.from("other"), method: 0 },
    { name: "helm/helm", content: text, method: 8 },
    { name: "odd", content: Buffer.from("x"), method: 9 },
  ]);

  it("inflates a deflated file behind another one", () => {
    expect(readZipEntry(archive, "helm/helm").equals(text)).toBe(true);
  });

  it("reads a stored file", () => {
    expect(readZipEntry(archive, "kubectl/kubectl").toString()).toBe("other");
  });

  it("finds the directory before a comment", () => {
    const commented = zip([{ name: "a", content: Buffer.from("1"), method: 0 }], "a comment ".repeat(50));
    expect(readZipEntry(commented, "a").toString()).toBe("1");
  });

  it.each([
    ["a file that is not there", archive, "helm", "zip archive has no file helm"],
    ["an unknown compression", archive, "odd", "zip compression method 9 is not supported"],
    ["what is no archive", Buffer.alloc(100), "a", "not a zip archive"],
  ])("refuses %s", (_, bytes, path, message) => {
    expect(() => readZipEntry(bytes, path)).toThrow(message);
  });

  it("refuses a file whose length is not the stated one", () => {
    const damaged = Buffer.from(zip([{ name: "a", content: Buffer.from("12"), method: 0 }]));
    damaged.writeUInt32LE(3, damaged.indexOf("PK\x01\x02") + 24);
    expect(() => readZipEntry(damaged, "a")).toThrow("zip entry has 2 bytes, expected 3");
  });
});
