import { beforeAll, describe, expect, test } from "vitest";
import { type IdentityInput, newIdentity } from "../../src/act/identity.ts";
import type { Spec } from "../../src/api/evnodecluster.ts";
import { parseCluster } from "../../src/api/parse.ts";
import { parseGenesis, renderGenesis } from "../../src/evnode/genesis.ts";
import { parseNodeKey } from "../../src/evnode/keys.ts";
import { importSigner } from "../../src/evnode/signer.ts";
import { annotations } from "../../src/model/annotations.ts";
import type { Secret } from "../../src/model/objects.ts";
import { entryText } from "../../src/model/secret-text.ts";
import { identityView } from "../../src/observe/identity.ts";
import { cluster, evm, NOW_MS } from "../builders.ts";
import { vector } from "../evnode/fixtures.ts";
import { seededRandom } from "../runtime/seeded-random.ts";

const { signerJson, passphrase, proposerAddress } = vector;

function input(given: IdentityInput["given"] = {}, seed = 1, fields: Partial<Spec> = {}): IdentityInput {
  const parsed = parseCluster(cluster({ spec: fields }), 1);
  if (parsed.kind === "invalid") throw new Error("the builders' cluster is valid");
  return {
    cluster: "seq",
    namespace: "rollup",
    spec: parsed.spec,
    clusterDomain: "cluster.local",
    given,
    random: seededRandom(seed),
    nowMs: NOW_MS,
  };
}

/** One entry, which is there. */
function entry(secret: Secret, name: string): string {
  const text = entryText(secret, name);
  if (text === undefined) throw new Error(`there is no ${name}`);
  return text;
}

const genesisOf = (chainId: string, proposer: string) =>
  renderGenesis({
    chainId,
    startTime: "2025-01-01T00:00:00Z",
    initialHeight: 1,
    proposerAddress: proposer,
    daStartHeight: 3,
    daEpochForcedInclusion: 50,
  });

describe("a generated identity", () => {
  let secret: Secret;
  let other: Secret;

  beforeAll(async () => {
    secret = await newIdentity(input());
    other = await newIdentity(input({}, 2));
  });

  test("cannot be changed, and has no owner with which it would go", () => {
    expect(secret.immutable).toBe(true);
    expect(secret.metadata).toEqual({
      name: "seq-identity",
      namespace: "rollup",
      labels: expect.objectContaining({ "evnode.dev/cluster": "seq" }) as unknown,
      annotations: {
        [annotations.chain]: "rollup-1",
        [annotations.proposer]: expect.any(String) as unknown,
        [annotations.clusterDomain]: "cluster.local",
        [annotations.epoch]: "1",
      },
    });
  });

  test("is one that the operator reads again, not bootstrapped yet", () => {
    const view = identityView({ ...secret, metadata: { ...secret.metadata, uid: "u" } });
    expect(view).toMatchObject({
      kind: "present",
      identity: { chainId: "rollup-1", epoch: 1, clusterDomain: "cluster.local", bootstrapped: undefined },
    });
  });

  test("has a signer that opens with its passphrase, and whose address the genesis names", async () => {
    const opened = await importSigner({
      signerJson: entry(secret, "signer.json"),
      passphrase: entry(secret, "passphrase"),
    });
    if (opened.kind !== "imported") throw new Error(opened.problem);
    expect(parseGenesis(entry(secret, "genesis.json"))).toEqual({
      kind: "parsed",
      value: {
        chainId: "rollup-1",
        startTime: "2026-01-01T00:00:00.000Z",
        initialHeight: 1,
        proposerAddress: opened.signer.proposerAddress,
        daStartHeight: 0,
        daEpochForcedInclusion: 50,
      },
    });
    expect(secret.metadata.annotations?.[annotations.proposer]).toBe(opened.signer.proposerAddress);
  });

  test("has a node key of its own for each of the seven members that there can be", () => {
    const ids = [0, 1, 2, 3, 4, 5, 6].map((ordinal) => {
      const key = parseNodeKey(entry(secret, `node_key.${ordinal}.json`));
      if (key.kind === "malformed") throw new Error(key.problem);
      return key.value.peerId;
    });
    expect(new Set(ids).size).toBe(7);
    expect(Object.keys(secret.data ?? {})).toHaveLength(7 + 4);
  });

  test("is another one every time", () => {
    const names = Object.keys(secret.data ?? {});
    expect(names.filter((name) => entry(secret, name) === entry(other, name))).toEqual([]);
    expect(entry(secret, "cluster_id")).toMatch(/^[0-9a-f]{32}$/);
    expect(entry(secret, "passphrase")).toMatch(/^[-\w]{43}$/);
  });
});

