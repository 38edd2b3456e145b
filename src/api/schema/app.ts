import * as z from "zod";
import { celString, field, matches, type Rule } from "./field.ts";
import { notOwned, oneFlag } from "./owned-flags.ts";
import { choice, portNumber } from "./scalars.ts";

const MAX_ARGUMENTS = 32;
const MAX_ARGUMENT_LENGTH = 512;

// A name with a dot, such as RAFT.NODE_ID, would be read by ev-node as a configuration key.
const ENV_NAME = "^[A-Za-z_][A-Za-z0-9_]*$";

// ev-node takes DB_PATH and CLEAR_CACHE, with or without the program's name in front, for flags and crashes on them.
const RESERVED_ENV =
  "^((.*_)?(DB_PATH|CLEAR_CACHE)|HOME|LIBP2P_TCP_REUSEPORT|RAFT.*|[Tt][Ee][Ss][Tt][Aa][Pp][Pp]_.*)$";
const reservedEnv = new RegExp(RESERVED_ENV);

interface App {
  kind?: string | undefined;
  command?: string[] | undefined;
  ports?: { name: string; port: number }[] | undefined;
  extraArgs?: string[] | undefined;
  extraEnv?: { name: string }[] | undefined;
}

const commandOfCustom: Rule<App> = {
  cel: "has(self.command) == (has(self.kind) && self.kind == 'custom')",
  message: "spec.app.command is required when spec.app.kind is custom, and must be absent otherwise.",
  holds: ({ kind, command }) => (command !== undefined) === (kind === "custom"),
};

const portsOfCustom: Rule<App> = {
  cel: "!has(self.ports) || (has(self.kind) && self.kind == 'custom')",
  message: "spec.app.ports is for spec.app.kind custom only; the ports of testapp and evm are known.",
  holds: ({ kind, ports }) => ports === undefined || kind === "custom",
};

const endpointOfTestapp: Rule<App> = {
  cel: "(has(self.kind) && self.kind != 'testapp') || !has(self.extraArgs) || !self.extraArgs.exists(a, a.startsWith('--kv-endpoint'))",
  message:
    "The operator sets --kv-endpoint of testapp itself, since the Services lead there; remove it from spec.app.extraArgs.",
  holds: ({ kind = "testapp", extraArgs = [] }) =>
    kind !== "testapp" || !extraArgs.some((argument) => argument.startsWith("--kv-endpoint")),
};

const flagsOfEvm: Rule<App> = {
  cel: "!has(self.kind) || self.kind != 'evm' || !has(self.extraArgs) || !self.extraArgs.exists(a, a.startsWith('--evm.'))",
  message:
    "The operator sets the flags --evm.* itself, from spec.execution; remove them from spec.app.extraArgs.",
  holds: ({ kind, extraArgs = [] }) =>
    kind !== "evm" || !extraArgs.some((argument) => argument.startsWith("--evm.")),
};

// As with testapp, a name that begins with the program's may set one of its flags.
const envOfEvm: Rule<App> = {
  cel: "!has(self.kind) || self.kind != 'evm' || !has(self.extraEnv) || !self.extraEnv.exists(e, e.name.matches('^[Ee][Vv][Mm]_'))",
  message: "Names of variables that begin with EVM_ are read by the evm program itself; use another.",
  holds: ({ kind, extraEnv = [] }) => kind !== "evm" || !extraEnv.some(({ name }) => /^evm_/i.test(name)),
};

const notReserved: Rule<string> = {
  cel: `!self.matches(${celString(RESERVED_ENV)})`,
  message:
    "ev-node reads this variable as a setting of its own (DB_PATH, CLEAR_CACHE, HOME, LIBP2P_TCP_REUSEPORT and names that begin with RAFT or TESTAPP_); use another name.",
  holds: (name) => !reservedEnv.test(name),
};

