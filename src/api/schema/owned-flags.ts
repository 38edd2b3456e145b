import { celString, type Rule } from "./field.ts";

/**
 * Flags that the operator sets itself, or whose use would make a member something other than a sequencer of the
 * cluster. Names are without the prefix `evnode.` or `rollkit.`; a name that ends with a dot means the whole section.
 */
export const ownedFlags: readonly string[] = [
  "db_path",
  "clear_cache",
  "node.aggregator",
  "node.light",
  "node.promotable",
  "node.based_sequencer",
  "node.catchup_timeout",
  "node.block_time",
  "node.lazy_mode",
  "node.lazy_block_interval",
  "da.address",
  "da.namespace",
  "da.auth_token",
  "instrumentation.prometheus",
  "instrumentation.prometheus_listen_addr",
  "raft.",
  "rpc.",
  "p2p.",
  "signer.",
  "log.",
];

const alternatives = ownedFlags.map(asPattern).join("|");

/** Matches an argument that sets an owned flag, whatever its value. */
const OWNED_FLAG_PATTERN = `^--(home(=|$)|(evnode|rollkit)[.](${alternatives}))`;

/** One flag with its value in the same argument. A lone value, `--` or a short flag could change what follows it. */
const FLAG_PATTERN = "^--[A-Za-z][-_.A-Za-z0-9]*(=.*)?$";

const ownedFlag = new RegExp(OWNED_FLAG_PATTERN);
const singleFlag = new RegExp(FLAG_PATTERN, "s");

function asPattern(name: string): string {
  const escaped = name.replaceAll(".", "[.]");
  return name.endsWith(".") ? escaped : `${escaped}(=|$)`;
}

export function isOwnedFlag(argument: string): boolean {
  return ownedFlag.test(argument);
}

export const notOwned: Rule<string> = {
  cel: `!self.matches(${celString(OWNED_FLAG_PATTERN)})`,
  message:
    "This flag is set by the operator or would stop the member from being a sequencer of the cluster; remove it and use the matching field of the spec (chain, da, raft, p2p, rpc, metrics, log or signer).",
  holds: (argument) => !isOwnedFlag(argument),
};

export const oneFlag: Rule<string> = {
  cel: `self.matches(${celString(FLAG_PATTERN.replace(".*", "(?s:.*)"))})`,
  message:
    "Each entry must be one long flag with its value, written --flag=value (or --flag alone for a switch).",
  holds: (argument) => singleFlag.test(argument),
};
