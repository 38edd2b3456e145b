import { evm } from "../builders.ts";
import { type BadManifest, type Patch, spec } from "./manifest-patch.ts";

const given = {
  peer: `/dns4/old.example.com/tcp/7676/p2p/${"1".repeat(52)}`,
  rpcAddress: "http://old.example.com:7331",
};
const origin = {
  chain: { id: "demo-1", genesis: { configMap: { name: "genesis", key: "genesis.json" } } },
  signer: { secretName: "signer" },
};
const migration = (patch: Patch): Patch => spec({ ...origin, migration: { ...given, ...patch } });

export const goodMigration: Patch = migration({});

export const badMigration: readonly BadManifest[] = [
  {
    name: "a migration without a genesis",
    patch: spec({ migration: given }),
    field: "spec",
    message: "spec.migration goes on with a chain that has begun",
  },
  {
    name: "a migration whose genesis has no signer",
    patch: spec({ chain: origin.chain, migration: given }),
    field: "spec",
    message: "spec.chain.genesis needs the proposer's key",
  },
  {
    name: "a migration of an EVM chain",
    patch: spec({ ...evm, ...origin, migration: given }),
    field: "spec",
    message: "spec.migration does not support an EVM chain yet",
  },
  {
    name: "a migration without an RPC",
    patch: migration({ rpcAddress: null }),
    field: "spec.migration.rpcAddress",
    message: "Required value",
  },
  {
    name: "an old sequencer's RPC without a scheme",
    patch: migration({ rpcAddress: "old.example.com:7331" }),
    field: "spec.migration.rpcAddress",
    message: "The address must be a URL of scheme, host and port",
  },
  {
    name: "an old sequencer's RPC with a path",
    patch: migration({ rpcAddress: "http://old.example.com:7331/x" }),
    field: "spec.migration.rpcAddress",
    message: "The address must be a URL of scheme, host and port",
  },
  {
    name: "an old sequencer's RPC with credentials",
    patch: migration({ rpcAddress: "http://me:secret@old.example.com:7331" }),
    field: "spec.migration.rpcAddress",
    message: "The address must be a URL of scheme, host and port",
  },
  {
    name: "an old sequencer as a peer without its id",
    patch: migration({ peer: "/dns4/old.example.com/tcp/7676" }),
    field: "spec.migration.peer",
    message: "A peer is a multiaddress that ends with /p2p/",
  },
  {
    name: "an unknown word on copies",
    patch: migration({ copies: "Always" }),
    field: "spec.migration.copies",
    message: "Unsupported value",
  },
  {
    name: "an unknown word on the old sequencer",
    patch: migration({ oldSequencer: "Gone" }),
    field: "spec.migration.oldSequencer",
    message: "Unsupported value",
  },
];
