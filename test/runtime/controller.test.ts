import { describe, expect, it } from "vitest";
import {
  Controller,
  type Finished,
  type Reconcile,
  type ReconcileResult,
} from "../../src/runtime/controller.ts";
import { Queue } from "../../src/runtime/queue.ts";
import { VirtualClock } from "./virtual-clock.ts";

interface Run {
  readonly key: string;
  readonly atMs: number;
  readonly signal: AbortSignal;
  finish(result: ReconcileResult): void;
  fail(error: unknown): void;
}

const done: ReconcileResult = { kind: "done" };

/** A controller whose reconciles end when the test says so. */
function scenario(options: { workers?: number; reconcile?: Reconcile } = {}) {
  const clock = new VirtualClock();
  const queue = new Queue({ clock });
  const runs: Run[] = [];
  const finished: Array<[string, Finished]> = [];
  const byHand: Reconcile = (key, signal) =>
    new Promise((resolve, reject) => {
      runs.push({ key, atMs: clock.monotonicMs(), signal, finish: resolve, fail: reject });
    });
  const controller = new Controller({
    queue,
    clock,
    reconcile: options.reconcile ?? byHand,
    workers: options.workers ?? 2,
    deadlineMs: 10_000,
    onFinished: (key, how) => finished.push([key, how]),
  });
  controller.start();
  return { clock, queue, runs, finished, controller, at: (n: number) => required(runs[n]) };
}

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("the scenario did not get that far");
  return value;
}

describe("Controller", () => {
  it("works on as many keys at once as it has workers", async () => {
    const { clock, queue, runs, controller, at } = scenario({ workers: 2 });
    for (const key of ["a", "b", "c"]) queue.add(key);
    await clock.advance(0);
    expect(runs.map((run) => run.key)).toEqual(["a", "b"]);
    expect(controller.stats().running).toBe(2);
    at(0).finish(done);
    await clock.advance(0);
    expect(runs.map((run) => run.key)).toEqual(["a", "b", "c"]);
  });

  it("never works on one key twice at once, and works on it again if it was added meanwhile", async () => {
    const { clock, queue, runs, at } = scenario({ workers: 4 });
    queue.add("a");
    await clock.advance(0);
    queue.add("a");
    await clock.advance(0);
    expect(runs).toHaveLength(1);
    at(0).finish(done);
    await clock.advance(0);
    expect(runs).toHaveLength(2);
  });

  it("looks again after the time that the reconcile asked for", async () => {
    const { clock, queue, runs, at } = scenario();
    queue.add("a");
    await clock.advance(0);
    at(0).finish({ kind: "done", recheckAfterMs: 7_000 });
    await clock.advance(20_000);
    expect(runs.map((run) => run.atMs)).toEqual([0, 7_000]);
  });

  it("retries soon, then ever later, and starts over after a success", async () => {
    const { clock, queue, runs, finished } = scenario({
      reconcile: async () => {
        tries += 1;
        return tries === 4 ? done : { kind: "retry", error: new Error("refused") };
      },
    });
    let tries = 0;
    queue.add("a");
    await clock.advance(1_000);
    queue.add("a");
    await clock.advance(0);
    expect(runs).toHaveLength(0);
    const delays = finished.map(([, how]) => ("delayMs" in how ? how.delayMs : how.kind));
    expect(delays).toEqual([5, 10, 20, "done", 5]);
  });

  it("reports a throw as a bug with its error, counts it and tries again only slowly", async () => {
    const bug = new TypeError("x is undefined");
    const times: number[] = [];
    const { clock, queue, finished, controller } = scenario({
      reconcile: async () => {
        times.push(clock.monotonicMs());
        throw bug;
      },
    });
    queue.add("a");
    await clock.advance(100_000);
    expect(times).toEqual([0, 30_000, 90_000]);
    expect(finished[0]).toEqual(["a", { kind: "bug", error: bug, delayMs: 30_000 }]);
    expect(controller.stats().bugs).toBe(3);
  });

  it("keeps the other keys going when one has a bug", async () => {
    const seen: string[] = [];
    const { clock, queue } = scenario({
      workers: 1,
      reconcile: async (key) => {
        seen.push(key);
        if (key === "bad") throw new Error("bug");
        return done;
      },
    });
    queue.add("bad");
    queue.add("good");
    await clock.advance(0);
    expect(seen).toEqual(["bad", "good"]);
  });

  it("survives a callback that throws", async () => {
    const clock = new VirtualClock();
    const queue = new Queue({ clock });
    const seen: string[] = [];
    const controller = new Controller({
      queue,
      clock,
      workers: 1,
      deadlineMs: 1_000,
      reconcile: async (key) => {
        seen.push(key);
        return done;
      },
      onFinished: () => {
        throw new Error("the log is full");
      },
    });
    controller.start();
    queue.add("a");
    queue.add("b");
    await clock.advance(0);
    expect(seen).toEqual(["a", "b"]);
  });

  it("aborts a reconcile at its deadline and retries it, without calling that a bug", async () => {
    const { clock, queue, finished, controller, at } = scenario();
    queue.add("a");
    await clock.advance(9_999);
    expect(at(0).signal.aborted).toBe(false);
    await clock.advance(1);
    expect(at(0).signal.reason).toMatchObject({
      name: "DeadlineError",
      message: "reconcile of a took longer than 10000 ms",
    });
    at(0).fail(at(0).signal.reason);
    await clock.advance(0);
    expect(finished).toEqual([["a", { kind: "deadline", delayMs: 5 }]]);
    expect(controller.stats().bugs).toBe(0);
  });

  it("does not hand out the key of a reconcile that ignores its deadline, and shows its age", async () => {
    const { clock, queue, runs, controller } = scenario();
    queue.add("a");
    await clock.advance(60_000);
    queue.add("a");
    await clock.advance(0);
    expect(runs).toHaveLength(1);
    expect(controller.stats()).toEqual({
      running: 1,
      oldestRunningMs: 60_000,
      oldestRunningKey: "a",
      bugs: 0,
    });
  });

  it("lets running reconciles end when it stops, and takes no new key", async () => {
    const { clock, queue, runs, controller, at } = scenario({ workers: 1 });
    queue.add("a");
    queue.add("b");
    await clock.advance(0);
    const stopped = controller.stop(5_000);
    await clock.advance(4_000);
    expect(at(0).signal.aborted).toBe(false);
    at(0).finish(done);
    await clock.advance(0);
    expect(await stopped).toEqual([]);
    expect(runs).toHaveLength(1);
    expect(clock.pendingTimers).toBe(0);
  });

  it("aborts what still runs at the end of the grace time", async () => {
    const { clock, queue, finished, controller, at } = scenario();
    queue.add("a");
    await clock.advance(0);
    const stopped = controller.stop(5_000);
    await clock.advance(5_000);
    at(0).fail(at(0).signal.reason);
    await clock.advance(0);
    expect(await stopped).toEqual([]);
    expect(finished).toEqual([["a", { kind: "stopped" }]]);
  });

  it("aborts at once without grace, and names what does not end", async () => {
    const { clock, queue, controller, at } = scenario();
    queue.add("a");
    await clock.advance(0);
    const stopped = controller.stop(0);
    await clock.advance(0);
    expect(at(0).signal.aborted).toBe(true);
    await clock.advance(1_000);
    expect(await stopped).toEqual(["a"]);
  });
});
