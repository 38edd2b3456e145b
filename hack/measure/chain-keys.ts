import { renderGenesis } from "../../src/evnode/genesis.ts";
import { proposerAddressOf, publicKeyOf, renderNodeKey, SEED_LENGTH } from "../../src/evnode/keys.ts";
import { sealSigner } from "../../src/evnode/signer.ts";
import { systemRandom as random } from "../../src/runtime/random.ts";
import type { ChainMaterial } from "../local-cluster/yardstick.ts";

/** Keys and genesis for a yardstick, made in this process: it needs no program of the node. */
export async function newChainKeys(replicas: number, chainId: string): Promise<ChainMaterial> {
  const seed = random.bytes(SEED_LENGTH);
  const passphrase = Buffer.from(random.bytes(16)).toString("hex");
  return {
    passphrase,
    signer: await sealSigner({ seed, passphrase, salt: random.bytes(16), nonce: random.bytes(12) }),
    genesis: renderGenesis({
      chainId,
      startTime: new Date().toISOString(),
      initialHeight: 1,
      proposerAddress: proposerAddressOf(publicKeyOf(seed)),
      daStartHeight: 0,
      daEpochForcedInclusion: 50,
    }),
    nodeKeys: Array.from({ length: replicas }, () => renderNodeKey(random.bytes(SEED_LENGTH))),
  };
}
