import type { ListOptions, ListPage } from "../../src/kube/api.ts";
import type { Kind } from "../../src/model/kinds.ts";
import { type KubeObject, keyOf } from "../../src/model/kube-object.ts";
import { badRequest, expired, Refused } from "./refused.ts";
import { selectionIn } from "./selection.ts";
import type { VersionedStore } from "./versioned-store.ts";

/** Where the next page begins: in the list at this version, after this key. */
interface Token {
  readonly v: "meta.k8s.io/v1";
  readonly rv: number;
  readonly start: string;
}

/** One page of a list. All pages of a list are of one version, whatever was written between them. */
export function pageOf<T extends KubeObject>(
  store: VersionedStore,
  kind: Kind<T>,
  options: ListOptions,
  cachedVersion: number,
): ListPage<T> {
  const token = options.continueToken === undefined ? undefined : decoded(options.continueToken);
  const version = token?.rv ?? versionOf(options, store, cachedVersion);
  if (version < store.oldestVersion) throw tooOld(token);
  const { namespace, labelSelector = "" } = options;
  const rest = store
    .at(kind, version)
    .filter(selectionIn({ ...(namespace !== undefined && { namespace }) }))
    .filter((object) => keyOf(object.metadata) > (token?.start ?? ""));
  // The first list from the cache comes in one piece.
  const isWhole = token === undefined && options.resourceVersion === "0";
  const limit = isWhole ? rest.length : (options.limit ?? rest.length);
  const items = rest.filter(selectionIn({ labelSelector })).slice(0, limit);
  // The server looks whether anything comes after the page, not whether that is selected.
  const last = items.at(-1);
  const isLast = items.length < limit || last === undefined || last === rest.at(-1);
  return {
    items,
    resourceVersion: String(version),
    continueToken: isLast ? undefined : encoded(version, keyOf(last.metadata)),
  };
}

function versionOf({ resourceVersion }: ListOptions, store: VersionedStore, cachedVersion: number): number {
  if (resourceVersion === "0") return Math.max(cachedVersion, store.oldestVersion);
  const atLeast = Number(resourceVersion ?? 0);
  if (atLeast <= store.version) return store.version;
  const message = `Timeout: Too large resource version: ${atLeast}, current: ${store.version}`;
  throw new Refused(504, "Timeout", message, { retryAfterSeconds: 1 });
}

function tooOld(token: Token | undefined): Refused {
  if (token === undefined) return expired("The resourceVersion for the provided list is too old.");
  return expired(
    "The provided continue parameter is too old to display a consistent list result. You must start a new list without the continue parameter.",
  );
}

function encoded(rv: number, start: string): string {
  const token: Token = { v: "meta.k8s.io/v1", rv, start };
  return Buffer.from(JSON.stringify(token)).toString("base64url");
}

function decoded(text: string): Token {
  try {
    const token = JSON.parse(Buffer.from(text, "base64url").toString()) as Partial<Token>;
    const { v, rv, start } = token;
    if (v === "meta.k8s.io/v1" && rv !== undefined && start !== undefined) return { v, rv, start };
  } catch {
    // Whatever it is, it is no token: see below.
  }
  throw badRequest("continue key is not valid");
}
