import { kinds } from "../../model/kinds.ts";
import { identitySecretName } from "../../model/names.ts";
import { type Command, textFlag } from "../command.ts";
import { exitCodes } from "../exit-code.ts";
import { Failure } from "../failure.ts";
import { copyOf, type IdentityCopy, type Proof, prove } from "../identity-copy.ts";
import { passphraseOption, readPassphrase } from "../passphrase.ts";
import { NONCE_LENGTH, openFile, SALT_LENGTH, sealFile } from "../sealed-file.ts";
import { nameIn, oneCluster } from "./named.ts";

export const identityBackup: Command = {
  path: "identity backup",
  summary: "Write the identity of a cluster into an encrypted file. Losing the signer is losing the chain.",
  details: `The Secret NAME-identity: signer, node keys, genesis, and how far the chain has begun. It never changes once
the chain has begun, so one backup is enough. The file is sealed with a passphrase (scrypt, AES-256-GCM); nothing of the
Secret is shown. Whoever has file and passphrase can sign blocks: keep them apart.

What is backed up is proven first: keys that belong together, and a signer that can be opened. Exit code 3 when that
fails, or the chain has not begun yet.`,
  argument: oneCluster,
  options: {
    file: { type: "string", short: "f", value: "FILE", help: "The file to write, which must not exist yet." },
    "passphrase-file": passphraseOption,
  },
  examples: [
    "kubectl evnode identity backup my-chain --file my-chain.backup",
    "kubectl evnode identity backup my-chain --file my-chain.backup --passphrase-file passphrase",
  ],
  async run(session, input) {
    const file = textFlag(input, "file");
    if (file === undefined) throw new Failure(exitCodes.usage, "where to? Give --file FILE");
    const { api, namespace } = await session.connect();
    const name = nameIn(input);
    const secret = await api.get(kinds.secret, { namespace, name: identitySecretName(name) });
    if (secret === undefined) {
      const message = `there is no Secret ${identitySecretName(name)} in namespace ${namespace}`;
      throw new Failure(exitCodes.error, message, `kubectl evnode why ${name} --namespace ${namespace}`);
    }
    const copy = copyOf(name, secret);
    const proof = await prove(copy);
    if (proof.kind === "unusable")
      throw new Failure(exitCodes.notWell, `the identity of ${name} cannot be backed up: ${proof.problem}`);
    const passphrase = await readPassphrase(session, input, "new");
    await session.files.create(file, await sealed(copy, proof, passphrase, session));
    session.terminal.print(writtenText(name, file, proof));
    return exitCodes.well;
  },
};

type Whole = Extract<Proof, { kind: "whole" }>;

async function sealed(
  copy: IdentityCopy,
  { chainId, proposer }: Whole,
  passphrase: string,
  { clock, random }: Parameters<Command["run"]>[0],
): Promise<string> {
  const { namespace, name } = copy;
  const text = JSON.stringify(copy);
  const file = await sealFile({
    text,
    passphrase,
    about: { namespace, name, chainId, proposer, at: new Date(clock.nowMs()).toISOString() },
    salt: random.bytes(SALT_LENGTH),
    nonce: random.bytes(NONCE_LENGTH),
  });
  // A backup that cannot be opened is none; better to know it now.
  const opened = await openFile(file, passphrase);
  if (opened.kind !== "opened" || opened.text !== text)
    throw new Error("the sealed backup could not be read back");
  return file;
}

function writtenText(name: string, file: string, { chainId, hasSigner }: Whole): string {
  const signer = hasSigner
    ? "with its signer"
    : "without a signer, which stays in the key management service";
  return [
    `The identity of ${name} (chain ${chainId}) is in ${file}, ${signer}.`,
    "Keep the file and the passphrase apart, and off this Kubernetes cluster. To see that both fit:",
    `kubectl evnode identity restore ${name} --file ${file} --dry-run`,
  ].join("\n");
}
