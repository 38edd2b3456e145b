import { describe, expect, test } from "vitest";
import { BOLT_HEAD_LENGTH, problemOfHead } from "../../src/agent/bolt-head.ts";
import { bootstrapFiles } from "../../src/evnode/raft-bootstrap.ts";
import { LOG_FILE } from "../../src/evnode/raft-store.ts";
import { voters } from "./pod.ts";

const whole = bootstrapFiles(voters)[LOG_FILE];
const pageSize = 4_096;

function withDamageAt(...offsets: readonly number[]): Buffer {
  const file = Buffer.from(whole);
  for (const offset of offsets) file.writeUInt8(file.readUInt8(offset) ^ 0xff, offset);
  return file;
}

const cases: readonly [title: string, file: Buffer, problem: string | undefined][] = [
  ["a whole store", whole, undefined],
  ["a store that has grown", Buffer.concat([whole, Buffer.alloc(1_000_000)]), undefined],
  ["a first meta page that was torn while it was written", withDamageAt(20), undefined],
  ["a second meta page that was torn while it was written", withDamageAt(pageSize + 20), undefined],
  [
    "damage beyond the meta pages, which only the raft library would see",
    withDamageAt(3 * pageSize),
    undefined,
  ],
  ["two damaged meta pages", withDamageAt(20, pageSize + 20), "neither of its meta pages is valid"],
  ["zeros", Buffer.alloc(whole.length), "neither of its meta pages is valid"],
  ["nothing", Buffer.alloc(0), "neither of its meta pages is valid"],
  ["a part", whole.subarray(0, 10_000), "it is cut off: 10000 bytes are left of 24576"],
];

describe("the head of a store shows", () => {
  test.each(cases)("%s", (_, file, problem) => {
    expect(problemOfHead(file.subarray(0, BOLT_HEAD_LENGTH), file.length)).toBe(problem);
  });
});
