import { describe, expect, it } from "vitest";
import { Queue } from "../../src/runtime/queue.ts";
import { settle, VirtualClock } from "./virtual-clock.ts";

function newQueue() {
  const clock = new VirtualClock();
  return { clock, queue: new Queue({ clock }) };
}

/** Takes what is there now. */
async function takeAll(queue: Queue): Promise<string[]> {
  const taken: string[] = [];
  while (queue.depth > 0) taken.push((await queue.take()) ?? "nothing");
  return taken;
}

describe("Queue", () => {
  it("hands out keys in the order of adding, each once", async () => {
    const { queue } = newQueue();
    for (const key of ["a", "b", "a", "c", "b"]) queue.add(key);
    expect(await takeAll(queue)).toEqual(["a", "b", "c"]);
  });

  it("does not hand out a key that is worked on, but again afterwards", async () => {
    const { queue } = newQueue();
    queue.add("a");
    await queue.take();
    queue.add("a");
    queue.add("a");
    expect(queue.depth).toBe(0);
    queue.done("a");
    expect(await takeAll(queue)).toEqual(["a"]);
    queue.done("a");
    expect(queue.depth).toBe(0);
  });

  it("wakes waiting workers in the order in which they came", async () => {
    const { queue } = newQueue();
    const got: string[] = [];
    for (const worker of ["first", "second"]) void queue.take().then((key) => got.push(`${worker} ${key}`));
    queue.add("a");
    queue.add("b");
    await settle();
    expect(got).toEqual(["first a", "second b"]);
  });

  it("adds a delayed key when its time has come, not before", async () => {
    const { queue, clock } = newQueue();
    queue.addAfter("a", 1_000);
    await clock.advance(999);
    expect([queue.depth, queue.delayedCount]).toEqual([0, 1]);
    await clock.advance(1);
    expect([queue.depth, queue.delayedCount]).toEqual([1, 0]);
  });

  it("keeps the earlier of two delays, whichever came first", async () => {
    const { queue, clock } = newQueue();
    queue.addAfter("a", 5_000);
    queue.addAfter("a", 1_000);
    queue.addAfter("b", 1_000);
    queue.addAfter("b", 5_000);
    await clock.advance(1_000);
    expect(await takeAll(queue)).toEqual(["a", "b"]);
    queue.done("a");
    queue.done("b");
    await clock.advance(10_000);
    expect(queue.depth).toBe(0);
  });

  it("cancels the pending delay of a key that is handed out earlier", async () => {
    const { queue, clock } = newQueue();
    queue.addAfter("a", 60_000);
    queue.add("a");
    await queue.take();
    queue.done("a");
    await clock.advance(120_000);
    expect(queue.depth).toBe(0);
  });

  it("keeps a delay that was asked for while the key is worked on", async () => {
    const { queue, clock } = newQueue();
    queue.add("a");
    await queue.take();
    queue.addAfter("a", 1_000);
    queue.done("a");
    await clock.advance(1_000);
    expect(queue.depth).toBe(1);
  });

  it("doubles the delay of a key with each retry until it is forgotten, and of that key alone", () => {
    const { queue } = newQueue();
    expect([queue.retry("a"), queue.retry("a"), queue.retry("a"), queue.retry("b")]).toEqual([5, 10, 20, 5]);
    queue.forget("a");
    expect([queue.failures("a"), queue.failures("b"), queue.retry("a")]).toEqual([0, 1, 5]);
  });

  it("never waits longer than five minutes between the retries of one key", async () => {
    const { queue, clock } = newQueue();
    let longestMs = 0;
    for (let n = 0; n < 40; n++) {
      longestMs = Math.max(longestMs, queue.retry("a"));
      await clock.advance(1_000);
    }
    expect(longestMs).toBe(300_000);
  });

  it("limits the retries of all keys together", () => {
    const clock = new VirtualClock();
    const queue = new Queue({ clock, retriesPerSecond: 10, retryBurst: 2 });
    expect(["a", "b", "c", "d"].map((key) => queue.retry(key))).toEqual([5, 5, 100, 200]);
  });

  it("waits longer than one timer can hold", async () => {
    const { queue, clock } = newQueue();
    const days = 40 * 24 * 3_600_000;
    queue.addAfter("a", days);
    await clock.advance(days - 1);
    expect(queue.depth).toBe(0);
    await clock.advance(1);
    expect(queue.depth).toBe(1);
  });

  it("hands out nothing after it was shut down and lets waiting workers go", async () => {
    const { queue, clock } = newQueue();
    const waiting = queue.take();
    queue.addAfter("later", 10);
    queue.shutDown();
    expect(await waiting).toBeUndefined();
    queue.add("a");
    queue.addAfter("b", 0);
    await clock.advance(1_000);
    expect(queue.depth).toBe(0);
    expect(await queue.take()).toBeUndefined();
    expect(clock.pendingTimers).toBe(0);
  });

  it("does not requeue at the end of work that outlived the shut-down", async () => {
    const { queue } = newQueue();
    queue.add("a");
    await queue.take();
    queue.add("a");
    queue.shutDown();
    queue.done("a");
    expect(queue.depth).toBe(0);
  });
});