// A lone `--` would make every flag behind it, also the operator's, an argument that nobody reads.
const noTerminator: Rule<string> = {
  cel: "self != '--'",
  message: "The argument -- would end the flags before the operator's own; remove it.",
  holds: (argument) => argument !== "--",
};

const command = field(
  z
    .array(
      field(z.string().min(1).max(MAX_ARGUMENT_LENGTH), "One part of the command.", {
        rules: [notOwned, noTerminator],
      }),
    )
    .min(1)
    .max(MAX_ARGUMENTS),
  "The node's program, with arguments that come before its start command if it needs any, for example [/usr/bin/mychain]. The operator appends start, its own flags and then extraArgs. Only for kind custom.",
  {
    rules: [
      {
        cel: "self[size(self) - 1] != 'start'",
        message: "The operator appends start itself; end spec.app.command before it.",
        holds: (parts) => parts.at(-1) !== "start",
      },
    ],
    keywords: { "x-kubernetes-list-type": "atomic" },
  },
);

const extraArgs = field(
  z
    .array(
      field(z.string().min(1).max(MAX_ARGUMENT_LENGTH), "One flag, written --flag=value.", {
        rules: [oneFlag, notOwned],
      }),
    )
    .max(MAX_ARGUMENTS),
  "Further flags of the start command, each written --flag=value. Flags that the operator sets from the spec are refused.",
  { keywords: { "x-kubernetes-list-type": "atomic" } },
);

const OWN_PORT_NAMES = "^(raft|p2p|rpc|metrics|agent)$";

const ports = field(
  z
    .array(
      z.object({
        name: field(z.string().min(1).max(15), "Name of the port, on the Services as well.", {
          rules: [
            matches(
              "^[a-z]([-a-z0-9]*[a-z0-9])?$",
              "The name of a port consists of lower-case letters, digits and hyphens, begins with a letter and ends with a letter or digit.",
            ),
            {
              cel: `!self.matches(${celString(OWN_PORT_NAMES)})`,
              message:
                "The names raft, p2p, rpc, metrics and agent are those of ev-node's and the agent's own ports; use another.",
              holds: (name) => !new RegExp(OWN_PORT_NAMES).test(name),
            },
          ],
        }),
        port: portNumber("TCP port that the application listens on."),
      }),
    )
    .max(8),
  "Ports that the application opens for its users; the Services of the cluster lead there. Only for kind custom.",
  {
    rules: [
      {
        cel: "self.all(p, self.exists_one(q, p.port == q.port))",
        message: "Each port of spec.app.ports must be another.",
        holds: (list) => new Set(list.map(({ port }) => port)).size === list.length,
      },
    ],
    keywords: { "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"] },
  },
);

const extraEnv = field(
  z
    .array(
      z.object({
        name: field(z.string().min(1).max(128), "Name of the variable.", {
          rules: [
            matches(
              ENV_NAME,
              "A variable's name consists of letters, digits and `_`, and does not begin with a digit.",
            ),
            notReserved,
          ],
        }),
        value: field(
          z.string().max(4096),
          "Value of the variable, visible to everyone who may read the cluster.",
        ).exactOptional(),
      }),
    )
    .max(MAX_ARGUMENTS),
  "Further environment variables of the node.",
  { keywords: { "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"] } },
);

export const app = field(
  z.object({
    kind: choice(
      ["testapp", "evm", "custom"],
      "Which application the image holds. testapp is ev-node's own example application; evm is ev-node-evm, with an execution client beside it, and experimental; custom is any program that is built on ev-node and takes its start flags.",
    ).exactOptional(),
    command: command.exactOptional(),
    ports: ports.exactOptional(),
    extraArgs: extraArgs.exactOptional(),
    extraEnv: extraEnv.exactOptional(),
  }),
  "What runs in the image, and with which arguments.",
  { rules: [commandOfCustom, portsOfCustom, endpointOfTestapp, flagsOfEvm, envOfEvm] },
);
