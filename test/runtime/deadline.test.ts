import { describe, expect, it } from "vitest";
import { limited, orAborted } from "../../src/runtime/deadline.ts";
import { VirtualClock } from "./virtual-clock.ts";

describe("limited", () => {
  it("aborts at its time and says what took too long", async () => {
    const clock = new VirtualClock();
    const limit = limited(clock, 1_000, "the work");
    await clock.advance(999);
    expect([limit.signal.aborted, limit.expired()]).toEqual([false, false]);
    await clock.advance(1);
    expect([limit.signal.aborted, limit.expired()]).toEqual([true, true]);
    expect(limit.signal.reason).toMatchObject({
      name: "DeadlineError",
      code: "DEADLINE_EXCEEDED",
      message: "the work took longer than 1000 ms",
    });
  });

  it("aborts with the outer signal and its reason, which is no expiry", () => {
    const outer = new AbortController();
    const limit = limited(new VirtualClock(), 1_000, "the work", outer.signal);
    const reason = new Error("stop");
    outer.abort(reason);
    expect([limit.signal.reason, limit.expired()]).toEqual([reason, false]);
  });

  it("is aborted from the start by an outer signal that was", () => {
    const limit = limited(new VirtualClock(), 1_000, "the work", AbortSignal.abort("over"));
    expect(limit.signal.reason).toBe("over");
  });

  it("does nothing more once it is cleared", async () => {
    const clock = new VirtualClock();
    const outer = new AbortController();
    const limit = limited(clock, 1_000, "the work", outer.signal);
    limit.clear();
    outer.abort();
    await clock.advance(2_000);
    expect([limit.signal.aborted, clock.pendingTimers]).toEqual([false, 0]);
  });
});

describe("orAborted", () => {
  it("gives the result or the failure of the work", async () => {
    const { signal } = new AbortController();
    expect(await orAborted(Promise.resolve(7), signal)).toBe(7);
    await expect(orAborted(Promise.reject(new Error("no")), signal)).rejects.toThrow("no");
  });

  it("fails with the reason of the signal while the work goes on, whose late failure harms nobody", async () => {
    const stop = new AbortController();
    const work = Promise.withResolvers<never>();
    const outcome = orAborted(work.promise, stop.signal).catch((error: unknown) => error);
    stop.abort("enough");
    expect(await outcome).toBe("enough");
    work.reject(new Error("too late"));
    await new VirtualClock().advance(0);
  });

  it("fails at once when the signal has aborted before", async () => {
    await expect(orAborted(new Promise(() => {}), AbortSignal.abort("over"))).rejects.toBe("over");
  });
});
