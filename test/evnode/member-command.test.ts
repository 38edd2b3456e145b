import { expect, it } from "vitest";
import { isOwnedFlag } from "../../src/api/schema/owned-flags.ts";
import { startArgs } from "../../src/evnode/member-command.ts";

const args = startArgs({ home: "/data", passphraseFile: "/data/config/passphrase" });

it("leaves it to the config whether the member takes part in Raft, and never lets it begin a cluster of its own", () => {
  expect(args).toEqual([
    "start",
    "--home=/data",
    "--evnode.signer.passphrase_file=/data/config/passphrase",
    "--evnode.raft.peers=bootstrapped-by-agent",
  ]);
});

it("names no passphrase when the signer is no file", () => {
  expect(startArgs({ home: "/data", passphraseFile: undefined })).toEqual([
    "start",
    "--home=/data",
    "--evnode.raft.peers=bootstrapped-by-agent",
  ]);
});

it("lets nobody repeat one of these flags with another value", () => {
  expect(args.filter((arg) => arg.startsWith("--") && !isOwnedFlag(arg))).toEqual([]);
});
