import { expect, it } from "vitest";
import { isOwnedFlag } from "../../src/api/schema/owned-flags.ts";
import { startArgs } from "../../src/evnode/member-command.ts";

const args = startArgs({ home: "/data", passphraseFile: "/data/config/passphrase" });

it("starts a member that exits, rather than runs without raft, when its config is not read", () => {
  expect(args).toEqual([
    "start",
    "--home=/data",
    "--evnode.signer.passphrase_file=/data/config/passphrase",
    "--evnode.raft.enable=true",
    "--evnode.raft.peers=bootstrapped-by-agent",
  ]);
});

it("lets nobody repeat one of these flags with another value", () => {
  expect(args.filter((arg) => arg.startsWith("--") && !isOwnedFlag(arg))).toEqual([]);
});
