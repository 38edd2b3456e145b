import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isOwnedFlag, ownedFlags } from "../../src/api/schema/owned-flags.ts";

/** ev-node's own reading of an argument, step by step: cut off the value, map the old prefix, look the name up. */
function setsOwnedFlag(argument: string): boolean {
  if (!argument.startsWith("--")) return false;
  const name = argument.slice(2).split("=")[0] ?? "";
  if (name === "home") return true;
  const prefix = ["evnode.", "rollkit."].find((candidate) => name.startsWith(candidate));
  if (prefix === undefined) return false;
  const key = name.slice(prefix.length);
  return ownedFlags.some((owned) => (owned.endsWith(".") ? key.startsWith(owned) : key === owned));
}

const keys = fc.oneof(
  fc.constantFrom(...ownedFlags, "home", "node.max_pending_headers_and_data", "pruning.pruning_mode", "raft"),
  fc.constantFrom(...ownedFlags).map((owned) => `${owned}enable`),
  fc.constantFrom(...ownedFlags).map((owned) => owned.slice(0, -1)),
  fc.string({ maxLength: 12 }),
);
const prefixes = fc.constantFrom(
  "--",
  "-",
  "",
  "--evnode.",
  "--rollkit.",
  "--evnode.evnode.",
  "--EVNODE.",
  "--evnodex",
);
const values = fc.constantFrom("", "=", "=true", "=a=b", " x", "\n", ".x");

describe("isOwnedFlag", () => {
  it("refuses exactly what ev-node would read as a flag of the operator's", () => {
    fc.assert(
      fc.property(prefixes, keys, values, (prefix, key, value) => {
        const argument = `${prefix}${key}${value}`;
        expect(isOwnedFlag(argument)).toBe(setsOwnedFlag(argument));
      }),
      { numRuns: 5_000 },
    );
  });

  it.each(ownedFlags)("owns %s under both prefixes", (flag) => {
    const name = flag.endsWith(".") ? `${flag}enable` : flag;
    const verdicts = ["evnode", "rollkit"].map((prefix) => isOwnedFlag(`--${prefix}.${name}=1`));
    expect(verdicts).toEqual([true, true]);
  });
});
