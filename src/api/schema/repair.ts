import * as z from "zod";
import { field } from "./field.ts";
import { choice, integer } from "./scalars.ts";

export const repair = field(
  z.object({
    mode: choice(
      ["Auto", "Approve"],
      "Auto: a single member that lost its volume, its data or its Raft state is rebuilt from the others while all of these take part. Approve: it waits until its owner approves that by an annotation. Several at once always wait.",
    ).exactOptional(),
    // No more than the status remembers.
    maxPerHour: integer(
      1,
      8,
      "How many members may be rebuilt within an hour without approval: what is lost again and again has a cause that somebody should look at.",
    ).exactOptional(),
  }),
  "What the operator may rebuild by itself.",
);
