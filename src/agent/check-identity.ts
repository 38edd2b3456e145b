import { createHash } from "node:crypto";
import { checkGenesis, parseGenesis } from "../evnode/genesis.ts";
import { parseNodeKey } from "../evnode/keys.ts";
import { importSigner, type SignerImport } from "../evnode/signer.ts";
import type { SignerType } from "./member-facts.ts";

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

export type IdentityCheck = (
  mounted: ReadonlyMap<string, string>,
  signer: SignerType,
) => Promise<IdentityFinding>;

/** Remembers the last finding: opening a signer costs memory and time on purpose, and a mounted Secret is looked at often. */
export function newIdentityCheck(ordinal: number): IdentityCheck {
  let last: { readonly content: string; readonly finding: Promise<IdentityFinding> } | undefined;
  return (mounted, signer) => {
    const content = createHash("sha256")
      .update(JSON.stringify([signer, ...mounted]))
      .digest("hex");
    if (last?.content !== content) last = { content, finding: checkIdentity(mounted, ordinal, signer) };
    return last.finding;
  };
}

const nodeKeyEntry = (ordinal: number) => `node_key.${ordinal}.json`;

const signerEntries = ["signer.json", "passphrase"];

/** Without those of a signer that is no file. */
export function identityEntries(ordinal: number, signer: SignerType): readonly string[] {
  const entries = ["cluster_id", "genesis.json", ...signerEntries, nodeKeyEntry(ordinal)];
  return signer === "file" ? entries : entries.filter((entry) => !signerEntries.includes(entry));
}

/** Opens the signer as ev-node will at its start: a wrong passphrase is found before the member runs. */
export async function checkIdentity(
  mounted: ReadonlyMap<string, string>,
  ordinal: number,
  signerType: SignerType,
): Promise<IdentityFinding> {
  const [clusterId = "", genesisText = "", signerJson = "", passphrase = "", nodeKey = ""] = identityEntries(
    ordinal,
    "file",
  ).map((name) => mounted.get(name));
  const missing = identityEntries(ordinal, signerType).filter((name) => !mounted.get(name)?.trim());
  if (missing.length > 0) return refused(`it lacks ${missing.join(", ")}`);

  const genesis = parseGenesis(genesisText);
  if (genesis.kind === "malformed") return refused(genesis.problem);
  const key = parseNodeKey(nodeKey);
  if (key.kind === "malformed") return refused(`${nodeKeyEntry(ordinal)}: ${key.problem}`);
  const { chainId } = genesis.value;
  if (signerType === "file") {
    const signer: SignerImport = await importSigner({ signerJson, passphrase });
    if (signer.kind !== "imported") return refused(signer.problem);
    const { proposerAddress } = signer.signer;
    const problems = checkGenesis(genesis.value, { chainId, proposerAddress });
    if (problems.length > 0) return refused(problems.join("; "));
  }

  const signerFiles: readonly [string, string][] = [
    ["signer.json", signerJson],
    ["passphrase", passphrase],
  ];
  const files = new Map([
    ["genesis.json", genesisText],
    ...(signerType === "file" ? signerFiles : []),
    ["node_key.json", nodeKey],
  ]);
  return { kind: "accepted", clusterId: clusterId.trim(), chainId, files };
}

function refused(why: string): IdentityFinding {
  return { kind: "refused", message: `the identity Secret is refused: ${why}` };
}
