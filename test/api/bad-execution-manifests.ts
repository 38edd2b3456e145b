import { evm } from "../builders.ts";
import { type BadManifest, type Patch, spec } from "./manifest-patch.ts";

const withEvm = (patch: Patch): Patch => spec({ ...evm, ...patch });
const execution = (patch: Patch): Patch => withEvm({ execution: { ...evm.execution, ...patch } });
const args = (...extraArgs: readonly string[]): Patch => execution({ extraArgs });

const owned = (argument: string, name: string): BadManifest => ({
  name,
  patch: args("--log.stdout.filter=info", argument),
  field: "spec.execution.extraArgs[1]",
  message: "This flag of the execution client is set by the operator",
});

export const badExecution: readonly BadManifest[] = [
  {
    name: "an EVM chain without an execution client",
    patch: spec({ app: { kind: "evm" } }),
    field: "spec",
    message: "spec.execution is required when spec.app.kind is evm",
  },
  {
    name: "an execution client for testapp",
    patch: spec({ execution: evm.execution }),
    field: "spec",
    message: "spec.execution is required when spec.app.kind is evm",
  },
  {
    name: "a metrics port that is the engine's",
    patch: withEvm({ metrics: { port: 8551 } }),
    field: "spec",
    message: "are the execution client's; use others",
  },
  {
    name: "a command for evm",
    patch: withEvm({ app: { kind: "evm", command: ["evm"] } }),
    field: "spec.app",
    message: "spec.app.command is required when spec.app.kind is custom",
  },
  {
    name: "another engine by a flag",
    patch: withEvm({ app: { kind: "evm", extraArgs: ["--evm.engine-url=http://elsewhere"] } }),
    field: "spec.app",
    message: "The operator sets the flags --evm.* itself",
  },
  {
    name: "a variable of evm's",
    patch: withEvm({ app: { kind: "evm", extraEnv: [{ name: "evm_HOME", value: "x" }] } }),
    field: "spec.app",
    message: "Names of variables that begin with EVM_",
  },
  {
    name: "a genesis hash that is too short",
    patch: execution({ genesisHash: "0x2b" }),
    field: "spec.execution.genesisHash",
    message: "The hash of a genesis block is 0x and 64",
  },
  {
    name: "a fee recipient without 0x",
    patch: execution({ feeRecipient: "fe".repeat(20) }),
    field: "spec.execution.feeRecipient",
    message: "An address is 0x and 40",
  },
  {
    name: "no fee recipient",
    patch: execution({ feeRecipient: null }),
    field: "spec.execution.feeRecipient",
    message: "spec.execution.feeRecipient: Required value",
  },
  {
    name: "a volume of no size for the execution client",
    patch: execution({ storage: { size: "0" } }),
    field: "spec.execution.storage.size",
    message: "The size must be an amount above zero",
  },
  {
    name: "a flag of the execution client apart from its value",
    patch: args("--txpool.max", "1"),
    field: "spec.execution.extraArgs[1]",
    message: "Each entry must be one long flag",
  },
  owned("--chain=/x", "another chain by a flag"),
  owned("--datadir.static-files=/x", "data elsewhere by a flag"),
  owned("--authrpc.addr=0.0.0.0", "an engine that is open to others"),
  owned("--http.port=1", "another port by a flag"),
  owned("--dev", "an execution client that mines by itself"),
  owned("--engine.persistence-threshold=2", "blocks that a crash takes"),
];
