import { expect, test } from "vitest";
import { configRevision } from "../../src/model/config-revision.ts";

const configs = new Map([
  ["chain-0", "a: 1\n"],
  ["chain-1", "a: 2\n"],
]);

test("a revision is ten hexadecimal digits that stay the same for ever", () => {
  expect(configRevision(configs)).toBe("b6949dd9b3");
});

test("the order in which members are listed does not matter", () => {
  expect(configRevision(new Map([...configs].toReversed()))).toBe(configRevision(configs));
});

test.each<[string, Map<string, string>]>([
  ["another text of one member", new Map([...configs, ["chain-1", "a: 3\n"]])],
  ["a text that was cut off", new Map([...configs, ["chain-1", "a: 2"]])],
  [
    "texts that changed places",
    new Map([
      ["chain-0", "a: 2\n"],
      ["chain-1", "a: 1\n"],
    ]),
  ],
  ["one member less", new Map([["chain-0", "a: 1\n"]])],
  [
    "a text moved over the border between name and text",
    new Map([
      ["chain-0a: 1\n", ""],
      ["chain-1", "a: 2\n"],
    ]),
  ],
])("%s is another revision", (_, changed) => {
  expect(configRevision(changed)).not.toBe(configRevision(configs));
});
