import type { EvNodeCluster } from "../api/evnodecluster.ts";
import type { Kind } from "../model/kinds.ts";
import { kinds } from "../model/kinds.ts";
import type { KubeObject } from "../model/kube-object.ts";
import { cleaned } from "./cleaned.ts";
import type { Connection } from "./command.ts";
import { exitCodes } from "./exit-code.ts";
import { Failure } from "./failure.ts";

const PAGE_SIZE = 500;
/** More than any namespace has: a server that never ends its list. */
const MAX_PAGES = 200;

/** Every object of a kind, in a namespace or in all. */
export async function listAll<T extends KubeObject>(
  { api }: Pick<Connection, "api">,
  kind: Kind<T>,
  scope: { readonly namespace?: string; readonly labelSelector?: string },
): Promise<readonly T[]> {
  const objects: T[] = [];
  let continueToken: string | undefined;
  for (let pages = 0; pages < MAX_PAGES; pages++) {
    const page = await api.list(kind, {
      ...scope,
      limit: PAGE_SIZE,
      ...(continueToken !== undefined && { continueToken }),
    });
    objects.push(...page.items.map((item) => cleaned(item)));
    continueToken = page.continueToken;
    if (continueToken === undefined) return objects;
  }
  throw new Failure(exitCodes.error, `the list of ${kind.kind} does not end`);
}

/** The cluster of this name; names the others when there is none. */
export async function getCluster(connection: Connection, name: string): Promise<EvNodeCluster> {
  const { api, namespace } = connection;
  const found = await api.get(kinds.cluster, { namespace, name });
  if (found !== undefined) return cleaned(found);
  const others = await listAll(connection, kinds.cluster, { namespace }).catch(() => []);
  const names = others.map(({ metadata }) => metadata.name).sort();
  throw new Failure(
    exitCodes.error,
    `there is no EvNodeCluster ${name} in namespace ${namespace}`,
    names.length === 0
      ? "None is there. kubectl evnode status --all-namespaces lists all."
      : `There are: ${names.join(", ")}`,
  );
}
