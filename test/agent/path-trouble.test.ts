import { describe, expect, test } from "vitest";
import type { Reach } from "../../src/agent/findings.ts";
import { type Trouble, type TroubleView, troubleWith } from "../../src/agent/path-trouble.ts";
import { NOW } from "./findings.ts";

const reached: Reach = { kind: "reached", rttMs: 1, atMs: NOW };
const refused: Reach = { kind: "refused", rttMs: 1, atMs: NOW };
const silent: Reach = { kind: "timedOut", atMs: NOW };
const nameless: Reach = { kind: "unresolved", atMs: NOW };
const since = (agoMs: number): Trouble => ({ sinceMs: NOW - agoMs, lasts: false });
const lasts = (agoMs: number): Trouble => ({ sinceMs: NOW - agoMs, lasts: true });

describe("trouble with a port", () => {
  test.each<[string, Reach, Partial<TroubleView>, Trouble | undefined]>([
    [
      "is none when it is reached, however long there was some",
      reached,
      { before: lasts(99_999) },
      undefined,
    ],
    ["is none before the first look", { kind: "unknown" }, {}, undefined],
    ["is none when it refuses and nobody is known to listen", refused, {}, undefined],
    [
      "is none when it refuses and nobody listens, which ends what was",
      refused,
      { listens: false, before: lasts(50_000) },
      undefined,
    ],
    ["begins when it refuses although ev-node listens", refused, { listens: true }, since(0)],
    ["begins with silence", silent, {}, since(0)],
    ["begins with a name without an address", nameless, {}, since(0)],
    ["goes on when its kind changes", nameless, { before: since(10_000) }, since(10_000)],
    [
      "lasts after as long as an old address may be given out, and a while",
      silent,
      { before: since(45_000) },
      lasts(45_000),
    ],
    ["does not a moment earlier", silent, { before: since(44_999) }, since(44_999)],
    ["lasts sooner while nothing runs", silent, { mayRun: false, before: since(5_000) }, lasts(5_000)],
    ["does not a moment earlier there", silent, { mayRun: false, before: since(4_999) }, since(4_999)],
  ])("%s", (_, reach, view, expected) => {
    const usual = { before: undefined, listens: undefined, mayRun: true, nowMs: NOW };
    expect(troubleWith(reach, { ...usual, ...view })).toEqual(expected);
  });
});
