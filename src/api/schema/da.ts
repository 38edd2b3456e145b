import * as z from "zod";
import { field, matches } from "./field.ts";
import { choice, durationBetween, integer, keyReference, share } from "./scalars.ts";

// Whoever reads the spec would read the credentials as well, so a user name or password in the URL is refused.
const DA_ADDRESS = "^(https?|wss?)://([-.A-Za-z0-9_]+|\\[[0-9a-fA-F:.]+\\])(:[0-9]{1,5})?(/[!-~]*)?$";

function namespace(description: string) {
  return field(z.string().min(1).max(128), description, {
    rules: [matches("^[!-~]+$", "A namespace consists of printable ASCII characters without spaces.")],
  });
}

const signingAddresses = field(
  z
    .array(
      field(z.string().min(1).max(256), "One address.", {
        rules: [
          matches(
            "^[!-+.-~-]+$",
            "An address consists of printable ASCII characters without spaces and commas.",
          ),
        ],
      }),
    )
    .min(1)
    .max(64),
  "Accounts of the data availability layer that take turns in submitting, so that one need not wait for another.",
  { keywords: { "x-kubernetes-list-type": "set" } },
);

const batching = field(
  z.object({
    strategy: choice(
      ["immediate", "size", "time", "adaptive"],
      "When blocks are submitted. immediate: as soon as there are any. size: when the blob is full enough. time: when maxDelay has passed. adaptive: whichever of the two comes first. ev-node's default is time.",
    ).exactOptional(),
    sizeThreshold: share(
      "How full a blob must be, as a share of the largest that is possible, for size and adaptive. ev-node's default is 0.8.",
    ).exactOptional(),
    maxDelay: durationBetween(
      "1ms",
      "24h",
      "Longest time that a block waits, for time and adaptive. Without it da.blockTime.",
    ).exactOptional(),
    minItems: integer(
      1,
      1_000_000,
      "Least number of headers, or of blocks' data, that are submitted together. ev-node's default is 1.",
    ).exactOptional(),
  }),
  "How blocks are gathered before they are submitted.",
);

export const da = field(
  z.object({
    address: field(
      z.string().min(1).max(1024),
      "URL of the data availability node, beginning with http://, https://, ws:// or wss://.",
      {
        rules: [
          matches(
            DA_ADDRESS,
            "The address must be a URL that begins with http://, https://, ws:// or wss://, names a host and holds neither spaces nor credentials; a token belongs into spec.da.authTokenSecret.",
          ),
        ],
      },
    ),
    namespace: namespace(
      "Namespace on the data availability layer; every node of the chain must use the same. Any text will do, ev-node hashes it. Without it the chain id is used.",
    ).exactOptional(),
    dataNamespace: namespace(
      "Another namespace for the blocks' data, so that light clients read headers alone. Every node of the chain must use the same.",
    ).exactOptional(),
    forcedInclusionNamespace: namespace(
      "Namespace from which transactions are taken that nobody can leave out. Every node of the chain must use the same. With it no block is made while the data availability layer is away.",
    ).exactOptional(),
    authTokenSecret: keyReference(
      "Secret",
      "Where the access token of the data availability node is.",
    ).exactOptional(),
    submitOptions: field(
      z.string().min(2).max(4096),
      'Options of each submission, as a JSON object that the data availability node understands, such as {"gas_price": 0.002}.',
    ).exactOptional(),
    signingAddresses: signingAddresses.exactOptional(),
    blockTime: durationBetween(
      "10ms",
      "1h",
      "Time between two blocks of the data availability layer: how often it is looked at, and how long a failed submission waits at most. ev-node's default is 6s.",
    ).exactOptional(),
    requestTimeout: durationBetween(
      "100ms",
      "1h",
      "How long a request to the data availability node may take. ev-node's default is 60s.",
    ).exactOptional(),
    mempoolTTL: integer(
      1,
      1_000_000,
      "After how many blocks of the data availability layer a submission counts as dropped from its mempool; it determines how long a repetition waits.",
    ).exactOptional(),
    maxSubmitAttempts: integer(
      1,
      1_000_000,
      "How often a submission is tried before ev-node gives up. ev-node's default is 30.",
    ).exactOptional(),
    batching: batching.exactOptional(),
  }),
  "The data availability layer that blocks are submitted to.",
);
