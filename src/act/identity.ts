import type { CompleteSpec } from "../api/complete-spec.ts";
import { checkGenesis, parseGenesis, renderGenesis } from "../evnode/genesis.ts";
import { parseHexKey, proposerAddressOf, publicKeyOf, renderNodeKey, SEED_LENGTH } from "../evnode/keys.ts";
import { importSigner, sealSigner } from "../evnode/signer.ts";
import { KubeError } from "../kube/errors.ts";
import { annotations } from "../model/annotations.ts";
import { FIRST_EPOCH, JWT_ENTRY } from "../model/identity.ts";
import { commonLabels, identitySecretName, MAX_MEMBERS } from "../model/names.ts";
import type { Secret } from "../model/objects.ts";
import type { GivenSigner } from "../model/signer-secret.ts";
import type { Random } from "../runtime/random.ts";

export interface IdentityInput {
  readonly cluster: string;
  readonly namespace: string;
  readonly spec: CompleteSpec;
  readonly clusterDomain: string;
  /** As the owner gave them; what is absent is generated. */
  readonly given: { readonly signer?: GivenSigner; readonly genesis?: string };
  readonly random: Random;
  readonly nowMs: number;
}

interface Signer {
  readonly signerJson: string;
  readonly passphrase: string;
  /** Address of its public key. */
  readonly proposer: string;
}

/**
 * The identity of a new cluster: signer, genesis, the node keys of all ordinals that it may ever have, and for an EVM
 * chain the token of the execution clients. A signer in a key management service stays there. The Secret is immutable
 * and has no owner reference, because losing the signer is losing the chain.
 */
export async function newIdentity(input: IdentityInput): Promise<Secret> {
  const { cluster, namespace, clusterDomain, random, given } = input;
  const isService = ["AwsKms", "GcpKms"].includes(input.spec.signer.from);
  const signer = isService ? undefined : await newSigner(given.signer, random);
  const proposer = signer?.proposer ?? givenProposer(given.genesis);
  const genesis = given.genesis ?? newGenesis(input, proposer);
  refuseOtherGenesis(genesis, input.spec, proposer);
  const nodeKeys = Array.from({ length: MAX_MEMBERS }, (_, ordinal) => [
    `node_key.${ordinal}.json`,
    renderNodeKey(random.bytes(SEED_LENGTH)),
  ]);
  const entries: Record<string, string> = {
    cluster_id: Buffer.from(random.bytes(16)).toString("hex"),
    ...(signer && { "signer.json": signer.signerJson, passphrase: signer.passphrase }),
    "genesis.json": genesis,
    ...Object.fromEntries(nodeKeys),
    ...(input.spec.execution ? { [JWT_ENTRY]: Buffer.from(random.bytes(32)).toString("hex") } : {}),
  };
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      name: identitySecretName(cluster),
      namespace,
      labels: commonLabels(cluster),
      annotations: {
        [annotations.chain]: input.spec.chain.id,
        [annotations.proposer]: proposer,
        [annotations.clusterDomain]: clusterDomain,
        [annotations.epoch]: String(FIRST_EPOCH),
      },
    },
    type: "Opaque",
    immutable: true,
    data: Object.fromEntries(Object.entries(entries).map(([entry, text]) => [entry, toBase64(text)])),
  };
}

async function newSigner(given: GivenSigner | undefined, random: Random): Promise<Signer> {
  if (given?.kind === "file") return { ...given, proposer: await proposerOf(given) };
  if (given === undefined) return sealed(random.bytes(SEED_LENGTH), random);
  const seed = parseHexKey(given.key);
  if (seed.kind === "malformed")
    throw new KubeError("Conflict", `the signer cannot be used: ${seed.problem}`);
  return sealed(seed.value, random);
}

/** With a passphrase that nobody has to think of. */
async function sealed(seed: Uint8Array, random: Random): Promise<Signer> {
  const passphrase = Buffer.from(random.bytes(32)).toString("base64url");
  const signerJson = await sealSigner({ seed, passphrase, salt: random.bytes(16), nonce: random.bytes(12) });
  return { signerJson, passphrase, proposer: proposerAddressOf(publicKeyOf(seed)) };
}

/** A given signer was proven before, and may have changed since. */
async function proposerOf(given: GivenSigner & { readonly kind: "file" }): Promise<string> {
  const imported = await importSigner(given);
  if (imported.kind !== "imported")
    throw new KubeError("Conflict", `the signer cannot be used: ${imported.problem}`);
  return imported.signer.proposerAddress;
}

/** Of a key in a key management service nothing is known here but what the genesis says. */
function givenProposer(text: string | undefined): string {
  const genesis = parseGenesis(text ?? "");
  if (genesis.kind === "malformed")
    throw new KubeError("Conflict", `the genesis cannot be used: ${genesis.problem}`);
  return genesis.value.proposerAddress;
}

function newGenesis({ spec, nowMs }: IdentityInput, proposerAddress: string): string {
  return renderGenesis({
    chainId: spec.chain.id,
    startTime: new Date(nowMs).toISOString(),
    initialHeight: 1,
    proposerAddress,
    daStartHeight: 0,
    daEpochForcedInclusion: 50,
  });
}

/** Signer and genesis were checked one after the other, and may have changed since: they are kept for ever now. */
function refuseOtherGenesis(text: string, spec: CompleteSpec, proposerAddress: string): void {
  const genesis = parseGenesis(text);
  const problems =
    genesis.kind === "malformed"
      ? [genesis.problem]
      : checkGenesis(genesis.value, {
          chainId: spec.chain.id,
          proposerAddress,
          isEvm: spec.app.kind === "evm",
        });
  if (problems.length > 0)
    throw new KubeError("Conflict", `the genesis cannot be used: ${problems.join("; ")}`);
}

const toBase64 = (text: string) => Buffer.from(text, "utf8").toString("base64");
