import * as z from "zod";
import { readJson } from "./json.ts";

const time = z.iso.datetime();
const side = z.object({ epoch: z.int().min(1), replicas: z.int().min(1).max(16) });
const block = z.object({ height: z.int().min(0), hash: z.string().max(128) });

const common = {
  version: z.literal(1),
  from: side,
  to: side,
  startedAt: time,
  /** When the members of the old epoch were told to stop making blocks; absent while they make them. */
  stoppedAt: time.optional(),
  /** The block that all members held when the new epoch was decided: its first one stands on it. */
  level: block.optional(),
};

const schema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("changing"), ...common }),
  /** The old members are on their way back to what they were. */
  z.object({ kind: z.literal("takingBack"), ...common, why: z.string().max(1_024) }),
  z.object({
    kind: z.literal("changed"),
    ...common,
    finishedAt: time,
    /** Longest time between two blocks around it; absent when no member told it. */
    gapMs: z.int().min(0).optional(),
  }),
  z.object({ kind: z.literal("takenBack"), ...common, finishedAt: time, why: z.string().max(1_024) }),
]);

/**
 * What stands on the StatefulSet about the change of its number of members, or the last one. Which epoch may run is not
 * read from here, but from the identity.
 */
export type MembershipRecord = Readonly<z.infer<typeof schema>>;

/** Undefined when there is none, or when somebody wrote something else there. */
export const readMembershipRecord = (text: string | undefined): MembershipRecord | undefined =>
  readJson(schema, text);

/** A change that has begun and has not come to its end. */
export type OpenChange = Extract<MembershipRecord, { kind: "changing" | "takingBack" }>;

export const openChange = (record: MembershipRecord | undefined): OpenChange | undefined =>
  record?.kind === "changing" || record?.kind === "takingBack" ? record : undefined;
