import * as z from "zod";
import { readJson } from "./json.ts";

const text = (longest: number) => z.string().max(longest);
const height = z.int().min(0);

const common = {
  version: z.literal(1),
  /** When the members were told to stop. */
  suspendedAt: z.iso.datetime(),
  /** What the members held a moment before; of one that did not answer nothing. */
  heads: z.array(z.object({ member: text(63), height, hash: text(128).optional() })).max(16),
  /** The newest checkpoint that a majority held: whatever comes after the suspension stands on it. */
  checkpoint: z.object({ height, id: text(128) }).optional(),
};

const schema = z.discriminatedUnion("kind", [
  /** The StatefulSet has no pods by the operator's own act. */
  z.object({ kind: z.literal("suspended"), ...common }),
  /** It is over, and stays as a memory of what must still be there. */
  z.object({ kind: z.literal("resumed"), ...common, resumedAt: z.iso.datetime() }),
]);

/** What stands on the StatefulSet about the suspension of the cluster, or the last one. */
export type SuspensionRecord = Readonly<z.infer<typeof schema>>;

/** Undefined when there is none, or when somebody wrote something else there. */
export const readSuspensionRecord = (text: string | undefined): SuspensionRecord | undefined =>
  readJson(schema, text);
