import { parseGenesis } from "../evnode/genesis.ts";
import { parseNodeKey } from "../evnode/keys.ts";
import { annotations } from "../model/annotations.ts";
import { genesisDigest } from "../model/fingerprints.ts";
import { type IdentityView, JWT_ENTRY, parseMembership } from "../model/identity.ts";
import { epochFrom } from "../model/member.ts";
import { MAX_MEMBERS } from "../model/names.ts";
import type { Secret } from "../model/objects.ts";
import { remembered } from "../model/remembered.ts";
import { entryText } from "../model/secret-text.ts";

/** Takes the public facts out of an identity Secret. Nothing of a key is kept. */
export const identityView = (secret: Secret | undefined): IdentityView =>
  secret ? viewOf(secret) : { kind: "absent" };

/** Proving seven keys takes a tenth of a reconcile. */
const viewOf = remembered((secret: Secret): IdentityView => {
  const { name, annotations: notes = {}, resourceVersion = "", uid = "" } = secret.metadata;
  const unusable = (what: string): IdentityView => ({ kind: "unusable", message: `Secret ${name}: ${what}` });

  const clusterId = entryText(secret, "cluster_id");
  if (!clusterId) return unusable("cluster_id is missing");
  const genesisText = entryText(secret, "genesis.json") ?? "";
  const genesis = parseGenesis(genesisText);
  if (genesis.kind === "malformed") return unusable(genesis.problem);
  const epoch = epochFrom(notes[annotations.epoch]);
  if (epoch === undefined) return unusable(`annotation ${annotations.epoch} is missing`);
  const clusterDomain = notes[annotations.clusterDomain];
  if (!clusterDomain) return unusable(`annotation ${annotations.clusterDomain} is missing`);

  const peerIds: string[] = [];
  for (let ordinal = 0; ordinal < MAX_MEMBERS; ordinal++) {
    const key = parseNodeKey(entryText(secret, `node_key.${ordinal}.json`) ?? "");
    if (key.kind === "malformed") return unusable(`node_key.${ordinal}.json: ${key.problem}`);
    peerIds.push(key.value.peerId);
  }
  const { chainId, proposerAddress } = genesis.value;
  const bootstrapped = epochFrom(notes[annotations.bootstrapped]);
  const membership = parseMembership(notes[annotations.membership]);
  const withdrawn = notes[annotations.withdrawn];
  const hasJwt = isToken(entryText(secret, JWT_ENTRY) ?? "");
  const digest = { genesisDigest: genesisDigest(genesisText) };
  const facts = { resourceVersion, uid, clusterId, chainId, proposer: proposerAddress, ...digest };
  return {
    kind: "present",
    identity: { ...facts, peerIds, clusterDomain, hasJwt, epoch, bootstrapped, membership, withdrawn },
  };
});

const isToken = (text: string) => /^(0x)?[0-9a-fA-F]{64}$/.test(text.trim());
