import { expect, it } from "vitest";
import type { WatchEvent } from "../../src/kube/api.ts";
import { kinds } from "../../src/model/kinds.ts";
import type { ConfigMap } from "../../src/model/objects.ts";
import { type Environment, settled, until } from "./environment.ts";
import { configMap, identityOf, labelled } from "./objects.ts";

/** A watch that is read as it goes; bookmarks are counted apart, because a server may send any number of them. */
function follow(env: Environment, resourceVersion: string, labelSelector: string, timeoutSeconds = 60) {
  const stop = new AbortController();
  const seen: string[] = [];
  const options = {
    namespace: env.namespace,
    labelSelector,
    resourceVersion,
    timeoutSeconds,
    signal: stop.signal,
  };
  const read = async (): Promise<void> => {
    for await (const event of env.api.watch(kinds.configMap, options)) {
      if (event.type !== "BOOKMARK") seen.push(described(event));
    }
  };
  return { stop, seen, ended: read() };
}

function described(event: Exclude<WatchEvent<ConfigMap>, { type: "BOOKMARK" }>): string {
  const { name } = event.object.metadata;
  return `${event.type} ${name}${event.object.data?.["a"] === undefined ? "" : ` ${event.object.data["a"]}`}`;
}

async function versionNow(env: Environment): Promise<string> {
  return (await env.api.list(kinds.configMap, { namespace: env.namespace })).resourceVersion;
}

export function watchConformance(env: () => Environment): void {
  eventConformance(env);
  endConformance(env);
}

function eventConformance(env: () => Environment): void {
  it("tell every change after the version of a list, in order", async () => {
    const { api, namespace } = env();
    const labels = { set: "events" };
    const watch = follow(env(), await versionNow(env()), "set=events");
    const created = await api.create(kinds.configMap, labelled(namespace, "events", labels));
    const { uid } = identityOf(created);
    await api.patch(kinds.configMap, created.metadata, { data: { a: "1" } }, { uid });
    await api.patch(kinds.configMap, created.metadata, { data: { a: "2" } }, { uid });
    await api.delete(kinds.configMap, created.metadata, {
      preconditions: { uid },
      propagation: "Background",
    });
    await until(env(), "four events", () => watch.seen.length >= 4);
    watch.stop.abort();
    await settled(env(), "the end of the watch", watch.ended);
    expect(watch.seen).toEqual([
      "ADDED events",
      "MODIFIED events 1",
      "MODIFIED events 2",
      "DELETED events 2",
    ]);
  });

  it("begin with what happened since an older version", async () => {
    const { api, namespace } = env();
    const version = await versionNow(env());
    await api.create(kinds.configMap, labelled(namespace, "earlier-1", { set: "earlier" }));
    await api.create(kinds.configMap, labelled(namespace, "earlier-2", { set: "earlier" }));
    const watch = follow(env(), version, "set=earlier");
    await until(env(), "two events", () => watch.seen.length >= 2);
    watch.stop.abort();
    await settled(env(), "the end of the watch", watch.ended);
    expect(watch.seen).toEqual(["ADDED earlier-1", "ADDED earlier-2"]);
  });

  it("show an object that leaves the selection as deleted, and one that enters it as added", async () => {
    const { api, namespace } = env();
    const watch = follow(env(), await versionNow(env()), "set=chosen");
    const created = await api.create(kinds.configMap, labelled(namespace, "mover", { set: "other" }));
    const { uid } = identityOf(created);
    for (const set of ["chosen", "other"]) {
      await api.patch(kinds.configMap, created.metadata, { metadata: { labels: { set } } }, { uid });
    }
    await until(env(), "two events", () => watch.seen.length >= 2);
    watch.stop.abort();
    await settled(env(), "the end of the watch", watch.ended);
    expect(watch.seen).toEqual(["ADDED mover", "DELETED mover"]);
  });

  it("show that an object waits for its finalizers before it is deleted", async () => {
    const { api, namespace } = env();
    const watch = follow(env(), await versionNow(env()), "set=dying");
    const metadata = { namespace, name: "dying", labels: { set: "dying" }, finalizers: ["example.com/a"] };
    const { uid } = identityOf(
      await api.create(kinds.configMap, configMap(namespace, "dying", { metadata })),
    );
    await api.delete(kinds.configMap, metadata, { preconditions: { uid }, propagation: "Background" });
    await api.patch(kinds.configMap, metadata, { metadata: { finalizers: null } }, { uid });
    await until(env(), "three events", () => watch.seen.length >= 3);
    watch.stop.abort();
    await settled(env(), "the end of the watch", watch.ended);
    expect(watch.seen).toEqual(["ADDED dying", "MODIFIED dying", "DELETED dying"]);
  });
}

function endConformance(env: () => Environment): void {
  it("end by themselves after the time that was asked for", async () => {
    const watch = follow(env(), await versionNow(env()), "set=nothing", 1);
    await settled(env(), "the end of the watch", watch.ended);
    expect(watch.seen).toEqual([]);
  });

  it("end without an error when they are aborted", async () => {
    const watch = follow(env(), await versionNow(env()), "set=nothing");
    await env().pass(200);
    watch.stop.abort(new Error("enough"));
    await expect(settled(env(), "the end of the watch", watch.ended)).resolves.toBeUndefined();
  });

  it("fail as Expired from a version that the server has forgotten", async () => {
    const watch = follow(env(), "1", "set=nothing");
    await expect(settled(env(), "the end of the watch", watch.ended)).rejects.toMatchObject({
      kind: "Expired",
    });
  });
}
