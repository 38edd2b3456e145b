import { createHash } from "node:crypto";
import { checkGenesis, parseGenesis } from "../evnode/genesis.ts";
import { parseNodeKey } from "../evnode/keys.ts";
import { importSigner, type SignerImport } from "../evnode/signer.ts";

export type IdentityFinding =
  | { readonly kind: "notYet"; readonly message: string }
  | { readonly kind: "refused"; readonly message: string }
  | {
      readonly kind: "accepted";
      readonly clusterId: string;
      readonly chainId: string;
      /** By the name under which ev-node reads them. */
      readonly files: ReadonlyMap<string, string>;
    };

export type IdentityCheck = (mounted: ReadonlyMap<string, string>) => Promise<IdentityFinding>;

/** Remembers the last finding: opening a signer costs memory and time on purpose, and a mounted Secret is looked at often. */
export function newIdentityCheck(ordinal: number): IdentityCheck {
  let last: { readonly content: string; readonly finding: Promise<IdentityFinding> } | undefined;
  return (mounted) => {
    const content = createHash("sha256")
      .update(JSON.stringify([...mounted]))
      .digest("hex");
    if (last?.content !== content) last = { content, finding: checkIdentity(mounted, ordinal) };
    return last.finding;
  };
}

const nodeKeyEntry = (ordinal: number) => `node_key.${ordinal}.json`;

export function identityEntries(ordinal: number): readonly string[] {
  return ["cluster_id", "genesis.json", "signer.json", "passphrase", nodeKeyEntry(ordinal)];
}

/** Opens the signer as ev-node will at its start: a wrong passphrase is found before the member runs. */
export async function checkIdentity(
  mounted: ReadonlyMap<string, string>,
  ordinal: number,
): Promise<IdentityFinding> {
  const [clusterId = "", genesisText = "", signerJson = "", passphrase = "", nodeKey = ""] = identityEntries(
    ordinal,
  ).map((name) => mounted.get(name));
  const missing = identityEntries(ordinal).filter((name) => !mounted.get(name)?.trim());
  if (missing.length > 0) return refused(`it lacks ${missing.join(", ")}`);

  const genesis = parseGenesis(genesisText);
  if (genesis.kind === "malformed") return refused(genesis.problem);
  const key = parseNodeKey(nodeKey);
  if (key.kind === "malformed") return refused(`${nodeKeyEntry(ordinal)}: ${key.problem}`);
  const signer: SignerImport = await importSigner({ signerJson, passphrase });
  if (signer.kind !== "imported") return refused(signer.problem);

  const { chainId } = genesis.value;
  const { proposerAddress } = signer.signer;
  const problems = checkGenesis(genesis.value, { chainId, proposerAddress });
  if (problems.length > 0) return refused(problems.join("; "));

  const files = new Map([
    ["genesis.json", genesisText],
    ["signer.json", signerJson],
    ["passphrase", passphrase],
    ["node_key.json", nodeKey],
  ]);
  return { kind: "accepted", clusterId: clusterId.trim(), chainId, files };
}

function refused(why: string): IdentityFinding {
  return { kind: "refused", message: `the identity Secret is refused: ${why}` };
}
