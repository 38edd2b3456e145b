import { configEntry, configSecretName } from "../model/names.ts";
import type { Secret } from "../model/objects.ts";
import { configEntries, type MemberConfigs } from "../resources/member-configs.ts";
import type { Intents } from "./intent.ts";
import { objectKey, type Snapshot } from "./snapshot.ts";
import { provenIn, recordOn } from "./stored-record.ts";

/**
 * Every member's config of the current revision, of the revisions that pods still run, and of the one that a rollout
 * may go back to. A revision that can no longer be rendered is kept as it is. `next` are those of a wish, or of
 * another number of members.
 */
export function wantedEntries(
  snapshot: Snapshot,
  { current, configs }: Intents,
  next?: MemberConfigs,
): ReadonlyMap<string, string> {
  const rendered = [configs, next].flatMap((one) => (one ? [...configEntries(one)] : []));
  const running = snapshot.members.flatMap(({ pod }) => pod?.configRevision ?? []);
  const proven = provenIn(recordOn(snapshot.statefulSet));
  const revisions = [current.configRevision, ...running, ...(proven ? [proven.configRevision] : [])];
  const kept = revisions.flatMap((revision) => {
    return snapshot.members.map(({ name }) => configEntry(name, revision));
  });
  const live = configSecretIn(snapshot)?.data ?? {};
  return new Map([...kept.flatMap((entry) => entryOf(live, entry)), ...rendered]);
}

/** Whether the Secret is there, and this member's config of this revision is not in it. */
export function isConfigGone(snapshot: Snapshot, member: string, revision: string): boolean {
  const secret = configSecretIn(snapshot);
  return secret !== undefined && secret.data?.[configEntry(member, revision)] === undefined;
}

/** Whether any of these is not in the Secret yet, or there is no Secret. */
export function lacksConfigs(snapshot: Snapshot, configs: MemberConfigs): boolean {
  const data = configSecretIn(snapshot)?.data;
  return [...configEntries(configs).keys()].some((entry) => data?.[entry] === undefined);
}

/** The Secret with the members' configs; absent while it is not there. */
export function configSecretIn({ objects, cluster }: Snapshot): Secret | undefined {
  return objects.get(objectKey("Secret", configSecretName(cluster.metadata.name))) as Secret | undefined;
}

function entryOf(live: Readonly<Record<string, string>>, entry: string): [string, string][] {
  const value = live[entry];
  return value === undefined ? [] : [[entry, Buffer.from(value, "base64").toString("utf8")]];
}
