import * as z from "zod";
import { parseGenesis } from "../evnode/genesis.ts";
import { parseNodeKey } from "../evnode/keys.ts";
import { importSigner } from "../evnode/signer.ts";
import { annotations } from "../model/annotations.ts";
import { readJson } from "../model/json.ts";
import { commonLabels, identitySecretName, MAX_MEMBERS } from "../model/names.ts";
import type { Secret } from "../model/objects.ts";
import { entryText } from "../model/secret-text.ts";

/** What of an identity Secret is kept in a backup: enough to make it again, as it was. */
const copySchema = z.strictObject({
  namespace: z.string().min(1),
  name: z.string().min(1),
  annotations: z.record(z.string(), z.string()),
  /** Base64, as on the wire. */
  data: z.record(z.string(), z.base64()),
});

export type IdentityCopy = Readonly<z.output<typeof copySchema>>;

/** Facts that must survive with the keys; others are of the earlier life of the Secret. */
const keptNotes = [
  annotations.chain,
  annotations.proposer,
  annotations.clusterDomain,
  annotations.epoch,
  annotations.bootstrapped,
  annotations.membership,
];

export function copyOf(cluster: string, { metadata, data = {} }: Secret): IdentityCopy {
  const notes = keptNotes.flatMap((key) => {
    const value = metadata.annotations?.[key];
    return value === undefined ? [] : [[key, value] as const];
  });
  const { namespace = "" } = metadata;
  return { namespace, name: cluster, annotations: Object.fromEntries(notes), data: { ...data } };
}

/** Undefined when the text is something else. Nothing of it is told: it holds keys. */
export const readCopy = (text: string): IdentityCopy | undefined => readJson(copySchema, text);

/** The Secret as the operator would have made it. */
export function secretOf({ namespace, name, annotations: notes, data }: IdentityCopy): Secret {
  const metadata = {
    name: identitySecretName(name),
    namespace,
    labels: commonLabels(name),
    annotations: notes,
  };
  return { apiVersion: "v1", kind: "Secret", metadata, type: "Opaque", immutable: true, data };
}

/** Whether a Secret holds the same keys and the same genesis, for the same cluster. */
export function isSameIdentity(copy: IdentityCopy, { data = {} }: Secret): boolean {
  const entries = Object.entries(copy.data);
  return entries.length === Object.keys(data).length && entries.every(([key, value]) => data[key] === value);
}

export type Proof =
  | {
      readonly kind: "whole";
      readonly chainId: string;
      readonly proposer: string;
      readonly hasSigner: boolean;
    }
  | { readonly kind: "unusable"; readonly problem: string };

const unusable = (problem: string): Proof => ({ kind: "unusable", problem });

/**
 * Whether a chain can go on with this identity: every key can be read, and the signer can be opened and is the one
 * that the genesis names. A copy from before the chain began would let it begin once more, so it is none.
 */
export async function prove(copy: IdentityCopy): Promise<Proof> {
  const secret = secretOf(copy);
  const text = (entry: string) => entryText(secret, entry) ?? "";
  if (text("cluster_id") === "") return unusable("entry cluster_id is missing");
  const genesis = parseGenesis(text("genesis.json"));
  if (genesis.kind === "malformed") return unusable(genesis.problem);
  for (let ordinal = 0; ordinal < MAX_MEMBERS; ordinal++) {
    const key = parseNodeKey(text(`node_key.${ordinal}.json`));
    if (key.kind === "malformed") return unusable(`node_key.${ordinal}.json: ${key.problem}`);
  }
  const missing = [annotations.epoch, annotations.clusterDomain].find((key) => !copy.annotations[key]);
  if (missing !== undefined) return unusable(`annotation ${missing} is missing`);
  if (copy.annotations[annotations.bootstrapped] === undefined)
    return unusable("the chain has not begun yet");

  const { chainId, proposerAddress: proposer } = genesis.value;
  const signerJson = text("signer.json");
  // A key in a key management service stays there.
  if (signerJson === "") return { kind: "whole", chainId, proposer, hasSigner: false };
  const signer = await importSigner({ signerJson, passphrase: text("passphrase") });
  if (signer.kind !== "imported") return unusable(signer.problem);
  if (signer.signer.proposerAddress !== proposer)
    return unusable("the genesis names another proposer than the signer");
  return { kind: "whole", chainId, proposer, hasSigner: true };
}