test("of an EVM chain it has a token for the execution clients besides, and is otherwise the same", async () => {
  const plain = await newIdentity(input());
  const secret = await newIdentity(input({}, 1, evm));
  const { "jwt.hex": token, ...others } = secret.data ?? {};
  expect(Buffer.from(token ?? "", "base64").toString()).toMatch(/^[0-9a-f]{64}$/);
  expect(Object.keys(others)).toEqual(Object.keys(plain.data ?? {}));
  expect(others["node_key.6.json"]).toBe(plain.data?.["node_key.6.json"]);
  expect([identityView(plain), identityView(secret)]).toMatchObject([
    { identity: { hasJwt: false } },
    { identity: { hasJwt: true } },
  ]);
});

describe("what the owner gives", () => {
  const signer = { kind: "file", signerJson, passphrase } as const;

  test("a signer is taken over unchanged, and named by the genesis", async () => {
    const secret = await newIdentity(input({ signer }));
    expect(entry(secret, "signer.json")).toBe(signerJson);
    expect(entry(secret, "passphrase")).toBe(passphrase);
    expect(parseGenesis(entry(secret, "genesis.json"))).toMatchObject({ value: { proposerAddress } });
  });

  test("a private key in hex is sealed with a passphrase that is made for it", async () => {
    const key = vector.seed.toString("hex");
    const secret = await newIdentity(input({ signer: { kind: "key", key } }));
    const sealed = { signerJson: entry(secret, "signer.json"), passphrase: entry(secret, "passphrase") };
    expect(sealed.passphrase).toMatch(/^[-\w]{43}$/);
    expect(await importSigner(sealed)).toMatchObject({ signer: { proposerAddress } });
    expect(Object.keys(secret.data ?? {})).not.toContain("key");
    expect(JSON.stringify(secret.data)).not.toContain(Buffer.from(key).toString("base64").slice(0, 40));
  });

  test("a genesis is taken over unchanged, byte for byte", async () => {
    const genesis = ` ${genesisOf("rollup-1", proposerAddress)}\n`;
    expect(entry(await newIdentity(input({ signer, genesis })), "genesis.json")).toBe(genesis);
  });

  describe("a key in a key management service", () => {
    const kms = (genesis?: string): IdentityInput => {
      const keyArn = "arn:aws:kms:eu-central-1:111122223333:key/1";
      const given = input(genesis === undefined ? {} : { genesis });
      return { ...given, spec: { ...given.spec, signer: { from: "AwsKms", keyArn } } };
    };

    test("stays there: the proposer is the genesis', and there is no key file", async () => {
      const secret = await newIdentity(kms(genesisOf("rollup-1", proposerAddress)));
      expect(secret.metadata.annotations?.[annotations.proposer]).toBe(proposerAddress);
      const files = Object.keys(secret.data ?? {}).filter((name) => !name.startsWith("node_key."));
      expect(files.sort()).toEqual(["cluster_id", "genesis.json"]);
      const view = identityView({ ...secret, metadata: { ...secret.metadata, uid: "u" } });
      expect(view).toMatchObject({ kind: "present", identity: { proposer: proposerAddress } });
    });

    test("makes no identity without a genesis", async () => {
      await expect(newIdentity(kms())).rejects.toThrow(
        "the genesis cannot be used: genesis.json is not valid",
      );
    });
  });

  test.each<[string, IdentityInput["given"], string]>([
    [
      "a genesis of another proposer",
      { signer, genesis: genesisOf("rollup-1", vector.publicKey) },
      `the genesis cannot be used: the genesis names the proposer ${vector.publicKey}, but the signer's address is ${proposerAddress}`,
    ],
    [
      "a genesis of another chain",
      { signer, genesis: genesisOf("rollup-0", proposerAddress) },
      'the genesis cannot be used: the genesis is of chain "rollup-0", expected "rollup-1"',
    ],
    [
      "a genesis that is none",
      { signer, genesis: "{" },
      "the genesis cannot be used: genesis.json is not valid JSON",
    ],
    [
      "a private key that is none",
      { signer: { kind: "key", key: "5ecr3t" } },
      "the signer cannot be used: key: expected the 64 bytes of the private key in hex, or its first 32",
    ],
    [
      "a signer with another passphrase",
      { signer: { kind: "file", signerJson, passphrase: "wrong horse" } },
      "the signer cannot be used: signer.json cannot be opened with this passphrase, or was altered",
    ],
  ])("%s makes no identity, in words that tell no secret", async (_, given, message) => {
    const failure = newIdentity(input(given)).catch((error: unknown) => error);
    const error = (await failure) as Error;
    expect(error.message).toBe(message);
    for (const secret of [passphrase, "wrong horse", "priv_key_encrypted"]) {
      expect(`${error.stack} ${JSON.stringify(error)}`).not.toContain(secret);
    }
  });
});
