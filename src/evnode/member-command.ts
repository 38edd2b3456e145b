import { RAFT_PEERS_SENTINEL } from "./config-schema.ts";

export interface StartInput {
  readonly home: string;
  readonly passphraseFile: string;
}

/**
 * The arguments with which a raft member starts, without the program. Flags beat the file, and ev-node ignores a file
 * that is missing or malformed: the last two make it exit then, instead of running by its defaults, without raft.
 */
export function startArgs({ home, passphraseFile }: StartInput): readonly string[] {
  return [
    "start",
    `--home=${home}`,
    `--evnode.signer.passphrase_file=${passphraseFile}`,
    "--evnode.raft.enable=true",
    `--evnode.raft.peers=${RAFT_PEERS_SENTINEL}`,
  ];
}
