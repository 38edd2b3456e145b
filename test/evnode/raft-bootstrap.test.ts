import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { inMemory, readBucket } from "../../src/evnode/bolt-reader.ts";
import { writeBolt } from "../../src/evnode/bolt-writer.ts";
import { bootstrapFiles, type RaftMember } from "../../src/evnode/raft-bootstrap.ts";
import { readMembership, readTerm } from "../../src/evnode/raft-membership.ts";
import { realFile, realMembers } from "./fixtures.ts";

const name = fc
  .string({ unit: "binary", minLength: 1, maxLength: 255 })
  .filter((text) => text.isWellFormed() && Buffer.byteLength(text) <= 255);
const memberships = fc.uniqueArray(fc.record({ id: name, address: name }), {
  minLength: 1,
  maxLength: 7,
  comparator: (left, right) => left.id === right.id || left.address === right.address,
});

describe("the offline bootstrap", () => {
  it("holds, entry by entry and byte by byte, what ev-node's own bootstrap wrote", () => {
    const ours = bootstrapFiles(realMembers);
    for (const bucket of ["logs", "conf"]) {
      expect(entries(ours["raft-log.db"], bucket)).toEqual(entries(realFile("real-raft-log"), bucket));
      expect(entries(ours["raft-stable.db"], bucket)).toEqual(entries(realFile("real-raft-stable"), bucket));
    }
    expect(entries(ours["raft-log.db"], "logs")).toHaveLength(1);
    expect(entries(ours["raft-stable.db"], "conf")).toHaveLength(1);
  });

  it("reads as the same membership as ev-node's own bootstrap", () => {
    const { "raft-log.db": log, "raft-stable.db": stable } = bootstrapFiles(realMembers);
    expect(readMembership(log)).toEqual(readMembership(realFile("real-raft-log")));
    expect(readTerm(stable)).toEqual(readTerm(realFile("real-raft-stable")));
  });

  it("gives back any membership, in its order, all voters", () => {
    fc.assert(
      fc.property(memberships, (members) => {
        const { "raft-log.db": log, "raft-stable.db": stable } = bootstrapFiles(members);
        expect(readMembership(log)).toEqual({ kind: "members", members: voters(members), index: 1n });
        expect(readTerm(stable)).toEqual({ kind: "term", term: 1n });
      }),
    );
  });

  it("gives the same files for the same membership", () => {
    expect(bootstrapFiles(realMembers)).toEqual(bootstrapFiles(realMembers));
  });

  it.each<[string, readonly RaftMember[], string]>([
    ["nobody", [], "a membership without members would elect nobody"],
    [
      "an id twice",
      [
        { id: "a", address: "a:1" },
        { id: "a", address: "b:1" },
      ],
      "two members have the same id",
    ],
    [
      "an address twice",
      [
        { id: "a", address: "a:1" },
        { id: "b", address: "a:1" },
      ],
      "two members have the same address",
    ],
    ["an empty id", [{ id: "", address: "a:1" }], "a member has an empty id or address"],
    ["an empty address", [{ id: "a", address: "" }], "a member has an empty id or address"],
    [
      "half a character",
      [{ id: "\ud800", address: "a:1" }],
      "the id or address of a member is no text that raft can store",
    ],
    [
      "an endless id",
      [{ id: "a".repeat(65_536), address: "a:1" }],
      "the id or address of a member is no text that raft can store",
    ],
  ])("refuses %s", (_, members, message) => {
    expect(() => bootstrapFiles(members)).toThrow(new RangeError(message));
  });
});

describe("the membership in a raft log", () => {
  it("is found among many entries, in pages that branch", () => {
    expect(readMembership(realFile("grown-raft-log"))).toEqual({
      kind: "members",
      members: voters(realMembers),
      index: 1n,
    });
  });

  it("is not in a log that begins behind it", () => {
    expect(readMembership(realFile("compacted-raft-log"))).toEqual({ kind: "compacted", firstIndex: 151n });
  });

  it("is absent where nothing was ever bootstrapped, even if a term was", () => {
    expect(
      readMembership(
        writeBolt([
          { name: "logs", entries: [] },
          { name: "conf", entries: [] },
        ]),
      ),
    ).toEqual({ kind: "empty" });
    expect(readMembership(writeBolt([]))).toEqual({ kind: "empty" });
    expect(readMembership(realFile("real-raft-stable"))).toEqual({ kind: "empty" });
  });

  it.each<[string, Buffer, string]>([
    ["an empty file", Buffer.alloc(0), "neither meta page is valid"],
    ["an entry that is no map", withEntry(1n, Buffer.of(0x01)), "a log entry is no map"],
    ["an entry under another number", withEntry(2n, firstEntry()), "a log entry bears another number"],
    ["a configuration that is no map", withData(Buffer.of(0x01)), "a configuration is no map"],
    ["a configuration without servers", withData(Buffer.of(0x80)), "a configuration has no list of servers"],
  ])("is corrupt with %s", (_, file, why) => {
    expect(readMembership(file)).toEqual({ kind: "corrupt", why });
  });

  it("never breaks the reader, wherever a file is damaged", () => {
    const originals = [bootstrapFiles(realMembers)["raft-log.db"], realFile("grown-raft-log")];
    const damages = fc.array(fc.record({ at: fc.nat(), byte: fc.nat({ max: 255 }) }), {
      minLength: 1,
      maxLength: 20,
    });
    fc.assert(
      fc.property(
        fc.constantFrom(...originals),
        damages,
        fc.nat({ max: 6 * 4_096 }),
        (original, bytes, within) => {
          const file = Buffer.from(original);
          for (const { at, byte } of bytes) file[at % (within + 1)] = byte;
          expect(["members", "empty", "compacted", "corrupt"]).toContain(readMembership(file).kind);
          expect(["term", "none", "corrupt"]).toContain(readTerm(file).kind);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe("the term in a stable store", () => {
  it("is absent before the bootstrap", () => {
    expect(readTerm(writeBolt([{ name: "conf", entries: [] }]))).toEqual({ kind: "none" });
  });

  it("is corrupt when it is no number", () => {
    const entry = { key: Buffer.from("CurrentTerm"), value: Buffer.from("1") };
    expect(readTerm(writeBolt([{ name: "conf", entries: [entry] }]))).toEqual({
      kind: "corrupt",
      why: "the current term is no number",
    });
  });
});

function voters(members: readonly RaftMember[]) {
  return members.map((member) => ({ ...member, suffrage: "voter" }));
}

function entries(file: Buffer, bucket: string): readonly string[] {
  return [...(readBucket(inMemory(file), bucket) ?? [])].map(
    ({ key, value }) => `${key.toString("hex")} ${value.toString("hex")}`,
  );
}

function firstEntry(): Buffer {
  const [entry] = readBucket(inMemory(realFile("real-raft-log")), "logs") ?? [];
  return Buffer.from(entry?.value ?? []);
}

function withEntry(index: bigint, value: Buffer): Buffer {
  const key = Buffer.alloc(8);
  key.writeBigUInt64BE(index);
  return writeBolt([{ name: "logs", entries: [{ key, value }] }]);
}

/** The real first entry with other data in it. */
function withData(data: Buffer): Buffer {
  const entry = firstEntry();
  const start = entry.indexOf("Data") + 4;
  const rest = entry.indexOf(Buffer.concat([Buffer.of(0xaa), Buffer.from("Extensions")]));
  return withEntry(
    1n,
    Buffer.concat([entry.subarray(0, start), Buffer.of(0xa0 | data.length), data, entry.subarray(rest)]),
  );
}
