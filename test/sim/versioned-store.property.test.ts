import * as fc from "fast-check";
import { expect, it } from "vitest";
import { kinds } from "../../src/model/kinds.ts";
import type { ConfigMap } from "../../src/model/objects.ts";
import { configMap } from "../conformance/objects.ts";
import { VirtualClock } from "../runtime/virtual-clock.ts";
import { VersionedStore } from "./versioned-store.ts";

const write = fc.record({ name: fc.constantFrom("a", "b", "c"), data: fc.option(fc.nat(9)) });

it("a store shows every version that it remembers as it was, and tells the changes that lead to now", () => {
  fc.assert(
    fc.property(fc.array(write, { maxLength: 30 }), fc.nat(30), (writes, forgotten) => {
      const store = new VersionedStore(new VirtualClock(), 1_000);
      const was = new Map<number, readonly ConfigMap[]>([[store.version, []]]);
      for (const { name, data } of writes) {
        const ref = { namespace: "a", name };
        if (data !== null) store.put(configMap("a", name, { data: { a: String(data) } }));
        else if (store.get(kinds.configMap, ref)) store.remove(kinds.configMap, ref);
        was.set(store.version, store.all(kinds.configMap));
      }
      store.compact(store.oldestVersion + forgotten);
      const versions = [...was.keys()];
      for (const version of versions.filter((one) => one < store.oldestVersion)) {
        expect(() => store.at(kinds.configMap, version)).toThrow(`version ${version} is forgotten`);
      }
      for (const version of versions.filter((one) => one >= store.oldestVersion)) {
        expect(store.at(kinds.configMap, version)).toEqual(was.get(version));
        const later = store.since(kinds.configMap, version).map((change) => change.version);
        expect(later).toEqual(versions.filter((other) => other > version));
      }
    }),
  );
});

it("an object that was handed out cannot be changed any more", () => {
  const store = new VersionedStore(new VirtualClock(), 1_000);
  const { data } = store.put(configMap("a", "a", { data: { a: "1" } }));
  expect(() => Object.assign(data ?? {}, { a: "2" })).toThrow("read only");
});
