import { createHash } from "node:crypto";
import type { Voter } from "./agent-protocol.ts";

/** The same for the same membership, whatever the order in which it is written. */
export function votersDigest(voters: readonly Voter[]): string {
  const entries = voters
    .map(({ id, address }) => [id, address] as const)
    .sort(([one], [other]) => (one < other ? -1 : 1));
  return digestOf(JSON.stringify(entries));
}

/** Of the text, as it is in the identity Secret and as ev-node reads it. */
export const genesisDigest = (text: string): string => digestOf(text);

const digestOf = (text: string) => createHash("sha256").update(text).digest("hex");
