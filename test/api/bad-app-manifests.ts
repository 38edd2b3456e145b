import { type BadManifest, type Patch, spec } from "./manifest-patch.ts";

const custom = (patch: Patch): Patch =>
  spec({ app: { kind: "custom", command: ["/bin/mychain"], ...patch } });
const args = (...extraArgs: readonly string[]): Patch => spec({ app: { extraArgs } });
const env = (name: string): Patch => spec({ app: { extraEnv: [{ name, value: "x" }] } });
const OWNED = "This flag is set by the operator";
const ENVIRONMENT = "ev-node reads this variable as a setting of its own";

export const badApp: readonly BadManifest[] = [
  {
    name: "an unknown kind of app",
    patch: spec({ app: { kind: "cosmos" } }),
    field: "spec.app.kind",
    message: 'supported values: "testapp", "evm", "custom"',
  },
  {
    name: "a custom app without a command",
    patch: spec({ app: { kind: "custom" } }),
    field: "spec.app",
    message: "spec.app.command is required when spec.app.kind is custom",
  },
  {
    name: "a command for testapp",
    patch: spec({ app: { command: ["x"] } }),
    field: "spec.app",
    message: "spec.app.command is required when spec.app.kind is custom",
  },
  {
    name: "an empty command",
    patch: custom({ command: [] }),
    field: "spec.app.command",
    message: "should have at least 1 items",
  },
  {
    name: "the start command that the operator appends",
    patch: custom({ command: ["/bin/mychain", "start"] }),
    field: "spec.app.command",
    message: "The operator appends start itself",
  },
  {
    name: "an owned flag in the command",
    patch: custom({ command: ["/bin/mychain", "--home=/x"] }),
    field: "spec.app.command[1]",
    message: OWNED,
  },
  {
    name: "the end of flags in the command",
    patch: custom({ command: ["/bin/mychain", "--"] }),
    field: "spec.app.command[1]",
    message: "would end the flags before the operator's own",
  },
  {
    name: "ports for testapp",
    patch: spec({ app: { ports: [{ name: "api", port: 8545 }] } }),
    field: "spec.app",
    message: "spec.app.ports is for spec.app.kind custom only",
  },
  {
    name: "an app port under a name of ev-node's",
    patch: custom({ ports: [{ name: "raft", port: 8545 }] }),
    field: "spec.app.ports[0].name",
    message: "are those of ev-node's and the agent's own ports",
  },
  {
    name: "an app port of a long name",
    patch: custom({ ports: [{ name: "a".repeat(16), port: 8545 }] }),
    field: "spec.app.ports[0].name",
    message: "may not be more than 15",
  },
  {
    name: "an app port with a capital in its name",
    patch: custom({ ports: [{ name: "API", port: 8545 }] }),
    field: "spec.app.ports[0].name",
    message: "The name of a port consists of lower-case letters",
  },
  {
    name: "two app ports of one number",
    patch: custom({
      ports: [
        { name: "a", port: 8545 },
        { name: "b", port: 8545 },
      ],
    }),
    field: "spec.app.ports",
    message: "Each port of spec.app.ports must be another.",
  },
  {
    name: "an app port that RPC uses",
    patch: custom({ ports: [{ name: "api", port: 7331 }] }),
    field: "spec",
    message: "The ports of app must differ",
  },
  {
    name: "a changed home",
    patch: args("--home=/elsewhere"),
    field: "spec.app.extraArgs[0]",
    message: OWNED,
  },
  {
    name: "Raft switched off by a flag",
    patch: args("--evnode.raft.enable=false"),
    field: "spec.app.extraArgs[0]",
    message: OWNED,
  },
  {
    name: "Raft's peers by a flag with the old prefix",
    patch: args("--x=1", "--rollkit.raft.peers="),
    field: "spec.app.extraArgs[1]",
    message: OWNED,
  },
  {
    name: "another signer by a flag",
    patch: args("--evnode.signer.signer_path=/x"),
    field: "spec.app.extraArgs[0]",
    message: OWNED,
  },
  {
    name: "the aggregator switched off by a flag",
    patch: args("--evnode.node.aggregator=false"),
    field: "spec.app.extraArgs[0]",
    message: OWNED,
  },
  {
    name: "the block time by a flag",
    patch: args("--evnode.node.block_time=2s"),
    field: "spec.app.extraArgs[0]",
    message: OWNED,
  },
  {
    name: "a database path by a flag",
    patch: args("--evnode.db_path=x"),
    field: "spec.app.extraArgs[0]",
    message: OWNED,
  },
  {
    name: "the DA address by a flag",
    patch: args("--evnode.da.address=http://x"),
    field: "spec.app.extraArgs[0]",
    message: OWNED,
  },
  {
    name: "the metrics address by a flag",
    patch: args("--evnode.instrumentation.prometheus_listen_addr=:1"),
    field: "spec.app.extraArgs[0]",
    message: OWNED,
  },
  {
    name: "a flag apart from its value",
    patch: args("--kv-store", "x"),
    field: "spec.app.extraArgs[1]",
    message: "Each entry must be one long flag",
  },
  {
    name: "a short flag",
    patch: args("-x"),
    field: "spec.app.extraArgs[0]",
    message: "Each entry must be one long flag",
  },
  {
    name: "the end of flags",
    patch: args("--"),
    field: "spec.app.extraArgs[0]",
    message: "Each entry must be one long flag",
  },
  {
    name: "testapp's endpoint by a flag",
    patch: args("--kv-endpoint=0.0.0.0:1"),
    field: "spec.app",
    message: "The operator sets --kv-endpoint of testapp itself",
  },
  {
    name: "33 flags",
    patch: args(...Array.from({ length: 33 }, (_, i) => `--f${i}`)),
    field: "spec.app.extraArgs",
    message: "must have at most 32 items",
  },
  {
    name: "the variable DB_PATH",
    patch: env("DB_PATH"),
    field: "spec.app.extraEnv[0].name",
    message: ENVIRONMENT,
  },
  {
    name: "the variable MYCHAIN_CLEAR_CACHE",
    patch: env("MYCHAIN_CLEAR_CACHE"),
    field: "spec.app.extraEnv[0].name",
    message: ENVIRONMENT,
  },
  { name: "the variable HOME", patch: env("HOME"), field: "spec.app.extraEnv[0].name", message: ENVIRONMENT },
  {
    name: "a variable of testapp's",
    patch: env("testapp_LOG"),
    field: "spec.app.extraEnv[0].name",
    message: ENVIRONMENT,
  },
  {
    name: "the variable LIBP2P_TCP_REUSEPORT",
    patch: env("LIBP2P_TCP_REUSEPORT"),
    field: "spec.app.extraEnv[0].name",
    message: ENVIRONMENT,
  },
  {
    name: "a variable that is a configuration key",
    patch: env("LOG.LEVEL"),
    field: "spec.app.extraEnv[0].name",
    message: "A variable's name consists of letters, digits",
  },
  {
    name: "two variables of one name",
    patch: spec({ app: { extraEnv: [{ name: "A" }, { name: "A" }] } }),
    field: "spec.app.extraEnv[1]",
    message: "Duplicate value",
    seenBy: "server",
  },
];
