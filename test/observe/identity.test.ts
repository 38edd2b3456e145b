import { describe, expect, test } from "vitest";
import { renderGenesis } from "../../src/evnode/genesis.ts";
import { annotations } from "../../src/model/annotations.ts";
import { genesisDigest } from "../../src/model/fingerprints.ts";
import type { Secret } from "../../src/model/objects.ts";
import { identityView } from "../../src/observe/identity.ts";
import { vector } from "../evnode/fixtures.ts";

const genesis = renderGenesis({
  chainId: "rollup-1",
  startTime: "2026-01-01T00:00:00Z",
  initialHeight: 1,
  proposerAddress: vector.proposerAddress,
  daStartHeight: 0,
  daEpochForcedInclusion: 50,
});
const nodeKeys = Object.fromEntries(
  [0, 1, 2, 3, 4, 5, 6].map((n) => [`node_key.${n}.json`, vector.nodeKeyJson]),
);
const notes = {
  [annotations.epoch]: "2",
  [annotations.clusterDomain]: "cluster.local",
  [annotations.bootstrapped]: "1",
  [annotations.membership]: "3 members, raft port 5001",
};

function secret(
  entries: Readonly<Record<string, string | undefined>> = {},
  changed: Readonly<Record<string, string | undefined>> = {},
): Secret {
  const all = { cluster_id: "c1", "genesis.json": genesis, ...nodeKeys, ...entries };
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      name: "seq-identity",
      uid: "u",
      resourceVersion: "7",
      annotations: present({ ...notes, ...changed }),
    },
    data: Object.fromEntries(
      Object.entries(present(all)).map(([entry, text]) => [entry, Buffer.from(text).toString("base64")]),
    ),
  };
}

function present(fields: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  );
}

test("no Secret is an absent identity", () => {
  expect(identityView(undefined)).toEqual({ kind: "absent" });
});

test("the public facts are taken out, and nothing of a key", () => {
  const secretWithKeys = secret({ "signer.json": vector.signerJson, passphrase: vector.passphrase });
  expect(identityView(secretWithKeys)).toEqual({
    kind: "present",
    identity: {
      resourceVersion: "7",
      uid: "u",
      clusterId: "c1",
      chainId: "rollup-1",
      proposer: vector.proposerAddress,
      genesisDigest: genesisDigest(genesis),
      peerIds: Array.from({ length: 7 }, () => vector.peerId),
      clusterDomain: "cluster.local",
      hasJwt: false,
      epoch: 2,
      bootstrapped: 1,
      membership: { replicas: 3, raftPort: 5001 },
    },
  });
});

test("a Secret that was read again is looked at again", () => {
  const first = secret();
  expect(identityView(first)).toBe(identityView(first));
  const marked = secret({}, { [annotations.bootstrapped]: "2" });
  expect(identityView(marked)).toMatchObject({ identity: { bootstrapped: 2 } });
});

test.each<[string, Readonly<Record<string, string | undefined>>]>([
  ["not bootstrapped yet", { [annotations.bootstrapped]: undefined }],
  ["bootstrapped in words", { [annotations.bootstrapped]: "yes" }],
  ["bootstrapped in epoch 0, which does not exist", { [annotations.bootstrapped]: "0" }],
])("an identity that is %s has no epoch that was bootstrapped", (_, changed) => {
  const view = identityView(secret({}, changed));
  expect(view.kind === "present" && view.identity.bootstrapped).toBeUndefined();
});

describe("an identity that cannot be used says what is wrong, and quotes nothing of it", () => {
  test.each<[string, Secret, string]>([
    ["without its id", secret({ cluster_id: undefined }), "cluster_id is missing"],
    ["without a genesis", secret({ "genesis.json": undefined }), "genesis.json is not valid JSON"],
    [
      "with a cut-off genesis",
      secret({ "genesis.json": genesis.slice(0, 40) }),
      "genesis.json is not valid JSON",
    ],
    [
      "without an epoch",
      secret({}, { [annotations.epoch]: undefined }),
      "annotation evnode.dev/epoch is missing",
    ],
    [
      "with an odd epoch",
      secret({}, { [annotations.epoch]: "1.5" }),
      "annotation evnode.dev/epoch is missing",
    ],
    [
      "without a DNS domain",
      secret({}, { [annotations.clusterDomain]: undefined }),
      "annotation evnode.dev/cluster-domain is missing",
    ],
    [
      "without the key of the last possible member",
      secret({ "node_key.6.json": undefined }),
      "node_key.6.json: node_key.json is not valid JSON",
    ],
    [
      "with a key that was cut off",
      secret({ "node_key.0.json": vector.nodeKeyJson.slice(0, 60) }),
      "node_key.0.json: node_key.json is not valid JSON",
    ],
  ])("%s", (_, given, what) => {
    expect(identityView(given)).toEqual({ kind: "unusable", message: `Secret seq-identity: ${what}` });
  });
});
