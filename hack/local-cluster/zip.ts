import { inflateRawSync } from "node:zlib";

const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;
const LOCAL_HEADER = 0x04034b50;
const MAX_COMMENT_BYTES = 0xffff;
const END_BYTES = 22;

/** Answers the content of one file in a zip archive (stored or deflated, below 4 GiB, not encrypted). */
export function readZipEntry(archive: Buffer, path: string): Buffer {
  const end = findEndOfDirectory(archive);
  const count = archive.readUInt16LE(end + 10);
  let offset = archive.readUInt32LE(end + 16);
  for (let i = 0; i < count; i += 1) {
    if (archive.readUInt32LE(offset) !== DIRECTORY_ENTRY)
      throw new Error(`zip directory is damaged at ${offset}`);
    const nameLength = archive.readUInt16LE(offset + 28);
    const name = archive.toString("utf8", offset + 46, offset + 46 + nameLength);
    if (name === path) return readContent(archive, offset);
    offset += 46 + nameLength + archive.readUInt16LE(offset + 30) + archive.readUInt16LE(offset + 32);
  }
  throw new Error(`zip archive has no file ${path}`);
}

function readContent(archive: Buffer, entry: number): Buffer {
  const method = archive.readUInt16LE(entry + 10);
  const compressedSize = archive.readUInt32LE(entry + 20);
  const size = archive.readUInt32LE(entry + 24);
  const local = archive.readUInt32LE(entry + 42);
  if (archive.readUInt32LE(local) !== LOCAL_HEADER) throw new Error(`zip entry is damaged at ${local}`);
  // The local header repeats the name and has an extra field of its own length.
  const start = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
  const stored = archive.subarray(start, start + compressedSize);
  const content = method === 0 ? stored : method === 8 ? inflateRawSync(stored) : undefined;
  if (!content) throw new Error(`zip compression method ${method} is not supported`);
  if (content.length !== size) throw new Error(`zip entry has ${content.length} bytes, expected ${size}`);
  return content;
}

/** The end record is the last thing in the file, but for a comment of any length. */
function findEndOfDirectory(archive: Buffer): number {
  const first = Math.max(0, archive.length - END_BYTES - MAX_COMMENT_BYTES);
  for (let offset = archive.length - END_BYTES; offset >= first; offset -= 1) {
    if (archive.readUInt32LE(offset) === END_OF_DIRECTORY) return offset;
  }
  throw new Error("not a zip archive");
}
