import * as z from "zod";
import { readJson } from "./json.ts";

/** Bounded as in the status, which tells it on: what somebody else wrote there must not keep that from being stored. */
const text = (longest: number) => z.string().max(longest);
const time = z.iso.datetime();
const counts = {
  leaderChanges: z.int32().min(0).optional(),
  longestGapMs: z.int().min(0).optional(),
};
const LONGEST_CHANGE = 256;
const MOST_CHANGES = 64;
const common = {
  version: z.literal(1),
  /** Digest of what the owner asked for. */
  wish: text(63),
  changes: z.array(text(LONGEST_CHANGE)).max(MOST_CHANGES),
  startedAt: time,
};

const schema = z.discriminatedUnion("kind", [
  /** Under way. `proven` is the text of the intent that all members ran before: the way back. */
  z.object({ kind: z.literal("rolling"), ...common, proven: z.string().optional() }),
  /** Taken back: the same wish is not tried again, unless it was withdrawn. */
  z.object({
    kind: z.literal("reverted"),
    ...common,
    why: text(1024),
    finishedAt: time.optional(),
    ...counts,
    /** The owner set the spec back since: asking for the same once more is a new wish. */
    isWithdrawn: z.literal(true).optional(),
  }),
  z.object({
    kind: z.literal("completed"),
    ...common,
    finishedAt: time,
    ...counts,
  }),
]);

/** As many changes, and as much of each, as record and status hold. */
export const boundedChanges = (changes: readonly string[]) =>
  changes.slice(0, MOST_CHANGES).map((path) => path.slice(0, LONGEST_CHANGE));

/** What stands on the StatefulSet about the change that is being taken to the members, or was last. */
export type RolloutRecord = Readonly<z.infer<typeof schema>>;

/** Undefined when there is none, or when somebody wrote something else there. */
export const readRolloutRecord = (text: string | undefined): RolloutRecord | undefined =>
  readJson(schema, text);
