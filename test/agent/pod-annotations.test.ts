import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  newAnnotationsReader,
  parsePodAnnotations,
  readPodAnnotations,
} from "../../src/agent/pod-annotations.ts";

describe("values are unquoted as Go quotes them", () => {
  const cases: readonly [title: string, quoted: string, value: string][] = [
    ["plain text", "plain text = with signs", "plain text = with signs"],
    ["nothing", "", ""],
    ["JSON", String.raw`{\"id\":\"a\",\"n\":1}`, '{"id":"a","n":1}'],
    ["line ends and tabs", String.raw`a\nb\r\tc`, "a\nb\r\tc"],
    ["rare control characters", String.raw`\a\b\f\v\x01\x7f`, "\u0007\b\f\u000b\u0001\u007f"],
    ["a backslash before a letter that is no escape of its own", String.raw`C:\\new`, String.raw`C:\new`],
    ["a code point of four digits", String.raw`\u00a0`, "\u00a0"],
    ["a code point of eight digits", String.raw`\U0001f511`, "\u{1f511}"],
    ["printable characters outside ASCII", "grün 🔑", "grün 🔑"],
    ["bytes that are no valid text", String.raw`\xff`, "\ufffd"],
  ];
  test.each(cases)("%s", (_, quoted, value) => {
    expect([...parsePodAnnotations(`key="${quoted}"\n`)]).toEqual([["key", value]]);
  });
});

test("each line is an annotation of its own", () => {
  const text = 'evnode.dev/config-revision="0123456789"\nevnode.dev/order="{\\"id\\":\\"x\\"}"\n';
  expect(Object.fromEntries(parsePodAnnotations(text))).toEqual({
    "evnode.dev/config-revision": "0123456789",
    "evnode.dev/order": '{"id":"x"}',
  });
});

test.each([
  ["a line without quotes", "key=value"],
  ["a line that is cut off", 'key="val'],
  ["an escape that Go does not write", String.raw`key="\q"`],
  ["a code point beyond the last one", String.raw`key="\Uffffffff"`],
])("%s is left out, and the others stay", (_, line) => {
  expect([...parsePodAnnotations(`${line}\ngood="1"\n`)]).toEqual([["good", "1"]]);
});

test("a file that does not exist is not the same as no annotations", async () => {
  expect(await readPodAnnotations("/does/not/exist")).toBeUndefined();
});

test("a reader parses a text once, and sees every change of it", async () => {
  const folder = await mkdtemp(join(tmpdir(), "annotations-"));
  const path = join(folder, "annotations");
  const read = newAnnotationsReader(path);
  expect(await read()).toBeUndefined();
  await writeFile(path, 'key="1"\n');
  const first = await read();
  expect(first?.get("key")).toBe("1");
  expect(await read()).toBe(first);
  await writeFile(path, 'key="2"\n');
  expect((await read())?.get("key")).toBe("2");
  await rm(folder, { recursive: true });
  expect(await read()).toBeUndefined();
});
