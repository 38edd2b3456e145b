import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { systemClock } from "../../src/runtime/clock.ts";
import { systemRandom } from "../../src/runtime/random.ts";

describe("systemClock", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("runs something later, unless it is cancelled", () => {
    const ran: string[] = [];
    systemClock.after(1_000, () => ran.push("kept"));
    systemClock.after(1_000, () => ran.push("cancelled"))();
    vi.advanceTimersByTime(999);
    expect(ran).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(ran).toEqual(["kept"]);
  });

  it("sleeps for the time that is asked for", async () => {
    const startMs = systemClock.monotonicMs();
    const slept = systemClock.sleep(1_000, new AbortController().signal);
    await vi.advanceTimersByTimeAsync(1_000);
    await slept;
    expect(systemClock.monotonicMs() - startMs).toBe(1_000);
  });

  it("wakes up with the reason of the signal, and leaves no timer", async () => {
    const stop = new AbortController();
    const outcome = systemClock.sleep(1_000, stop.signal).catch((error: unknown) => error);
    stop.abort("enough");
    expect(await outcome).toBe("enough");
    expect(vi.getTimerCount()).toBe(0);
  });

  it("does not fall asleep when the signal has aborted before", async () => {
    await expect(systemClock.sleep(1_000, AbortSignal.abort("over"))).rejects.toBe("over");
    expect(vi.getTimerCount()).toBe(0);
  });

  it("has a wall clock and one that nobody can set back", () => {
    const [wallMs, monotonicMs] = [systemClock.nowMs(), systemClock.monotonicMs()];
    vi.setSystemTime(wallMs - 3_600_000);
    expect(systemClock.nowMs()).toBe(wallMs - 3_600_000);
    expect(systemClock.monotonicMs()).toBeGreaterThanOrEqual(monotonicMs);
  });
});

describe("systemRandom", () => {
  it("draws numbers from 0 up to below 1 and bytes of the wanted length, not always the same", () => {
    const draws = Array.from({ length: 1_000 }, () => systemRandom.next());
    expect(Math.min(...draws)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...draws)).toBeLessThan(1);
    expect(new Set(draws).size).toBeGreaterThan(990);
    expect(systemRandom.bytes(32)).toHaveLength(32);
    expect(systemRandom.bytes(32)).not.toEqual(systemRandom.bytes(32));
  });
});
