import * as z from "zod";
import { field } from "./field.ts";
import { choice, integer, toggle } from "./scalars.ts";

export const rollout = field(
  z.object({
    mode: choice(
      ["Auto", "Plan", "Paused"],
      "Auto: a change of the spec is taken to the members at once, one after another. Plan: the plan is published in status.rollout and carried out when it is approved by its hash. Paused: nothing is restarted; a rollout that has begun stops between two members.",
    ).exactOptional(),
    maxBlocksBehind: integer(
      1,
      1_000_000,
      "No member is restarted while another one is more than this many blocks behind, or more than are made in a second and a half, which on a fast chain looks like a lag and is none.",
    ).exactOptional(),
    minReadySeconds: integer(
      0,
      3_600,
      "How long a restarted member must take part without a break before the next one is restarted.",
    ).exactOptional(),
    progressDeadlineSeconds: integer(
      10,
      86_400,
      "A restarted member that does not take part after so long stalls the rollout; onStall says what then happens.",
    ).exactOptional(),
    onStall: choice(
      ["Revert", "Hold"],
      "Revert: the members go back to what all of them ran before, and the refused change waits for another edit of the spec. Hold: everything stays as it is until the spec is edited.",
    ).exactOptional(),
    rehearsal: toggle(
      "A trial of the image before any member is touched.",
      "Whether a new image is pulled and started once on every member's node, in a pod of its own, before the first member is restarted.",
    ).exactOptional(),
  }),
  "How a change of the spec is taken to the members: followers first, one at a time, the leader last.",
);
