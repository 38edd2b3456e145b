import { describe, expect, test } from "vitest";
import { checkIdentity, newIdentityCheck } from "../../src/agent/check-identity.ts";
import { proposerAddressOf, publicKeyOf } from "../../src/evnode/keys.ts";
import { CHAIN_ID, CLUSTER_ID, genesisOf, identityEntries } from "./pod.ts";

const entries = await identityEntries();

function mounted(changes: Readonly<Record<string, string | undefined>> = {}): ReadonlyMap<string, string> {
  const files = Object.entries({ ...entries, ...changes });
  return new Map(files.flatMap(([name, text]) => (text === undefined ? [] : [[name, text]])));
}

test("a whole identity gives the files that ev-node reads, and this member's node key alone", async () => {
  const finding = await checkIdentity(mounted({ cluster_id: `${CLUSTER_ID}\n` }), 1, "file");
  expect(finding).toEqual({
    kind: "accepted",
    clusterId: CLUSTER_ID,
    chainId: CHAIN_ID,
    files: new Map([
      ["genesis.json", entries["genesis.json"]],
      ["signer.json", entries["signer.json"]],
      ["passphrase", entries["passphrase"]],
      ["node_key.json", entries["node_key.1.json"]],
    ]),
  });
});

describe("with a signer in a key management service", () => {
  const without = { "signer.json": undefined, passphrase: undefined };

  test("an identity without a key file is whole, and none is installed", async () => {
    const finding = await checkIdentity(mounted(without), 1, "kms");
    expect(finding).toEqual({
      kind: "accepted",
      clusterId: CLUSTER_ID,
      chainId: CHAIN_ID,
      files: new Map([
        ["genesis.json", entries["genesis.json"]],
        ["node_key.json", entries["node_key.1.json"]],
      ]),
    });
  });

  test("nothing else may be missing", async () => {
    const finding = await checkIdentity(mounted({ ...without, "genesis.json": undefined }), 1, "kms");
    expect(finding).toMatchObject({ message: "the identity Secret is refused: it lacks genesis.json" });
  });

  test("the same Secret is judged anew for another kind of signer", async () => {
    const check = newIdentityCheck(1);
    expect(await check(mounted(without), "kms")).toMatchObject({ kind: "accepted" });
    expect(await check(mounted(without), "file")).toMatchObject({ kind: "refused" });
  });
});

describe("an identity with which ev-node could not run is refused", () => {
  const otherProposer = proposerAddressOf(publicKeyOf(new Uint8Array(32).fill(9)));
  const proposer = proposerAddressOf(publicKeyOf(new Uint8Array(32).fill(100)));
  const cases: readonly [message: string, changes: Readonly<Record<string, string | undefined>>][] = [
    ["it lacks cluster_id, signer.json", { cluster_id: "", "signer.json": undefined }],
    ["it lacks node_key.0.json", { "node_key.0.json": undefined }],
    ["genesis.json is not valid JSON", { "genesis.json": "{" }],
    ["node_key.0.json: node_key.json is not valid JSON", { "node_key.0.json": "no key" }],
    ["signer.json is not valid JSON", { "signer.json": "{" }],
    ["signer.json cannot be opened with this passphrase, or was altered", { passphrase: "wrong" }],
    [
      `the genesis names the proposer ${otherProposer}, but the signer's address is ${proposer}`,
      { "genesis.json": genesisOf(otherProposer) },
    ],
  ];
  test.each(cases)("%s", async (message, changes) => {
    expect(await checkIdentity(mounted(changes), 0, "file")).toEqual({
      kind: "refused",
      message: `the identity Secret is refused: ${message}`,
    });
  });
});

test("the same Secret is opened once, and a changed one again", async () => {
  const check = newIdentityCheck(0);
  const first = await check(mounted(), "file");
  expect(await check(mounted(), "file")).toBe(first);
  expect(await check(mounted({ passphrase: "wrong" }), "file")).toMatchObject({ kind: "refused" });
  expect(await check(mounted(), "file")).toEqual(first);
});
