import { describe, expect, test } from "vitest";
import { type LabelSelector, parseSelector, selectionOf } from "./label-selector.ts";

const labels = { app: "seq", tier: "a" };

test.each<[string, LabelSelector | undefined, boolean]>([
  ["nothing, which selects nothing", undefined, false],
  ["an empty selector, which selects all", {}, true],
  ["labels that match", { matchLabels: { app: "seq" } }, true],
  ["labels of which one does not", { matchLabels: { app: "seq", tier: "b" } }, false],
  [
    "a value among several",
    { matchExpressions: [{ key: "tier", operator: "In", values: ["a", "b"] }] },
    true,
  ],
  [
    "no value among several",
    { matchExpressions: [{ key: "tier", operator: "NotIn", values: ["a"] }] },
    false,
  ],
  ["a label that is there", { matchExpressions: [{ key: "app", operator: "Exists" }] }, true],
  ["a label that is not", { matchExpressions: [{ key: "app", operator: "DoesNotExist" }] }, false],
])("%s", (_, selector, expected) => {
  expect(selectionOf(selector)(labels)).toBe(expected);
});

describe("the text of a selector", () => {
  test.each([
    ["", true],
    [" app = seq , tier in (a, b) ", true],
    ["evnode.dev/role=leader", false],
    ["app=", false],
  ])("'%s' selects: %s", (text, expected) => {
    expect(parseSelector(text)?.(labels)).toBe(expected);
  });

  test.each(["a in b", "=a", "a b", "!"])("'%s' is none", (text) => {
    expect(parseSelector(text)).toBeUndefined();
  });
});
