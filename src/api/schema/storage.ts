import * as z from "zod";
import { parseQuantity, QUANTITY_PATTERN } from "../../model/quantity.ts";
import { celString, field, type Rule } from "./field.ts";
import { objectName } from "./scalars.ts";

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
