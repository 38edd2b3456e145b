import { createHash } from "node:crypto";

/**
 * The revision of a cluster's configs: a digest of the evnode.yaml of every member, by member name. The operator
 * names the entries of the config Secret with it, and each agent computes it again from what is mounted, so a config
 * that was cut off or edited on its way is never run.
 */
export function configRevision(configs: ReadonlyMap<string, string>): string {
  const entries = [...configs].sort(([one], [other]) => (one < other ? -1 : 1));
  return createHash("sha256").update(JSON.stringify(entries)).digest("hex").slice(0, 10);
}
