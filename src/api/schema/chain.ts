import * as z from "zod";
import { field, matches, type Rule } from "./field.ts";
import { durationBetween, integer, keyReference } from "./scalars.ts";

const CHAIN_ID = "^[A-Za-z0-9]([-._A-Za-z0-9]*[A-Za-z0-9])?$";

const oneGenesis: Rule<{ configMap?: object | undefined; secret?: object | undefined }> = {
  cel: "has(self.configMap) != has(self.secret)",
  message: "spec.chain.genesis must name exactly one source: a configMap or a secret.",
  holds: ({ configMap, secret }) => (configMap !== undefined) !== (secret !== undefined),
};

const genesis = field(
  z.object({
    configMap: keyReference(
      "ConfigMap",
      "The genesis is the value of this key of a ConfigMap.",
    ).exactOptional(),
    secret: keyReference("Secret", "The genesis is the value of this key of a Secret.").exactOptional(),
  }),
  "An existing genesis.json to begin the chain from. Without it the operator makes one for the signer of the cluster. Cannot change.",
  { rules: [oneGenesis] },
);

const lazy = field(
  z.object({
    interval: durationBetween(
      "20ms",
      "24h",
      "At the latest after this long a block is made, transactions or not. Longer than blockTime.",
    ),
  }),
  "Blocks only when there are transactions, blockTime apart, and one now and then. Without it a block is made every blockTime. After a change of the leader the interval begins anew.",
);

export const chain = field(
  z.object({
    id: field(
      z.string().min(1).max(50),
      "Chain id. It must equal the chain id of a genesis that is given. Cannot change.",
      {
        rules: [
          matches(
            CHAIN_ID,
            "A chain id consists of letters, digits, `-`, `_` and `.`, and begins and ends with a letter or digit.",
          ),
        ],
      },
    ),
    blockTime: durationBetween(
      "10ms",
      "1h",
      "Time from one block to the next, such as 1s or 500ms.",
    ).exactOptional(),
    lazy: lazy.exactOptional(),
    scrapeInterval: durationBetween(
      "10ms",
      "1h",
      "How often ev-node looks for new transactions in the application. ev-node's default is 1s.",
    ).exactOptional(),
    maxPendingBlocks: integer(
      1,
      1_000_000_000,
      "No further block is made while so many headers, or the data of so many blocks, wait for the data availability layer. Without it the chain goes on however long that layer is away.",
    ).exactOptional(),
    genesis: genesis.exactOptional(),
  }),
  "The chain that the cluster sequences.",
);
