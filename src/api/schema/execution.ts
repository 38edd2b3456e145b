import * as z from "zod";
import { celString, field, matches, type Rule } from "./field.ts";
import { oneFlag } from "./owned-flags.ts";
import { resourcesOf } from "./pod.ts";
import { imageName, keyReference } from "./scalars.ts";
import { volumeOf } from "./storage.ts";

/**
 * Flags of ev-reth that the operator sets itself, or that would open the engine, mine by themselves, move ports or make
 * blocks survive a crash in ev-node alone. A name that ends with a dot means all that begin with it.
 */
const ownedFlags: readonly string[] = [
  "chain",
  "datadir",
  "datadir.",
  "instance",
  "with-unused-ports",
  "dev",
  "dev.",
  "debug.",
  "authrpc.",
  "auth-ipc",
  "auth-ipc.",
  "disable-auth-server",
  "rpc.jwtsecret",
  "http",
  "http.addr",
  "http.port",
  "ws",
  "ws.addr",
  "ws.port",
  "ipcdisable",
  "ipcpath",
  "metrics",
  "disable-discovery",
  "engine.persistence-threshold",
  "engine.memory-block-buffer-target",
  "log.file.",
  "log.stdout.format",
  "color",
];

const asPattern = (name: string) =>
  name.endsWith(".") ? name.replaceAll(".", "[.]") : `${name.replaceAll(".", "[.]")}(=|$)`;

const OWNED_FLAG = `^--(${ownedFlags.map(asPattern).join("|")})`;

const notOwned: Rule<string> = {
  cel: `!self.matches(${celString(OWNED_FLAG)})`,
  message:
    "This flag of the execution client is set by the operator or would take it out of ev-node's hands; remove it.",
  holds: (argument) => !new RegExp(OWNED_FLAG).test(argument),
};

const HASH = "^0x[0-9a-fA-F]{64}$";
const ADDRESS = "^0x[0-9a-fA-F]{40}$";

const extraArgs = field(
  z
    .array(
      field(z.string().min(1).max(512), "One flag, written --flag=value.", { rules: [oneFlag, notOwned] }),
    )
    .max(32),
  "Further flags of ev-reth's node command, each written --flag=value. Flags that the operator sets are refused; --http.api and --ws.api replace what it would set.",
  { keywords: { "x-kubernetes-list-type": "atomic" } },
);

export const execution = field(
  z.object({
    image: imageName(
      "Image of ev-reth. Name a tag that never moves, or a digest. It is pulled by imagePullPolicy and with imagePullSecrets, as the node's is.",
    ),
    genesisConfigMap: keyReference(
      "ConfigMap",
      "Where the chain specification of the execution layer is, as ev-reth's --chain takes it. The client reads it when it starts, so a hard fork is a ConfigMap of another name, not another text in this one.",
    ),
    genesisHash: field(
      z.string().max(66),
      "Hash of the execution layer's genesis block. ev-node begins the chain on it. Cannot change.",
      { rules: [matches(HASH, "The hash of a genesis block is 0x and 64 hexadecimal digits.")] },
    ),
    feeRecipient: field(
      z.string().max(42),
      "Address that receives the fees. Blocks that are executed again name the address of today, so another one would make other blocks of them. Cannot change.",
      { rules: [matches(ADDRESS, "An address is 0x and 40 hexadecimal digits.")] },
    ),
    storage: volumeOf(
      "the state and the blocks of the execution layer",
      "A second volume for each member, kept like the first.",
    ),
    resources: resourcesOf("Resources of the execution client's container.").exactOptional(),
    extraArgs: extraArgs.exactOptional(),
  }),
  "The execution client beside each ev-node of an EVM chain. Required for app.kind evm, and for no other. Experimental: see docs/evm.md.",
);
