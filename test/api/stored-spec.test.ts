import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseCluster } from "../../src/api/parse.ts";
import { readStoredSpec } from "../../src/api/stored-spec.ts";
import { arbitrarySpec } from "../arbitrary-spec.ts";
import { cluster } from "../builders.ts";
import { changed, type Leaf, leavesOf } from "../leaves.ts";

const complete = (fields: Parameters<typeof cluster>[0]) => {
  const parsed = parseCluster(cluster(fields), 1);
  if (parsed.kind === "invalid") throw new Error(parsed.problems.join());
  return parsed.spec;
};
const asJson = (value: unknown) => JSON.parse(JSON.stringify(value)) as Record<string, unknown>;
const minimal = asJson(complete({}));

test("every complete spec is read back as it was stored, to the last letter", () => {
  fc.assert(
    fc.property(arbitrarySpec(), (spec) => {
      const text = JSON.stringify(complete({ spec }));
      const read = readStoredSpec(JSON.parse(text));
      expect(read.kind === "readable" && JSON.stringify(read.spec)).toBe(text);
    }),
    { numRuns: 100 },
  );
});

test("a given signer and genesis are read back too", () => {
  const from = { name: "genesis", key: "genesis.json" };
  for (const genesis of [{ configMap: from }, { secret: from }]) {
    const spec = complete({ spec: { chain: { id: "rollup-1", genesis }, signer: { secretName: "keys" } } });
    expect(readStoredSpec(asJson(spec))).toEqual({ kind: "readable", spec });
  }
});

test("so is a key in a key management service", () => {
  const chain = { id: "rollup-1", genesis: { configMap: { name: "genesis", key: "genesis.json" } } };
  const keyArn = "arn:aws:kms:eu-central-1:111122223333:key/1";
  const keyVersion = "projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1";
  for (const signer of [{ awsKms: { keyArn, timeout: "2s" } }, { gcpKms: { keyVersion, maxRetries: 0 } }]) {
    const spec = complete({ spec: { chain, signer } });
    expect(readStoredSpec(asJson(spec))).toEqual({ kind: "readable", spec });
  }
});

describe("what is no complete spec", () => {
  test.each<[string, unknown, string]>([
    ["nothing", undefined, "spec: Invalid input: expected object, received undefined"],
    ["a text", "spec", "spec: Invalid input: expected object, received string"],
    ["an empty one", {}, "spec.defaultsVersion: Invalid input: expected number, received undefined"],
    [
      "one without a field",
      { ...minimal, image: undefined },
      "spec.image: Invalid input: expected string, received undefined",
    ],
    [
      "one without a default",
      { ...minimal, rpc: undefined },
      "spec: it has other fields than this version writes",
    ],
    ["one with a field too many", { ...minimal, x: 1 }, "spec: it has other fields than this version writes"],
    [
      "one that no rule allows",
      { ...minimal, rpc: { port: 5001 } },
      "spec: The ports of raft, p2p, rpc and metrics must differ from each other and from 9090, which the agent uses.",
    ],
    [
      "one with a time in fractions",
      { ...minimal, chain: { id: "rollup-1", blockTimeMs: 0.5, genesis: { from: "Generated" } } },
      "spec.chain.blockTimeMs: Invalid input: expected int, received number",
    ],
  ])("%s is told from it", (_, stored, problem) => {
    expect(readStoredSpec(asJson({ stored })["stored"])).toEqual({ kind: "unreadable", problem });
  });

  test("one with the defaults of a later version is another's", () => {
    expect(readStoredSpec({ ...minimal, defaultsVersion: 2 })).toEqual({
      kind: "newer",
      problem: "spec.defaultsVersion: version 2 is not known here",
    });
  });
});

test("whatever single value is another, it is read as such or not at all, and never with an error", () => {
  const leaves: readonly Leaf[] = leavesOf(minimal);
  const values = fc.constantFrom<unknown>(undefined, null, 0, -1, 1.5, "", "x", [], {}, true);
  fc.assert(
    fc.property(fc.constantFrom(...leaves), values, ({ path }, value) => {
      const stored = asJson(changed(minimal, path, value));
      const read = readStoredSpec(stored);
      expect(read.kind === "readable" ? asJson(read.spec) : stored).toEqual(stored);
    }),
    { numRuns: 500 },
  );
});
