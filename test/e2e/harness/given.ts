import { randomBytes } from "node:crypto";
import { renderGenesis } from "../../../src/evnode/genesis.ts";
import { proposerAddressOf, publicKeyOf, SEED_LENGTH } from "../../../src/evnode/keys.ts";
import { sealSigner } from "../../../src/evnode/signer.ts";
import type { ConfigMap, Secret } from "../../../src/model/objects.ts";

/** What the owner of a cluster brings along: signer, genesis, token. */

export interface GivenSigner {
  readonly signerJson: string;
  readonly passphrase: string;
  readonly proposerAddress: string;
}

export async function newSigner(): Promise<GivenSigner> {
  const seed = randomBytes(SEED_LENGTH);
  const passphrase = randomBytes(24).toString("base64url");
  const signerJson = await sealSigner({ seed, passphrase, salt: randomBytes(16), nonce: randomBytes(12) });
  return { signerJson, passphrase, proposerAddress: proposerAddressOf(publicKeyOf(seed)) };
}

export const signerEntries = ({ signerJson, passphrase }: GivenSigner) => ({
  "signer.json": signerJson,
  passphrase,
});

export function genesisOf(chainId: string, proposerAddress: string): string {
  return renderGenesis({
    chainId,
    startTime: new Date().toISOString(),
    initialHeight: 1,
    proposerAddress,
    daStartHeight: 0,
    daEpochForcedInclusion: 50,
  });
}

export function secretOf(namespace: string, name: string, entries: Readonly<Record<string, string>>): Secret {
  const data = Object.entries(entries).map(([entry, text]) => [entry, Buffer.from(text).toString("base64")]);
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name, namespace },
    type: "Opaque",
    data: Object.fromEntries(data) as Record<string, string>,
  };
}

export function configMapOf(
  namespace: string,
  name: string,
  data: Readonly<Record<string, string>>,
): ConfigMap {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace }, data };
}
