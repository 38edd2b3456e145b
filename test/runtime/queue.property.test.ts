import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DelayHeap } from "../../src/runtime/delay-heap.ts";
import { Queue } from "../../src/runtime/queue.ts";
import { VirtualClock } from "./virtual-clock.ts";

/** The queue as one would write it without caring for speed: plain lists, searched from end to end. */
class NaiveQueue {
  ready: string[] = [];
  processing: string[] = [];
  addedMeanwhile: string[] = [];
  delayed: Array<{ key: string; atMs: number }> = [];
  failures: Record<string, number> = {};

  add(key: string): void {
    if (this.ready.includes(key) || this.addedMeanwhile.includes(key)) return;
    (this.processing.includes(key) ? this.addedMeanwhile : this.ready).push(key);
  }

  addAt(key: string, atMs: number): void {
    const known = this.delayed.find((entry) => entry.key === key);
    if (known !== undefined && known.atMs <= atMs) return;
    this.delayed = [...this.delayed.filter((entry) => entry.key !== key), { key, atMs }];
  }

  take(): string {
    const key = this.ready.shift() ?? "";
    this.processing.push(key);
    this.delayed = this.delayed.filter((entry) => entry.key !== key);
    return key;
  }

  done(key: string): void {
    this.processing = this.processing.filter((other) => other !== key);
    if (!this.addedMeanwhile.includes(key)) return;
    this.addedMeanwhile = this.addedMeanwhile.filter((other) => other !== key);
    this.ready.push(key);
  }

  passTo(nowMs: number): void {
    const due = this.delayed.filter((entry) => entry.atMs <= nowMs);
    this.delayed = this.delayed.filter((entry) => entry.atMs > nowMs);
    // Stable: equal times stay in the order in which they were asked for.
    for (const entry of due.sort((a, b) => a.atMs - b.atMs)) this.add(entry.key);
  }
}

interface Pair {
  readonly model: NaiveQueue;
  readonly queue: Queue;
  readonly clock: VirtualClock;
}

const key = fc.constantFrom("a", "b", "c", "d", "e");
const step = fc.oneof(
  fc.record({ kind: fc.constant("add" as const), key }),
  fc.record({ kind: fc.constant("addAfter" as const), key, ms: fc.integer({ min: -5, max: 50 }) }),
  fc.record({ kind: fc.constant("retry" as const), key }),
  fc.record({ kind: fc.constant("forget" as const), key }),
  fc.record({ kind: fc.constant("take" as const) }),
  fc.record({ kind: fc.constant("done" as const), pick: fc.nat() }),
  fc.record({ kind: fc.constant("pass" as const), ms: fc.integer({ min: 0, max: 60 }) }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

async function run({ model, queue, clock }: Pair, what: Step): Promise<void> {
  switch (what.kind) {
    case "add":
      model.add(what.key);
      queue.add(what.key);
      return;
    case "addAfter":
      if (what.ms <= 0) model.add(what.key);
      else model.addAt(what.key, clock.monotonicMs() + what.ms);
      queue.addAfter(what.key, what.ms);
      return;
    case "retry": {
      const failures = (model.failures[what.key] ?? 0) + 1;
      model.failures[what.key] = failures;
      model.addAt(what.key, clock.monotonicMs() + 5 * 2 ** (failures - 1));
      queue.retry(what.key);
      return;
    }
    case "forget":
      delete model.failures[what.key];
      queue.forget(what.key);
      return;
    case "take": {
      if (model.ready.length === 0) return;
      const [expected, got] = [model.take(), await queue.take()];
      if (got !== expected) throw new Error(`handed out ${got} instead of ${expected}`);
      return;
    }
    case "done": {
      const working = model.processing[what.pick % Math.max(1, model.processing.length)];
      if (working === undefined) return;
      model.done(working);
      queue.done(working);
      return;
    }
    case "pass":
      model.passTo(clock.monotonicMs() + what.ms);
      await clock.advance(what.ms);
  }
}

describe("Queue against a naive model", () => {
  it("behaves alike for any sequence of calls", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 80, size: "max" }), async (steps) => {
        const clock = new VirtualClock();
        // A burst that the steps cannot exhaust: the shared rate has tests of its own.
        const pair = { model: new NaiveQueue(), queue: new Queue({ clock, retryBurst: 1_000 }), clock };
        for (const what of steps) {
          await run(pair, what);
          expect([pair.queue.depth, pair.queue.delayedCount]).toEqual([
            pair.model.ready.length,
            pair.model.delayed.length,
          ]);
        }
      }),
      { numRuns: 150 },
    );
  });

  it("loses no key: whatever was added is handed out in the end", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60, size: "max" }), async (steps) => {
        const clock = new VirtualClock();
        const pair = { model: new NaiveQueue(), queue: new Queue({ clock, retryBurst: 1_000 }), clock };
        for (const what of steps) await run(pair, what);
        const wanted = new Set([
          ...pair.model.ready,
          ...pair.model.addedMeanwhile,
          ...pair.model.delayed.map((entry) => entry.key),
        ]);
        for (const working of pair.model.processing) pair.queue.done(working);
        await clock.advance(400_000);
        const got = new Set<string>();
        while (pair.queue.depth > 0) {
          const key = (await pair.queue.take()) ?? "";
          got.add(key);
          pair.queue.done(key);
        }
        expect(got).toEqual(wanted);
      }),
      { numRuns: 80 },
    );
  });
});

describe("DelayHeap", () => {
  it("gives back keys by time and stays small while one key is brought forward for ever", () => {
    const heap = new DelayHeap();
    for (let n = 10_000; n > 0; n--) heap.add(n % 2 === 0 ? "a" : "b", n);
    expect(heap.size).toBe(2);
    expect(heap.entryCount).toBeLessThan(100);
    expect([heap.takeDue(5), heap.takeDue(5), heap.takeDue(5)]).toEqual(["b", "a", undefined]);
  });

  it("stays small while keys are dropped and added for ever", () => {
    const heap = new DelayHeap();
    for (let n = 0; n < 10_000; n++) {
      heap.drop(`k${n % 30}`);
      heap.add(`k${n % 30}`, 60_000 + n);
    }
    expect(heap.size).toBe(30);
    expect(heap.entryCount).toBeLessThan(130);
    expect(heap.nextAtMs()).toBe(60_000 + 9_970);
  });

  it("orders any keys by time, then by the order of adding", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 200, size: "max" }), (times) => {
        const heap = new DelayHeap();
        times.forEach((atMs, index) => heap.add(`k${index}`, atMs));
        const sorted = times.map((atMs, index) => ({ atMs, index })).sort((a, b) => a.atMs - b.atMs);
        const taken = times.map(() => heap.takeDue(9));
        expect(taken).toEqual(sorted.map(({ index }) => `k${index}`));
        expect(heap.takeDue(9)).toBeUndefined();
      }),
    );
  });
});
