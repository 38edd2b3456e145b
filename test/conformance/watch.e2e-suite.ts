import { expect, it } from "vitest";
import { kinds } from "../../src/model/kinds.ts";
import { type Environment, settled } from "./environment.ts";
import { atLeast, changesOf, described, follow, versionNow } from "./follow.ts";
import { configMap, identityOf, labelled } from "./objects.ts";

export function watchConformance(env: () => Environment): void {
  eventConformance(env);
  selectionConformance(env);
  endConformance(env);
}

/** What is changed in a watch's selection from now on. */
async function fromNow(env: Environment, set: string) {
  return { resourceVersion: await versionNow(env), labelSelector: `set=${set}` };
}

function eventConformance(env: () => Environment): void {
  it("tell every change after the version of a list, in order", async () => {
    const { api, namespace } = env();
    const changes = await changesOf(env(), await fromNow(env(), "events"), atLeast(4), async () => {
      const created = await api.create(kinds.configMap, labelled(namespace, "events", { set: "events" }));
      const { uid } = identityOf(created);
      await api.patch(kinds.configMap, created.metadata, { data: { a: "1" } }, { uid });
      await api.patch(kinds.configMap, created.metadata, { data: { a: "2" } }, { uid });
      const options = { preconditions: { uid }, propagation: "Background" } as const;
      await api.delete(kinds.configMap, created.metadata, options);
    });
    expect(changes.map(described)).toEqual([
      "ADDED events",
      "MODIFIED events 1",
      "MODIFIED events 2",
      "DELETED events 2",
    ]);
  });

  it("tell nothing of a write that changes nothing", async () => {
    const { api, namespace } = env();
    const object = labelled(namespace, "no-ops", { set: "no-ops" });
    const changes = await changesOf(env(), await fromNow(env(), "no-ops"), atLeast(2), async () => {
      const { uid } = identityOf(await api.create(kinds.configMap, object));
      for (const a of ["1", "1"]) await api.patch(kinds.configMap, object.metadata, { data: { a } }, { uid });
    });
    expect(changes.map(described)).toEqual(["ADDED no-ops", "MODIFIED no-ops 1"]);
  });

  it("begin with what happened since an older version", async () => {
    const { api, namespace } = env();
    const followed = await fromNow(env(), "earlier");
    await api.create(kinds.configMap, labelled(namespace, "earlier-1", { set: "earlier" }));
    await api.create(kinds.configMap, labelled(namespace, "earlier-2", { set: "earlier" }));
    const changes = await changesOf(env(), followed, atLeast(2), () => Promise.resolve());
    expect(changes.map(described)).toEqual(["ADDED earlier-1", "ADDED earlier-2"]);
  });

  it("show that an object waits for its finalizers before it is deleted", async () => {
    const { api, namespace } = env();
    const metadata = { namespace, name: "dying", labels: { set: "dying" }, finalizers: ["example.com/a"] };
    const changes = await changesOf(env(), await fromNow(env(), "dying"), atLeast(3), async () => {
      const created = await api.create(kinds.configMap, configMap(namespace, "dying", { metadata }));
      const { uid } = identityOf(created);
      await api.delete(kinds.configMap, metadata, { preconditions: { uid }, propagation: "Background" });
      await api.patch(kinds.configMap, metadata, { metadata: { finalizers: null } }, { uid });
    });
    expect(changes.map(described)).toEqual(["ADDED dying", "MODIFIED dying", "DELETED dying"]);
  });
}

function selectionConformance(env: () => Environment): void {
  it("show an object that enters the selection as added, and one that leaves it as deleted", async () => {
    const { api, namespace } = env();
    const object = labelled(namespace, "mover", { set: "other" });
    const changes = await changesOf(env(), await fromNow(env(), "chosen"), atLeast(3), async () => {
      const { uid } = identityOf(await api.create(kinds.configMap, object));
      for (const labels of [{ set: "chosen" }, { more: "labels" }, { set: "other" }]) {
        await api.patch(kinds.configMap, object.metadata, { metadata: { labels } }, { uid });
      }
    });
    expect(changes.map(described)).toEqual(["ADDED mover", "MODIFIED mover", "DELETED mover"]);
  });

  it("show the one that left as it was when it was selected, at the version of its leaving", async () => {
    const { api, namespace } = env();
    const object = labelled(namespace, "left", { set: "left" });
    let versionOfLeaving: string | undefined;
    const changes = await changesOf(env(), await fromNow(env(), "left"), atLeast(2), async () => {
      const { uid } = identityOf(await api.create(kinds.configMap, object));
      const patch = { metadata: { labels: { set: "other" } }, data: { a: "later" } };
      const left = await api.patch(kinds.configMap, object.metadata, patch, { uid });
      versionOfLeaving = left.metadata.resourceVersion;
    });
    const last = changes.at(-1)?.object;
    expect(last?.metadata).toMatchObject({
      labels: { set: "left" },
      resourceVersion: versionOfLeaving,
    });
    expect(last).not.toHaveProperty("data");
  });
}

function endConformance(env: () => Environment): void {
  const nothing = () => fromNow(env(), "nothing");

  it("end by themselves after the time that was asked for", async () => {
    const watch = follow(env(), { ...(await nothing()), timeoutSeconds: 1 });
    await settled(env(), "the end of the watch", watch.ended);
    expect(watch.changes).toEqual([]);
  });

  it("tell their version before they end, so that the next watch begins there", async () => {
    const { api, namespace } = env();
    const followed = await nothing();
    const watch = follow(env(), { ...followed, timeoutSeconds: 8 });
    const unseen = await api.create(kinds.configMap, labelled(namespace, "unseen", { set: "unseen" }));
    await settled(env(), "the end of the watch", watch.ended);
    expect(watch.changes).toEqual([]);
    const last = BigInt(watch.bookmarks.at(-1) ?? 0);
    expect(last).toBeGreaterThanOrEqual(BigInt(identityOf(unseen).resourceVersion));
  });

  it("end without an error when they are aborted", async () => {
    const watch = follow(env(), await nothing());
    await env().pass(200);
    watch.stop.abort(new Error("enough"));
    await expect(settled(env(), "the end of the watch", watch.ended)).resolves.toBeUndefined();
  });

  it("fail as Expired from a version that the server has forgotten", async () => {
    const watch = follow(env(), { resourceVersion: "1", labelSelector: "set=nothing" });
    await expect(settled(env(), "the end of the watch", watch.ended)).rejects.toMatchObject({
      kind: "Expired",
    });
  });

  it("fail as Expired from a version that was good before the server compacted its history", async ({
    skip,
  }) => {
    const { api, namespace, command } = env();
    if (command === undefined) return skip("a real server compacts every few minutes, and not at a word");
    const followed = await nothing();
    await api.create(kinds.configMap, labelled(namespace, "compacted", { set: "compacted" }));
    command.compact();
    const watch = follow(env(), followed);
    await expect(settled(env(), "the end of the watch", watch.ended)).rejects.toMatchObject({
      kind: "Expired",
    });
  });
}
