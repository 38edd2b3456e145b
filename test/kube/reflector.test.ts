import { describe, expect, it } from "vitest";
import { KubeError, type KubeErrorKind } from "../../src/kube/errors.ts";
import { Reflector } from "../../src/kube/reflector.ts";
import { Store } from "../../src/kube/store.ts";
import { kinds } from "../../src/model/kinds.ts";
import type { Pod } from "../../src/model/objects.ts";
import { fixedRandom } from "../runtime/seeded-random.ts";
import { VirtualClock } from "../runtime/virtual-clock.ts";
import { page, pod, ScriptedApi } from "./scripted-api.ts";

function scenario(draw = 0, scope: { namespace?: string; labelSelector?: string } = {}) {
  const clock = new VirtualClock();
  const api = new ScriptedApi();
  const store = new Store<Pod>({ label: "cluster", onListenerError: () => {} });
  const failures: Array<[KubeErrorKind, number]> = [];
  const reflector = new Reflector<Pod>({
    api,
    kind: kinds.pod,
    store,
    clock,
    random: fixedRandom(draw),
    onFailure: (error, waitMs) => failures.push([error.kind, waitMs]),
    ...scope,
  });
  const stop = new AbortController();
  const start = () => {
    const ended = reflector.run(stop.signal);
    return { ended };
  };
  const names = () => store.all().map((item) => item.metadata.name);
  return { clock, api, store, failures, reflector, stop, start, names };
}

const added = (object: Pod) => ({ type: "ADDED", object }) as const;
const deleted = (object: Pod) => ({ type: "DELETED", object }) as const;
const bookmark = (resourceVersion: string) => ({ type: "BOOKMARK", resourceVersion }) as const;
const error = (kind: KubeErrorKind, retryAfterMs?: number) =>
  new KubeError(kind, "scripted", { retryAfterMs });

describe("the list of a reflector", () => {
  it("may first come from the server's cache, in pages, and becomes visible as a whole", async () => {
    const { clock, api, start, reflector, names } = scenario(0, {
      namespace: "default",
      labelSelector: "a=b",
    });
    api.answer(
      () => ({ items: [pod("a", "1")], resourceVersion: "10", continueToken: "more" }),
      () => ({ items: [pod("b", "2")], resourceVersion: "10" }),
    );
    let isSynced = false;
    void reflector.synced.then(() => (isSynced = true));
    start();
    expect(reflector.hasSynced).toBe(false);
    await clock.advance(0);
    expect(names()).toEqual(["a", "b"]);
    expect([reflector.hasSynced, isSynced]).toEqual([true, true]);
    const scope = { namespace: "default", labelSelector: "a=b", limit: 500 };
    expect(api.lists).toEqual([
      { ...scope, resourceVersion: "0" },
      { ...scope, continueToken: "more" },
    ]);
    expect(api.lastWatch.options).toMatchObject({
      namespace: "default",
      labelSelector: "a=b",
      resourceVersion: "10",
    });
  });

  it("is read anew from its beginning when it fails half-way, and nothing of it was visible", async () => {
    const { clock, api, start, reflector, names, failures } = scenario();
    api.answer(
      () => ({ items: [pod("a", "1")], resourceVersion: "10", continueToken: "more" }),
      error("Expired"),
      page("12", pod("b", "2")),
    );
    start();
    await clock.advance(0);
    expect([names(), reflector.hasSynced]).toEqual([[], false]);
    await clock.advance(800);
    expect([names(), reflector.hasSynced]).toEqual([["b"], true]);
    expect(failures).toEqual([["Expired", 800]]);
  });

  it("is tried again later and later, at most every 30 s, for ever", async () => {
    const { clock, api, start, failures } = scenario(0.999999);
    api.answer(error("Unavailable"));
    start();
    await clock.advance(600_000);
    const delays = failures.map(([, waitMs]) => Math.round(waitMs));
    expect(delays.slice(0, 7)).toEqual([1_200, 2_400, 4_800, 9_600, 19_200, 30_000, 30_000]);
    expect(failures.length).toBeGreaterThan(20);
  });

  it("leaves managed fields out of the store", async () => {
    const { clock, api, start, store } = scenario();
    api.answer(page("1", pod("a", "1", { managedFields: [{ manager: "kubectl" }] })));
    start();
    await clock.advance(0);
    api.lastWatch.send(added(pod("b", "2", { managedFields: [{ manager: "kubectl" }] })));
    await clock.advance(0);
    expect(store.all()).toEqual([pod("a", "1"), pod("b", "2")]);
  });
});

