import { describe, expect, it } from "vitest";
import { ageOf, ago, span } from "../../src/cli/age.ts";
import { cleaned } from "../../src/cli/cleaned.ts";
import { redacted } from "../../src/cli/redacted.ts";
import { NOW_MS } from "../builders.ts";

describe("spans and ages", () => {
  it.each([
    [-5, "0s"],
    [999, "0s"],
    [119_000, "119s"],
    [120_000, "2m"],
    [7_199_000, "119m"],
    [7_200_000, "2h"],
    [172_800_000, "2d"],
  ])("%i ms are %s", (ms, text) => {
    expect(span(ms)).toBe(text);
  });

  it("say what is not known", () => {
    expect(ageOf(undefined, NOW_MS)).toBe("unknown");
    expect(ago(undefined, NOW_MS)).toBe("at an unknown time");
    expect(ago("yesterday", NOW_MS)).toBe("yesterday");
  });
});

describe("what is printed", () => {
  it.each([
    ["\u001B[2Jgone", "gone"],
    ["\u001B]0;title\u0007text", "text"],
    ["a\rb\u0008c\u0000", "abc"],
    ["two\nlines\twith a tab", "two\nlines\twith a tab"],
    ["right\u202Eto left", "rightto left"],
    ["äöü – ✔", "äöü – ✔"],
  ])("has no control characters: %j", (text, expected) => {
    expect(cleaned({ deep: [{ text }] })).toEqual({ deep: [{ text: expected }] });
  });
});

describe("what is reported", () => {
  it.each([
    ["http://user:pass@da:7980/path", "http://[hidden]@da:7980/path"],
    ["http://local-da:7980", "http://local-da:7980"],
    ["authorization: Bearer abcdefgh12345", "authorization: Bearer [hidden]"],
    ["--da.auth_token=abc --log=info", "--da.auth_token=[hidden] --log=info"],
    ["passphrase: hunter2, next", "passphrase: [hidden], next"],
    ['{"secret":"hunter2"}', '{"secret":"[hidden]"}'],
    ["eyJhbGciOi.eyJzdWIi.c2ln is a token", "[hidden] is a token"],
    ["-----BEGIN PRIVATE KEY-----\nMII\n-----END PRIVATE KEY----- behind", "[hidden] behind"],
    ["Secret seq-identity is gone", "Secret seq-identity is gone"],
    ["my-secret-name", "my-secret-name"],
  ])("hides what looks like a secret: %j", (text, expected) => {
    expect(redacted({ deep: [text] })).toEqual({ deep: [expected] });
  });

  it("hides the value behind a flag", () => {
    expect(redacted(["--jwt-secret", "abc", "--log", "info"])).toEqual([
      "--jwt-secret",
      "[hidden]",
      "--log",
      "info",
    ]);
  });
});
