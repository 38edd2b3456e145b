import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Change, Store } from "../../src/kube/store.ts";
import type { Pod } from "../../src/model/objects.ts";
import { pod } from "./scripted-api.ts";

function newStore() {
  const errors: unknown[] = [];
  const changes: string[] = [];
  const store = new Store<Pod>({ label: "cluster", onListenerError: (error) => errors.push(error) });
  store.subscribe((change) => changes.push(described(change)));
  return { store, changes, errors };
}

function described(change: Change<Pod>): string {
  const { name, resourceVersion } = change.object.metadata;
  const before = change.kind === "changed" ? `${change.previous.metadata.resourceVersion}>` : "";
  return `${change.kind} ${name} ${before}${resourceVersion}`;
}

const names = (pods: readonly Pod[]) => pods.map((item) => item.metadata.name);

describe("Store", () => {
  it("tells what was added, changed and removed", () => {
    const { store, changes } = newStore();
    store.put(pod("a", "1"));
    store.put(pod("a", "2"));
    store.remove("default/a", pod("a", "3"));
    expect(changes).toEqual(["added a 1", "changed a 1>2", "removed a 3"]);
    expect(store.size).toBe(0);
  });

  it("tells nothing when the same version comes again", () => {
    const { store, changes } = newStore();
    store.put(pod("a", "1"));
    store.put(pod("a", "1"));
    store.remove("default/b");
    expect(changes).toEqual(["added a 1"]);
  });

  it("takes an object with another uid for a removal and an addition", () => {
    const { store, changes } = newStore();
    store.put(pod("a", "1"));
    store.put(pod("a", "2", { uid: "another" }));
    expect(changes).toEqual(["added a 1", "removed a 1", "added a 2"]);
  });

  it("removes what a new list does not have, before it adds what is new", () => {
    const { store, changes } = newStore();
    store.replaceAll([pod("a", "1"), pod("b", "2")]);
    store.replaceAll([pod("c", "4"), pod("b", "3")]);
    expect(changes).toEqual(["added a 1", "added b 2", "removed a 1", "added c 4", "changed b 2>3"]);
  });

  it("finds objects by namespace and by label, sorted, and follows a label that changes", () => {
    const { store } = newStore();
    store.put(pod("b", "1", { labels: { cluster: "x" } }));
    store.put(pod("a", "2", { labels: { cluster: "x" } }));
    store.put(pod("c", "3"));
    store.put(pod("z", "4", { namespace: "other", labels: { cluster: "x" } }));
    expect(names(store.all())).toEqual(["a", "b", "c", "z"]);
    expect(names(store.inNamespace("default"))).toEqual(["a", "b", "c"]);
    expect(names(store.labelled("default", "x"))).toEqual(["a", "b"]);
    store.put(pod("a", "5", { labels: { cluster: "y" } }));
    expect(names(store.labelled("default", "x"))).toEqual(["b"]);
    expect(names(store.labelled("default", "y"))).toEqual(["a"]);
    expect(store.labelled("nowhere", "x")).toEqual([]);
  });

  it("goes on when a listener throws, and tells the others", () => {
    const { store, changes, errors } = newStore();
    const bug = new Error("bug");
    store.subscribe(() => {
      throw bug;
    });
    const later: string[] = [];
    store.subscribe((change) => later.push(described(change)));
    store.put(pod("a", "1"));
    expect([changes, later, errors]).toEqual([["added a 1"], ["added a 1"], [bug]]);
    expect(store.get("default/a")).toEqual(pod("a", "1"));
  });

  it("tells nothing more to a listener that left", () => {
    const { store } = newStore();
    const seen: string[] = [];
    const leave = store.subscribe((change) => seen.push(change.kind));
    store.put(pod("a", "1"));
    leave();
    store.put(pod("b", "1"));
    expect(seen).toEqual(["added"]);
  });

  it("has indexes that agree with its content, whatever happens, and changes that add up to it", () => {
    const item = fc
      .tuple(
        fc.constantFrom("a", "b", "c"),
        fc.constantFrom("n", "m"),
        fc.constantFrom("x", "y", undefined),
        fc.nat(3),
      )
      .map(([name, namespace, cluster, version]) =>
        pod(name, `${version}`, {
          namespace,
          uid: `${version % 2}`,
          labels: cluster === undefined ? {} : { cluster },
        }),
      );
    const step = fc.oneof(
      item.map((object) => (store: Store<Pod>) => store.put(object)),
      item.map(
        (object) => (store: Store<Pod>) =>
          store.remove(`${object.metadata.namespace}/${object.metadata.name}`),
      ),
      fc
        .uniqueArray(item, {
          maxLength: 4,
          selector: (object) => `${object.metadata.namespace}/${object.metadata.name}`,
        })
        .map((objects) => (store: Store<Pod>) => store.replaceAll(objects)),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30, size: "max" }), (steps) => {
        const { store } = newStore();
        const followed = new Set<string>();
        store.subscribe(({ kind, object }) => {
          const key = `${object.metadata.namespace}/${object.metadata.name}`;
          if (kind === "added" && followed.has(key)) throw new Error("added twice");
          if (kind === "removed") followed.delete(key);
          else followed.add(key);
        });
        for (const run of steps) run(store);
        const all = store.all();
        expect(new Set(all.map((object) => `${object.metadata.namespace}/${object.metadata.name}`))).toEqual(
          followed,
        );
        for (const namespace of ["n", "m"]) {
          const here = all.filter((object) => object.metadata.namespace === namespace);
          expect(store.inNamespace(namespace)).toEqual(here);
          for (const value of ["x", "y"]) {
            const labelled = here.filter((object) => object.metadata.labels?.["cluster"] === value);
            expect(store.labelled(namespace, value)).toEqual(labelled);
          }
        }
      }),
    );
  });
});