describe("what a reflector keeps of an object", () => {
  it("can be chosen, for listed and for watched objects", async () => {
    const clock = new VirtualClock();
    const api = new ScriptedApi();
    const store = new Store<Pod>({ label: "cluster", onListenerError: () => {} });
    const keep = (object: Pod): Pod => ({ ...object, spec: { containers: [] } });
    const reflector = new Reflector<Pod>({
      api,
      kind: kinds.pod,
      store,
      clock,
      random: fixedRandom(0),
      keep,
      onFailure: () => {},
    });
    api.answer(page("1", pod("a", "1")));
    void reflector.run(new AbortController().signal);
    await clock.advance(0);
    api.lastWatch.send(added(pod("b", "2")));
    await clock.advance(0);
    expect(store.all().map((item) => item.spec)).toEqual([{ containers: [] }, { containers: [] }]);
  });
});

describe("the watch of a reflector", () => {
  it("follows events and goes on from the version of the last one, bookmarks included", async () => {
    const { clock, api, start, names, failures } = scenario();
    api.answer(page("10", pod("a", "1")));
    start();
    await clock.advance(5_000);
    api.lastWatch.send(added(pod("b", "11")), deleted(pod("a", "12")), bookmark("20"), "end");
    await clock.advance(0);
    expect(names()).toEqual(["b"]);
    expect(api.watches.map((watch) => watch.options.resourceVersion)).toEqual(["10", "20"]);
    expect([api.lists.length, failures]).toEqual([1, []]);
  });

  it.each([
    [0, 300],
    [0.5, 450],
    [0.999999, 600],
  ])("is asked to end at a time drawn by chance (%d gives %i s)", async (draw, timeoutSeconds) => {
    const { clock, api, start } = scenario(draw);
    api.answer(page("10"));
    start();
    await clock.advance(0);
    expect(api.lastWatch.options.timeoutSeconds).toBe(timeoutSeconds);
  });

  it("is renewed at once when the server ends it after its time", async () => {
    const { clock, api, start, failures } = scenario();
    api.answer(page("10"));
    start();
    await clock.advance(1_000);
    api.lastWatch.send("end");
    await clock.advance(0);
    expect([api.watches.length, api.lists.length, failures]).toEqual([2, 1, []]);
  });

  it("that ends within a second without an event counts as a failure, but keeps its version", async () => {
    const { clock, api, start, failures } = scenario();
    api.answer(page("10"));
    api.openings.push(["end"], ["end"], ["end"]);
    start();
    await clock.advance(800 + 1_600);
    expect(failures).toEqual([
      ["Unavailable", 800],
      ["Unavailable", 1_600],
      ["Unavailable", 3_200],
    ]);
    expect(api.watches.map((watch) => watch.options.resourceVersion)).toEqual(["10", "10", "10"]);
    expect(api.lists).toHaveLength(1);
  });

  it.each(["Unavailable", "Throttled", "Timeout"] as const)(
    "that fails as %s keeps its version",
    async (kind) => {
      const { clock, api, start } = scenario();
      api.answer(page("10"));
      start();
      await clock.advance(2_000);
      api.lastWatch.send(bookmark("15"), error(kind));
      await clock.advance(800);
      expect(api.watches.map((watch) => watch.options.resourceVersion)).toEqual(["10", "15"]);
      expect(api.lists).toHaveLength(1);
    },
  );

  it.each(["BadRequest", "NotFound", "Forbidden", "Unknown"] as const)(
    "that fails as %s lists again, after a wait",
    async (kind) => {
      const { clock, api, start, failures } = scenario();
      api.answer(page("10"));
      start();
      await clock.advance(2_000);
      api.lastWatch.send(error(kind));
      await clock.advance(799);
      expect([api.lists.length, failures]).toEqual([1, [[kind, 800]]]);
      await clock.advance(1);
      expect(api.lists).toHaveLength(2);
    },
  );

  it("waits as long as the server asks for", async () => {
    const { clock, api, start, failures } = scenario();
    api.answer(page("10"));
    start();
    await clock.advance(2_000);
    api.lastWatch.send(error("Throttled", 12_000));
    await clock.advance(0);
    expect(failures).toEqual([["Throttled", 12_000]]);
  });

  it("that fails again and again with one version lists in the end", async () => {
    const { clock, api, start } = scenario();
    api.answer(page("10"));
    for (let n = 0; n < 6; n++) api.openings.push([error("Timeout")]);
    start();
    await clock.advance(60_000);
    expect(api.lists).toHaveLength(2);
    expect(api.watches).toHaveLength(7);
  });

  it("starts over with short waits after it worked", async () => {
    const { clock, api, start, failures } = scenario();
    api.answer(page("10"));
    api.openings.push(
      [error("Unavailable")],
      [error("Unavailable")],
      [added(pod("a", "11")), error("Unavailable")],
    );
    start();
    await clock.advance(10_000);
    expect(failures.map(([, waitMs]) => waitMs)).toEqual([800, 1_600, 800]);
  });
});

