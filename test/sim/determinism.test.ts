import { expect, it } from "vitest";
import { KubeError } from "../../src/kube/errors.ts";
import { Reflector } from "../../src/kube/reflector.ts";
import { Store } from "../../src/kube/store.ts";
import { kinds } from "../../src/model/kinds.ts";
import type { Pod } from "../../src/model/objects.ts";
import { gatedPod, identityOf } from "../conformance/objects.ts";
import { seededRandom } from "../runtime/seeded-random.ts";
import { VirtualClock } from "../runtime/virtual-clock.ts";
import { collectGarbage } from "./garbage-collector.ts";
import { namespace, newWorld } from "./world.ts";

/** Two clients that get in each other's way over a bad network, and a watcher; everything that was seen, in order. */
async function history(seed: number): Promise<string[]> {
  const random = seededRandom(seed);
  const clock = new VirtualClock();
  const seen: string[] = [];
  const { server, registry, store } = newWorld({ clock, random, watchLagMs: () => random.next() * 300 });
  const lost = { error: new KubeError("Timeout", "lost"), afterMs: 500 };
  const faults = {
    before: () => (random.next() < 0.1 ? lost : undefined),
    after: () => (random.next() < 0.1 ? lost : undefined),
  };
  const latencyMs = () => random.next() * 50;
  store.subscribe(({ version, before, after }) => seen.push(`${version} ${(after ?? before)?.metadata.uid}`));
  const writer = async (name: string) => {
    const api = server.client({ name, latencyMs, faults });
    for (let n = 0; n < 20; n++) {
      const pod = gatedPod(namespace, `pod-${Math.floor(random.next() * 4)}`);
      const created = await api.create(kinds.pod, pod).catch(() => api.get(kinds.pod, pod.metadata));
      const preconditions = created ? identityOf(created) : { uid: "" };
      await api.delete(kinds.pod, pod.metadata, { preconditions, propagation: "Background" });
    }
  };
  const stop = new AbortController();
  const cache = new Store<Pod>({ label: "set", onListenerError: (error) => seen.push(String(error)) });
  cache.subscribe(({ kind, object }) => seen.push(`${clock.monotonicMs()} ${kind} ${object.metadata.name}`));
  const api = server.client({ name: "watcher", latencyMs, faults });
  const onFailure = (error: KubeError) => seen.push(error.message);
  const reflector = new Reflector({ api, kind: kinds.pod, store: cache, clock, random, onFailure });
  const watched = reflector.run(stop.signal);
  const written = ["a", "b"].map((name) => writer(name).catch((error: unknown) => seen.push(String(error))));
  for (let step = 0; step < 100; step++) {
    collectGarbage(registry);
    await clock.advance(100);
  }
  stop.abort();
  await Promise.all([watched, ...written]);
  return seen;
}

it("the same seed brings the same history, and another one another", async () => {
  const first = await history(7);
  expect(first.length).toBeGreaterThan(20);
  expect(await history(7)).toEqual(first);
  expect(await history(8)).not.toEqual(first);
});
