import { expect, it } from "vitest";
import type { ListOptions, ListPage } from "../../src/kube/api.ts";
import { kinds } from "../../src/model/kinds.ts";
import type { ConfigMap } from "../../src/model/objects.ts";
import { type Environment, eventually } from "./environment.ts";
import { identityOf, labelled } from "./objects.ts";

const namesIn = (page: ListPage<ConfigMap>) => page.items.map((item) => item.metadata.name);

async function createAll({ api, namespace }: Environment, set: string, names: readonly string[]) {
  for (const name of names) await api.create(kinds.configMap, labelled(namespace, name, { set }));
}

/** All pages of a list, with something that happens between each two. */
async function pagesOf({ api }: Environment, options: ListOptions, between = () => Promise.resolve()) {
  const pages = [await api.list(kinds.configMap, options)];
  for (let token = pages[0]?.continueToken; token !== undefined; token = pages.at(-1)?.continueToken) {
    await between();
    pages.push(await api.list(kinds.configMap, { ...options, continueToken: token }));
  }
  return pages;
}

export function listConformance(env: () => Environment): void {
  selectionConformance(env);
  pageConformance(env);
}

function selectionConformance(env: () => Environment): void {
  it("come by namespace and label, with the type in every item", async () => {
    const { api, namespace } = env();
    await createAll(env(), "list", ["list-b", "list-a"]);
    await createAll(env(), "other", ["list-c"]);
    const page = await api.list(kinds.configMap, { namespace, labelSelector: "set=list" });
    const described = page.items.map(
      ({ apiVersion, kind, metadata }) => `${apiVersion} ${kind} ${metadata.name}`,
    );
    expect(new Set(described)).toEqual(new Set(["v1 ConfigMap list-a", "v1 ConfigMap list-b"]));
    expect(described).toHaveLength(2);
    expect(page.continueToken).toBeUndefined();
    const none = await api.list(kinds.configMap, { namespace: `${namespace}-not` });
    expect(none.items).toEqual([]);
  });

  it("come from all namespaces when none is named", async () => {
    const { api, namespace } = env();
    const labelSelector = `set=${namespace}`;
    await createAll(env(), namespace, ["everywhere"]);
    expect(namesIn(await api.list(kinds.configMap, { labelSelector }))).toEqual(["everywhere"]);
  });

  it.each([
    ["set=sel,tier==a", ["sel-a"]],
    ["set=sel,tier!=a", ["sel-b", "sel-none"]],
    ["set=sel,tier in (a, b)", ["sel-a", "sel-b"]],
    ["set=sel,tier notin (a,c)", ["sel-b", "sel-none"]],
    ["set=sel,tier", ["sel-a", "sel-b"]],
    ["set=sel,!tier", ["sel-none"]],
  ])("by the selector '%s'", async (labelSelector, expected) => {
    const { api, namespace } = env();
    for (const [name, tier] of [
      ["sel-a", { tier: "a" }],
      ["sel-b", { tier: "b" }],
      ["sel-none", {}],
    ] as const) {
      const known = await api.get(kinds.configMap, { namespace, name });
      if (!known) await api.create(kinds.configMap, labelled(namespace, name, { set: "sel", ...tier }));
    }
    expect(namesIn(await api.list(kinds.configMap, { namespace, labelSelector }))).toEqual(expected);
  });

  it("are refused for a selector that is none", async () => {
    const { api, namespace } = env();
    const refused = api.list(kinds.configMap, { namespace, labelSelector: "a in b" });
    await expect(refused).rejects.toMatchObject({ kind: "BadRequest" });
  });

  it("may come from the server's cache, in one piece whatever the limit", async () => {
    const { api, namespace } = env();
    await createAll(env(), "cached", ["cached-a", "cached-b"]);
    const options = { namespace, labelSelector: "set=cached", resourceVersion: "0", limit: 1 };
    const cached = async () => namesIn(await api.list(kinds.configMap, options));
    // The cache may lag behind, but not for long.
    await eventually(env(), "the cache has both", async () => (await cached()).length === 2);
    expect((await cached()).toSorted()).toEqual(["cached-a", "cached-b"]);
  });
}

function pageConformance(env: () => Environment): void {
  it("come in pages that together are the whole, at one version", async () => {
    const { namespace } = env();
    await createAll(env(), "p", ["page-0", "page-1", "page-2", "page-3", "page-4"]);
    const pages = await pagesOf(env(), { namespace, labelSelector: "set=p", limit: 2 });
    expect(pages.map(namesIn)).toEqual([["page-0", "page-1"], ["page-2", "page-3"], ["page-4"]]);
    expect(new Set(pages.map((page) => page.resourceVersion)).size).toBe(1);
  });

  it("end with a page that is full when nothing comes after it, and else may end with an empty one", async () => {
    const { namespace } = env();
    await createAll(env(), "ahead", ["zy-ahead"]);
    await createAll(env(), "last", ["zz-last"]);
    const pagesWith = async (labelSelector: string) =>
      (await pagesOf(env(), { namespace, labelSelector, limit: 1 })).map(namesIn);
    expect(await pagesWith("set=last")).toEqual([["zz-last"]]);
    expect(await pagesWith("set=ahead")).toEqual([["zy-ahead"], []]);
  });

  it("do not show in a later page what was written after the first", async () => {
    const { api, namespace } = env();
    await createAll(env(), "still", ["still-a", "still-c", "still-e"]);
    const last = { namespace, name: "still-e" };
    const { uid } = identityOf((await api.get(kinds.configMap, last)) ?? labelled(namespace, "", {}));
    const writes = [
      () => createAll(env(), "still", ["still-b", "still-d"]),
      () => api.delete(kinds.configMap, last, { preconditions: { uid }, propagation: "Background" }),
    ];
    const options = { namespace, labelSelector: "set=still", limit: 1 };
    const pages = await pagesOf(env(), options, async () => writes.shift()?.());
    expect(pages.flatMap(namesIn)).toEqual(["still-a", "still-c", "still-e"]);
    expect(namesIn(await api.list(kinds.configMap, { namespace, labelSelector: "set=still" }))).toEqual([
      "still-a",
      "still-b",
      "still-c",
      "still-d",
    ]);
  });

  it("are refused for a continue token that is none", async () => {
    const { api, namespace } = env();
    const refused = api.list(kinds.configMap, { namespace, limit: 1, continueToken: "nonsense" });
    await expect(refused).rejects.toMatchObject({ kind: "BadRequest" });
  });

  it("fail as Expired when the server compacted its history between two pages", async ({ skip }) => {
    const { namespace, command } = env();
    if (command === undefined) return skip("a real server compacts every few minutes, and not at a word");
    await createAll(env(), "late", ["late-a", "late-b"]);
    const options = { namespace, labelSelector: "set=late", limit: 1 };
    const compact = async () => {
      await createAll(env(), "later", ["later"]);
      command.compact();
    };
    await expect(pagesOf(env(), options, compact)).rejects.toMatchObject({ kind: "Expired" });
  });
}
