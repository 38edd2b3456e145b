import { kinds } from "../model/kinds.ts";
import type { Member } from "../model/member.ts";
import type { ControllerRevision, StatefulSet } from "../model/objects.ts";
import { remembered } from "../model/remembered.ts";
import type { Template } from "../plan/update-way.ts";
import { LONGEST_MEMORY_MS, type World } from "./world.ts";

export const isOther = (revision: string | undefined, newest: string | undefined) =>
  newest !== undefined && revision !== newest;

/** The templates that pods are of and are to be of, when these differ. Revisions never change. */
export async function readRevisions(
  world: World,
  namespace: string,
  members: readonly Member[],
  statefulSet: StatefulSet | undefined,
): Promise<ReadonlyMap<string, Template>> {
  const newest = statefulSet?.status?.updateRevision;
  const others = members.flatMap(({ pod }) =>
    pod?.revision && isOther(pod.revision, newest) ? [pod.revision] : [],
  );
  if (newest === undefined || others.length === 0) return new Map();
  const found = await Promise.all(
    [...new Set([newest, ...others])].map(async (name) => {
      const revision = await world.read(kinds.controllerRevision, { namespace, name }, LONGEST_MEMORY_MS);
      const template = revision && templateOf(revision);
      return template ? [[name, template] as const] : [];
    }),
  );
  return new Map(found.flat());
}

/**
 * A revision is the patch that makes a StatefulSet of it; the template says of itself that it replaces the other. One
 * object for each, by which is remembered what it says.
 */
const templateOf = remembered(({ data }: ControllerRevision): Template | undefined => {
  const { template } =
    (data as { readonly spec?: { readonly template?: Template & { readonly $patch?: string } } })?.spec ?? {};
  if (!template) return undefined;
  const { $patch: _, ...rest } = template;
  return rest;
});