describe("an expired version", () => {
  it("is answered by a list that is up to date, which tells what was removed meanwhile", async () => {
    const { clock, api, start, store, failures } = scenario();
    const changes: string[] = [];
    store.subscribe((change) => changes.push(`${change.kind} ${change.object.metadata.name}`));
    api.answer(page("10", pod("a", "1"), pod("b", "2")), page("50", pod("b", "2"), pod("c", "40")));
    start();
    await clock.advance(60_000);
    api.lastWatch.send(error("Expired"));
    await clock.advance(0);
    expect(changes).toEqual(["added a", "added b", "removed a", "added c"]);
    expect(api.lists[1]).toEqual({ limit: 500 });
    expect(api.lastWatch.options.resourceVersion).toBe("50");
    expect(failures).toEqual([["Expired", 0]]);
  });

  it("that expires again at once does not become a tight loop", async () => {
    const { clock, api, start } = scenario();
    api.answer(page("10"));
    for (let n = 0; n < 100; n++) api.openings.push([error("Expired")]);
    start();
    await clock.advance(60_000);
    expect(api.lists.length).toBeGreaterThan(4);
    expect(api.lists.length).toBeLessThan(10);
  });
});

describe("a stream that is dead without saying so", () => {
  it("is given up after two and a half minutes of silence, and its version is not trusted", async () => {
    const { clock, api, start, failures } = scenario();
    api.answer(page("10"), page("8", pod("restored", "3")));
    start();
    await clock.advance(149_999);
    expect(api.watches).toHaveLength(1);
    const [first] = api.watches;
    await clock.advance(1);
    expect(first?.isEnded).toBe(true);
    expect(failures).toEqual([["Timeout", 0]]);
    expect([api.lists.length, api.lastWatch.options.resourceVersion]).toEqual([2, "8"]);
  });

  it("is not one that sends bookmarks", async () => {
    const { clock, api, start, failures } = scenario(0.5);
    api.answer(page("10"));
    start();
    for (let minute = 1; minute <= 7; minute++) {
      await clock.advance(60_000);
      api.lastWatch.send(bookmark(`${10 + minute}`));
    }
    await clock.advance(0);
    expect([api.watches.length, failures]).toEqual([1, []]);
  });

  it("is replaced when the server does not end it in time", async () => {
    const { clock, api, start, failures } = scenario();
    api.answer(page("10"));
    start();
    await clock.advance(0);
    for (let minute = 1; minute <= 6; minute++) {
      api.lastWatch.send(bookmark(`${minute}`));
      await clock.advance(60_000);
    }
    expect(api.watches.map((watch) => watch.options.resourceVersion)).toEqual(["10", "6"]);
    expect([api.lists.length, failures]).toEqual([1, []]);
  });
});

describe("life and end of a reflector", () => {
  it("tells when the server last gave a sign of life", async () => {
    const { clock, api, start, reflector } = scenario();
    api.answer(page("10"));
    start();
    await clock.advance(0);
    await clock.advance(60_000);
    expect(reflector.lastContactMs).toBe(0);
    api.lastWatch.send(bookmark("11"));
    await clock.advance(30_000);
    expect(reflector.lastContactMs).toBe(60_000);
  });

  it("does not take failures for signs of life", async () => {
    const { clock, api, start, reflector } = scenario();
    api.answer(page("10"), error("Unavailable"));
    start();
    await clock.advance(2_000);
    api.lastWatch.send(error("Forbidden"));
    await clock.advance(100_000);
    expect(reflector.lastContactMs).toBe(0);
  });

  it.each([
    ["watches", 1_000, false],
    ["waits after a failure", 1_000, true],
  ])("stops at once while it %s, and leaves no timer", async (_, ms, fails) => {
    const { clock, api, start, stop } = scenario();
    api.answer(fails ? error("Forbidden") : page("10"));
    const { ended } = start();
    await clock.advance(ms);
    stop.abort(new Error("shutting down"));
    expect(await ended).toBeUndefined();
    expect(clock.pendingTimers).toBe(0);
  });

  it("goes on when an event makes a listener throw", async () => {
    const { clock, api, start, store, names, failures } = scenario();
    store.subscribe(() => {
      throw new Error("bug in a listener");
    });
    api.answer(page("10", pod("a", "1")));
    start();
    await clock.advance(0);
    api.lastWatch.send(added(pod("b", "11")), added(pod("c", "12")));
    await clock.advance(0);
    expect([names(), failures]).toEqual([["a", "b", "c"], []]);
  });
});
