import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { importImage } from "../../../hack/local-cluster/images.ts";
import { writeImage } from "../../../hack/oci.ts";

const NAME = "evnode.dev/foreign:1";
const HEADER_BYTES = 64;

/** An image that says it is for this machine, and whose program is for another one: a build for the wrong platform. */
export async function provideForeignImage(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "e2e-image-"));
  try {
    const { file } = await writeImage(join(folder, "foreign.tar"), {
      name: NAME,
      architecture: process.arch === "x64" ? "amd64" : process.arch,
      layers: [[{ kind: "file", path: "usr/bin/testapp", mode: 0o755, content: foreignProgram() }]],
      config: { entrypoint: ["/usr/bin/testapp"], user: "65532:65532" },
    });
    await importImage(file);
    return NAME;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The head of an ELF file for a processor that no node of a test has. */
function foreignProgram(): Uint8Array {
  const header = Buffer.alloc(HEADER_BYTES);
  header.write("\u007fELF", 0, "latin1");
  // 64 bits, little endian, version 1.
  header.set([2, 1, 1], 4);
  // An executable, for IBM S/390.
  header.writeUInt16LE(2, 16);
  header.writeUInt16LE(22, 18);
  header.writeUInt32LE(1, 20);
  return header;
}
