import * as z from "zod";
import { readJson } from "./json.ts";

/** Whoever edits an annotation may write more into it than a word; status has room for this much. */
export const LONGEST_REQUEST = 63;
export const LONGEST_DRILL_MESSAGE = 1_024;

const text = (longest: number) => z.string().max(longest);
const common = {
  version: z.literal(1),
  /** What the owner wrote to ask for it. */
  request: text(LONGEST_REQUEST),
  /** When it was begun, or refused. */
  at: z.iso.datetime(),
};
const message = text(LONGEST_DRILL_MESSAGE);

const schema = z.discriminatedUnion("kind", [
  /**
   * `from` led, and its ev-node is to be restarted; `container` is the one that has to go, so that nobody restarts the
   * next one for the same request. Written before the pod is.
   */
  z.object({ kind: z.literal("underWay"), ...common, from: text(63), container: text(256) }),
  z.object({
    kind: z.literal("succeeded"),
    ...common,
    from: text(63),
    to: text(63),
    message,
    /** Absent when the new leader could not tell. */
    gapMs: z.int().min(0).optional(),
    blocksMissed: z.int32().min(0).optional(),
  }),
  /** No member was touched for it. */
  z.object({ kind: z.literal("refused"), ...common, message }),
  /** It was begun, and no handover was seen. */
  z.object({ kind: z.literal("failed"), ...common, from: text(63), message }),
]);

/** What stands on the EvNodeCluster about the last failover drill. */
export type DrillRecord = Readonly<z.infer<typeof schema>>;

/** Undefined when there is none, or when somebody wrote something else there. */
export const readDrillRecord = (text: string | undefined): DrillRecord | undefined => readJson(schema, text);
