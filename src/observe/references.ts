import type { CompleteSpec, CompleteStorage, KeyReference } from "../api/complete-spec.ts";
import { checkGenesis, parseGenesis } from "../evnode/genesis.ts";
import { parseHexKey, proposerAddressOf, publicKeyOf } from "../evnode/keys.ts";
import { malformed, type Parsed, parsed } from "../evnode/parsed.ts";
import { importSigner } from "../evnode/signer.ts";
import { KubeError } from "../kube/errors.ts";
import { isJsonObject } from "../model/json.ts";
import { type Kind, kinds } from "../model/kinds.ts";
import type { KubeObject } from "../model/kube-object.ts";
import type { ConfigMap, Secret } from "../model/objects.ts";
import { entryText } from "../model/secret-text.ts";
import { type GivenSigner, givenSigner, SIGNER_ENTRIES } from "../model/signer-secret.ts";
import type { Referenced, References } from "../plan/snapshot.ts";

/** Reads an object by name; its age is the caller's business. */
export type ReadObject = <T extends KubeObject>(kind: Kind<T>, name: string) => Promise<T | undefined>;

const notAsked = { kind: "notAsked" } as const;

export interface ReferenceNeeds {
  /** Signer and genesis are read only while no identity has taken them over. */
  readonly needsIdentity: boolean;
  /** Such an operator has no right to what belongs to all namespaces, and does not ask: the claim's own events will tell. */
  readonly isForOneNamespace: boolean;
}

/** Reads what the spec refers to. */
export async function readReferences(
  read: ReadObject,
  spec: CompleteSpec,
  { needsIdentity, isForOneNamespace }: ReferenceNeeds,
): Promise<References> {
  const signer = needsIdentity ? await readSigner(read, spec) : { public: notAsked, proposer: undefined };
  const [genesis, daAuthToken, storageClass, executionGenesis] = await Promise.all([
    needsIdentity ? readGenesis(read, spec, signer.proposer) : notAsked,
    readToken(read, spec),
    isForOneNamespace ? notAsked : readStorageClasses(read, spec),
    readExecutionGenesis(read, spec),
  ]);
  return { signer: signer.public, genesis, daAuthToken, storageClass, executionGenesis };
}

export const NO_REFERENCES: References = {
  signer: notAsked,
  genesis: notAsked,
  daAuthToken: notAsked,
  storageClass: notAsked,
  executionGenesis: notAsked,
};

interface SignerReading {
  readonly public: Referenced<undefined>;
  readonly proposer: string | undefined;
}

async function readSigner(read: ReadObject, { signer }: CompleteSpec): Promise<SignerReading> {
  if (signer.from !== "Secret") return { public: notAsked, proposer: undefined };
  const where = `Secret ${signer.name} (spec.signer.secretName)`;
  const secret = await read(kinds.secret, signer.name);
  if (!secret)
    return refuse({
      kind: "missing",
      message: `${where} does not exist. Create it, or remove the field to have a signer generated.`,
    });

  const given = givenSigner(secret);
  if (given === undefined)
    return refuse({ kind: "invalid", message: `${where} must hold ${SIGNER_ENTRIES}.` });
  const proposer = await proposerOf(given);
  if (proposer.kind === "malformed")
    return refuse({ kind: "invalid", message: `${where}: ${proposer.problem}.` });
  return { public: { kind: "found", value: undefined }, proposer: proposer.value };
}

async function proposerOf(given: GivenSigner): Promise<Parsed<string>> {
  if (given.kind === "key") {
    const seed = parseHexKey(given.key);
    return seed.kind === "malformed" ? seed : parsed(proposerAddressOf(publicKeyOf(seed.value)));
  }
  const imported = await importSigner(given);
  return imported.kind === "imported" ? parsed(imported.signer.proposerAddress) : malformed(imported.problem);
}

const refuse = (problem: Referenced<undefined>): SignerReading => ({ public: problem, proposer: undefined });

