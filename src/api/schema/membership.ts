import * as z from "zod";
import { field } from "./field.ts";
import { integer } from "./scalars.ts";

export const membership = field(
  z.object({
    approvedEpoch: integer(
      2,
      1_000_000,
      "The epoch that the chain may be stopped for. A change of spec.replicas begins the next epoch: its number is in status.membership.nextEpoch. An approval is good for this one attempt.",
    ).exactOptional(),
    stopWithinSeconds: integer(
      30,
      3_600,
      "How long the chain may stand still for a change. Past it, the old members go on by themselves, unless the new epoch was decided already.",
    ).exactOptional(),
  }),
  "When the number of members may change.",
);
