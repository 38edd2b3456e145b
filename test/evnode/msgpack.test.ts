import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CorruptFile } from "../../src/evnode/corrupt-file.ts";
import { decodeMsgpack, encodeMsgpack, type Msgpack, raw } from "../../src/evnode/msgpack.ts";

const { value: values } = fc.letrec<{ value: Msgpack }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constant(null),
    fc.boolean(),
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    fc.array(tie("value"), { maxLength: 20 }),
    fc
      .dictionary(fc.string(), tie("value"), { maxKeys: 20 })
      .map((entries) => new Map(Object.entries(entries))),
  ),
}));

describe("MessagePack", () => {
  it("reads back whatever it writes", () => {
    fc.assert(
      fc.property(values, (value) => {
        expect(decodeMsgpack(encodeMsgpack(value))).toEqual(value);
      }),
    );
  });

  it.each<[string, Msgpack]>([
    ["c0", null],
    ["c2", false],
    ["c3", true],
    ["7f", 127n],
    ["cc80", 128n],
    ["ccff", 255n],
    ["cd0100", 256n],
    ["ce00010000", 65_536n],
    ["cf0000000100000000", 4_294_967_296n],
    ["cfffffffffffffffff", 18_446_744_073_709_551_615n],
    ["a161", raw("a")],
    ["9101", [1n]],
    ["81a16105", new Map([["a", 5n]])],
  ])("writes %s", (bytes, value) => {
    expect(encodeMsgpack(value).toString("hex")).toBe(bytes);
  });

  it("writes texts of 32 bytes and more in the old raw form, with a length of 16 or 32 bits", () => {
    expect(encodeMsgpack(Buffer.alloc(31)).subarray(0, 1).toString("hex")).toBe("bf");
    expect(encodeMsgpack(Buffer.alloc(32)).subarray(0, 3).toString("hex")).toBe("da0020");
    expect(encodeMsgpack(Buffer.alloc(255)).subarray(0, 3).toString("hex")).toBe("da00ff");
    expect(encodeMsgpack(Buffer.alloc(65_536)).subarray(0, 5).toString("hex")).toBe("db00010000");
  });

  it.each<[string, Msgpack]>([
    ["c40161", raw("a")],
    ["c5000161", raw("a")],
    ["c60000000161", raw("a")],
    ["d90161", raw("a")],
    ["db0000000161", raw("a")],
    ["ff", -1n],
    ["dd0000000101", [1n]],
    ["df00000001a16105", new Map([["a", 5n]])],
  ])("also reads %s, a form of newer writers", (bytes, value) => {
    expect(decodeMsgpack(Buffer.from(bytes, "hex"))).toEqual(value);
  });

  it.each([
    ["", "a MessagePack value is cut off"],
    ["a2", "a MessagePack value is cut off"],
    ["da00", "a MessagePack value is cut off"],
    ["92", "a MessagePack value is cut off"],
    ["ddffffffff", "a MessagePack value is cut off"],
    ["c0c0", "bytes follow a complete MessagePack value"],
    ["8101c0", "a MessagePack map has a key that is no text"],
    ["c1", "MessagePack type 0xc1 is not one that raft writes"],
    ["ca00000000", "MessagePack type 0xca is not one that raft writes"],
    ["91".repeat(20), "a MessagePack value is nested too deeply"],
  ])("refuses %j", (bytes, message) => {
    expect(() => decodeMsgpack(Buffer.from(bytes, "hex"))).toThrow(new CorruptFile(message));
  });

  it("does not write negative numbers", () => {
    expect(() => encodeMsgpack(-1n)).toThrow(RangeError);
  });
});
