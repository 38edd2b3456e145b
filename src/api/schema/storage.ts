import * as z from "zod";
import { parseQuantity, QUANTITY_PATTERN } from "../../model/quantity.ts";
import { celString, field, type Rule } from "./field.ts";
import { choice, durationBetween, integer, objectName } from "./scalars.ts";

const positiveQuantity: Rule<string> = {
  cel: `self.matches(${celString(QUANTITY_PATTERN)}) && quantity(self).isGreaterThan(quantity('0'))`,
  message: "The size must be an amount above zero, such as 10Gi.",
  holds: (text) => (parseQuantity(text) ?? 0n) > 0n,
};

/** One volume for each member; `holds` completes "It holds …". */
export function volumeOf(holds: string, description: string) {
  return field(
    z.object({
      size: field(
        z.string().min(1).max(32),
        `Size of each member's volume, such as 10Gi. It holds ${holds}. Cannot change in this version.`,
        { rules: [positiveQuantity] },
      ),
      storageClassName: objectName(
        "Storage class of the volumes. Without it the default class of the Kubernetes cluster is used. Cannot change.",
      ).exactOptional(),
    }),
    description,
  );
}

export const storage = volumeOf(
  "all blocks, the application's data and the Raft log",
  "One volume for each member. Volumes are kept when the cluster is deleted.",
);

export const pruning = field(
  z.object({
    mode: choice(
      ["disabled", "metadata", "all"],
      "disabled: everything is kept. metadata: of old blocks only what the chain needs no longer is removed. all: old blocks are removed, and then no new node and no member that lost its volume can get them from the members; the data availability layer must have them.",
    ),
    keepRecent: integer(
      100,
      2_000_000_000,
      "How many of the newest blocks stay whole. ev-node's default is 100,000.",
    ).exactOptional(),
    interval: durationBetween(
      "1s",
      "999h",
      "How often old blocks are looked for; at least blockTime. ev-node's default is 15m.",
    ).exactOptional(),
  }),
  "Removal of old blocks from the members' volumes. Without it everything is kept.",
);