async function readGenesis(
  read: ReadObject,
  { chain, app, signer }: CompleteSpec,
  signersAddress: string | undefined,
): Promise<Referenced<string>> {
  if (chain.genesis.from === "Generated") return notAsked;
  const { from, reference } = chain.genesis;
  const found = await readEntry(read, from, reference, "spec.chain.genesis");
  if (found.kind !== "found") return found;

  const genesis = parseGenesis(found.value);
  const where = `${from} ${reference.name}, entry ${reference.key} (spec.chain.genesis)`;
  if (genesis.kind === "malformed") return { kind: "invalid", message: `${where}: ${genesis.problem}.` };
  const isService = signer.from === "AwsKms" || signer.from === "GcpKms";
  // Only a member that leads can tell whether the service's key is that of the genesis.
  const proposer = isService ? genesis.value.proposerAddress : signersAddress;
  if (proposer === undefined) {
    const message = `${where} names a proposer, so its signer must be given too: set spec.signer.secretName, or remove spec.chain.genesis to have both generated.`;
    return { kind: "invalid", message, reason: "ProposerMismatch" };
  }
  const expected = { chainId: chain.id, proposerAddress: proposer, isEvm: app.kind === "evm" };
  const problems = checkGenesis(genesis.value, expected);
  if (problems.length === 0) return found;
  const isOther = genesis.value.proposerAddress !== proposer;
  const message = `${where}: ${problems.join("; ")}.`;
  return { kind: "invalid", message, ...(isOther ? { reason: "ProposerMismatch" as const } : {}) };
}

async function readToken(read: ReadObject, { da }: CompleteSpec): Promise<Referenced<string>> {
  if (!da.authTokenSecret) return notAsked;
  const found = await readEntry(read, "Secret", da.authTokenSecret, "spec.da.authTokenSecret");
  if (found.kind !== "found") return found;
  const token = found.value.trim();
  const { name, key } = da.authTokenSecret;
  if (token === "" || /\s/.test(token)) {
    return {
      kind: "invalid",
      message: `Secret ${name}, entry ${key} (spec.da.authTokenSecret) is empty or holds white space.`,
    };
  }
  return { kind: "found", value: token };
}

async function readEntry(
  read: ReadObject,
  from: "ConfigMap" | "Secret",
  { name, key }: KeyReference,
  field: string,
): Promise<Referenced<string>> {
  const object = from === "Secret" ? await read(kinds.secret, name) : await read(kinds.configMap, name);
  if (!object) return { kind: "missing", message: `${from} ${name} (${field}) does not exist. Create it.` };
  const value = from === "Secret" ? entryText(object as Secret, key) : (object as ConfigMap).data?.[key];
  if (value === undefined)
    return { kind: "missing", message: `${from} ${name} (${field}) has no entry ${key}.` };
  return { kind: "found", value };
}

/** What it says is ev-reth's business; a ConfigMap that is missing would leave a new pod waiting for ever. */
async function readExecutionGenesis(
  read: ReadObject,
  { execution }: CompleteSpec,
): Promise<Referenced<undefined>> {
  if (execution === undefined) return notAsked;
  const { genesisConfigMap: reference } = execution;
  const found = await readEntry(read, "ConfigMap", reference, "spec.execution.genesisConfigMap");
  if (found.kind !== "found") return found;
  if (isJsonObject(found.value)) return { kind: "found", value: undefined };
  const message = `ConfigMap ${reference.name}, entry ${reference.key} (spec.execution.genesisConfigMap) is no JSON object; the genesis file of the execution layer was expected.`;
  return { kind: "invalid", message };
}

/** The first that is missing. */
async function readStorageClasses(
  read: ReadObject,
  { storage, execution }: CompleteSpec,
): Promise<Referenced<undefined>> {
  const first = await readStorageClass(read, storage, "spec.storage");
  if (execution === undefined || first.kind === "missing") return first;
  const second = await readStorageClass(read, execution.storage, "spec.execution.storage");
  return second.kind === "notAsked" ? first : second;
}

/** The default class, if none is named, is Kubernetes' own business. */
async function readStorageClass(
  read: ReadObject,
  { storageClassName }: CompleteStorage,
  field: string,
): Promise<Referenced<undefined>> {
  if (storageClassName === undefined) return notAsked;
  try {
    if (await read(kinds.storageClass, storageClassName)) return { kind: "found", value: undefined };
  } catch (error) {
    // Roles that somebody else made may be narrower than the chart's.
    if (error instanceof KubeError && error.kind === "Forbidden") return notAsked;
    throw error;
  }
  const message = `StorageClass ${storageClassName} (${field}.storageClassName) does not exist: see kubectl get storageclasses.`;
  return { kind: "missing", message };
}
