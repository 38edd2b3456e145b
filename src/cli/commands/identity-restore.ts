import { kinds } from "../../model/kinds.ts";
import { identitySecretName } from "../../model/names.ts";
import { type Command, type Connection, type Input, isSet, type Session, textFlag } from "../command.ts";
import { confirm } from "../confirm.ts";
import { exitCodes } from "../exit-code.ts";
import { Failure } from "../failure.ts";
import { type IdentityCopy, isSameIdentity, prove, readCopy, secretOf } from "../identity-copy.ts";
import { passphraseOption, readPassphrase } from "../passphrase.ts";
import { openFile } from "../sealed-file.ts";
import { nameIn, oneCluster, yesOption } from "./named.ts";

export const identityRestore: Command = {
  path: "identity restore",
  summary: "Make the identity of a cluster again from an encrypted file.",
  details: `Makes the Secret NAME-identity as it was, in the same namespace: both are part of addresses in Raft's log.
An identity that is there is never overwritten; the same one is left as it is.

Before you restore into another Kubernetes cluster, be sure that the chain runs nowhere else: two clusters
with one signer fork it, and the lock against that does not reach beyond one Kubernetes cluster.

Exit code 3 when the passphrase or the file does not fit, or another identity is there.`,
  argument: oneCluster,
  options: {
    file: { type: "string", short: "f", value: "FILE", help: "The file that identity backup wrote." },
    "passphrase-file": passphraseOption,
    "dry-run": { type: "boolean", help: "Open and prove everything, and write nothing." },
    yes: yesOption,
  },
  examples: [
    "kubectl evnode identity restore my-chain --file my-chain.backup --dry-run",
    "kubectl evnode identity restore my-chain --file my-chain.backup",
  ],
  async run(session, input) {
    const file = textFlag(input, "file");
    if (file === undefined) throw new Failure(exitCodes.usage, "where from? Give --file FILE");
    const connection = await session.connect();
    const name = nameIn(input);
    const copy = await openedCopy(session, input, file);
    const chainId = await requireFits(copy, name, connection);
    const secretName = identitySecretName(name);
    if (await isThereAlready(connection, name, copy)) {
      session.terminal.print(
        `Secret ${secretName} is there and holds the same identity: nothing is to be done.`,
      );
      return exitCodes.well;
    }
    if (isSet(input, "dry-run")) {
      session.terminal.print(
        `${file} fits: it would be restored as Secret ${secretName} (chain ${chainId}).`,
      );
      return exitCodes.well;
    }
    const question = `Chain ${chainId} must run nowhere else: two clusters with one signer fork it. Restore Secret ${secretName}?`;
    await confirm(session.terminal, question, isSet(input, "yes"));
    await connection.api.create(kinds.secret, secretOf(copy));
    session.terminal.print(
      `Secret ${secretName} is restored. kubectl evnode why ${name} --namespace ${copy.namespace}`,
    );
    return exitCodes.well;
  },
};

async function openedCopy(session: Session, input: Input, file: string): Promise<IdentityCopy> {
  const text = await session.files.read(file);
  const opened = await openFile(text, await readPassphrase(session, input, "known"));
  if (opened.kind !== "opened") throw new Failure(exitCodes.notWell, `${file}: ${opened.problem}`);
  const copy = readCopy(opened.text);
  if (copy === undefined) throw new Failure(exitCodes.notWell, `${file}: what is in it is no identity`);
  return copy;
}

/** Answers the chain id. */
async function requireFits(copy: IdentityCopy, name: string, { namespace }: Connection): Promise<string> {
  if (copy.name !== name || copy.namespace !== namespace) {
    const message = `the backup is of ${copy.namespace}/${copy.name}, not of ${namespace}/${name}: both names are part of addresses in Raft's log`;
    const next = `kubectl evnode identity restore ${copy.name} --namespace ${copy.namespace}`;
    throw new Failure(exitCodes.notWell, message, next);
  }
  const proof = await prove(copy);
  if (proof.kind === "whole") return proof.chainId;
  throw new Failure(exitCodes.notWell, `the identity in the backup cannot be used: ${proof.problem}`);
}

async function isThereAlready(
  { api, namespace }: Connection,
  name: string,
  copy: IdentityCopy,
): Promise<boolean> {
  const secretName = identitySecretName(name);
  const there = await api.get(kinds.secret, { namespace, name: secretName });
  if (there === undefined) return false;
  if (isSameIdentity(copy, there)) return true;
  const message = `Secret ${secretName} in namespace ${namespace} holds another identity, and is not overwritten: a chain may depend on it`;
  throw new Failure(
    exitCodes.notWell,
    message,
    `Back it up first: kubectl evnode identity backup ${name} --file FILE`,
  );
}
