import { RAFT_PEERS_SENTINEL } from "./config-schema.ts";

export interface StartInput {
  readonly home: string;
  /** Absent when the signer is no file. */
  readonly passphraseFile: string | undefined;
}

/** By this argument a member's process is known among those of its pod. */
export const homeArg = (home: string): string => `--home=${home}`;

/**
 * The arguments with which a member starts, without the program. Whether it takes part in Raft stands in its file: the
 * agent lets it run as a full node first where that is needed. ev-node ignores a file that is missing or malformed; it
 * then runs by its defaults, which neither take part in Raft nor produce blocks. Should Raft be on without its state,
 * the last argument makes it exit, whatever the file says.
 */
export function startArgs({ home, passphraseFile }: StartInput): readonly string[] {
  return [
    "start",
    homeArg(home),
    ...(passphraseFile === undefined ? [] : [`--evnode.signer.passphrase_file=${passphraseFile}`]),
    `--evnode.raft.peers=${RAFT_PEERS_SENTINEL}`,
  ];
}
