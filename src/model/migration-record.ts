import * as z from "zod";
import { readJson } from "./json.ts";

const schema = z.object({
  version: z.literal(1),
  /** The highest block that the old sequencer told, as it was noted last. The chain never goes on below it. */
  told: z.object({ height: z.int().min(0), hash: z.string().max(128).exactOptional() }).exactOptional(),
});

/**
 * What stands on the StatefulSet of a chain that comes from outside. It is there from the first moment on: without it,
 * a spec that lost its migration would look like that of a chain to begin.
 */
export type MigrationRecord = Readonly<z.infer<typeof schema>>;

/** Undefined when there is none, or when somebody wrote something else there. */
export const readMigrationRecord = (text: string | undefined): MigrationRecord | undefined =>
  readJson(schema, text);
