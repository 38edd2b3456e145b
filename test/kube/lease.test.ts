import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { KubeErrorKind } from "../../src/kube/errors.ts";
import type { Leadership } from "../../src/kube/leadership.ts";
import { LeaderElection } from "../../src/kube/lease.ts";
import { microTime } from "../../src/kube/lease-record.ts";
import { fixedRandom } from "../runtime/seeded-random.ts";
import { VirtualClock } from "../runtime/virtual-clock.ts";
import { LeaseServer } from "./lease-api.ts";

const ref = { namespace: "operators", name: "evnode-operator" };

/** One process that wants to lead, with a clock of its own that may stand still. */
function candidate(server: LeaseServer, identity: string, clock = new VirtualClock()) {
  const failures: KubeErrorKind[] = [];
  const { api, cut } = server.client();
  const election = new LeaderElection({
    api,
    lease: ref,
    identity,
    clock,
    random: fixedRandom(0),
    onFailure: (error) => failures.push(error.kind),
  });
  const stop = new AbortController();
  const state: { leadership: Leadership | undefined; ended: boolean } = {
    leadership: undefined,
    ended: false,
  };
  const run = async () => {
    state.leadership = await election.acquire(stop.signal);
    state.ended = true;
  };
  void run();
  const leads = () => state.leadership?.stillLeading() ?? false;
  return { clock, cut, failures, stop, state, leads };
}

type Candidate = ReturnType<typeof candidate>;

async function leader(server: LeaseServer, identity: string, clock?: VirtualClock) {
  const process = candidate(server, identity, clock);
  await process.clock.advance(0);
  const { leadership } = process.state;
  if (leadership === undefined) throw new Error(`${identity} does not lead`);
  return { ...process, leadership };
}

/** Lets time pass for several processes alike. */
async function pass(ms: number, ...processes: Candidate[]): Promise<void> {
  for (let passed = 0; passed < ms; passed += 100) {
    for (const { clock } of processes) await clock.advance(100);
  }
}

describe("becoming the leader", () => {
  it("creates a Lease that is not there", async () => {
    const server = new LeaseServer();
    const { leads } = await leader(server, "a");
    expect(leads()).toBe(true);
    expect(server.lease).toMatchObject({
      metadata: ref,
      spec: {
        holderIdentity: "a",
        leaseDurationSeconds: 15,
        leaseTransitions: 0,
        acquireTime: "2030-01-01T00:00:00.000000Z",
        renewTime: "2030-01-01T00:00:00.000000Z",
      },
    });
  });

  it("waits for a leader that renews, however long", async () => {
    const server = new LeaseServer();
    const first = await leader(server, "a");
    const second = candidate(server, "b");
    await pass(120_000, first, second);
    expect([first.leads(), second.leads(), server.holder]).toEqual([true, false, "a"]);
  });

  it("takes the Lease over after it has seen no renewal for as long as the record says", async () => {
    const server = new LeaseServer();
    const first = await leader(server, "a");
    first.cut();
    const second = candidate(server, "b");
    await pass(14_900, first, second);
    expect(server.holder).toBe("a");
    await pass(2_100, first, second);
    expect([first.leads(), second.leads()]).toEqual([false, true]);
    expect(server.lease?.spec).toMatchObject({ holderIdentity: "b", leaseTransitions: 1 });
  });

  it("does not believe the time stamps of others: an old one is no reason, a new one no obstacle", async () => {
    const server = new LeaseServer();
    const first = await leader(server, "a");
    first.cut();
    for (const hours of [-48, 48]) {
      const clock = new VirtualClock();
      clock.setWallClockBy(hours * 3_600_000);
      const second = candidate(server, `b${hours}`, clock);
      await pass(14_900, second);
      expect(server.holder).not.toBe(`b${hours}`);
      await pass(2_100, second);
      expect(server.holder).toBe(`b${hours}`);
      second.cut();
    }
  });

  it("is left to one of several that try at the same moment", async () => {
    const server = new LeaseServer();
    const clock = new VirtualClock();
    const all = ["a", "b", "c"].map((identity) => candidate(server, identity, clock));
    await clock.advance(10_000);
    expect(all.filter((process) => process.leads())).toHaveLength(1);
    expect(all.map((process) => process.failures)).toEqual([[], [], []]);
  });

  it("survives failures and answers that never come", async () => {
    const server = new LeaseServer();
    server.faults.push("Unavailable", "Forbidden", "hang");
    const { clock, failures, leads } = candidate(server, "a");
    await clock.advance(20_000);
    expect(failures).toEqual(["Unavailable", "Forbidden", "Timeout"]);
    expect(leads()).toBe(true);
  });

  it("goes on with a Lease that it took without learning so", async () => {
    const server = new LeaseServer();
    server.faults.push("none", "lost answer");
    const { clock, leads } = candidate(server, "a");
    await clock.advance(1_000);
    expect([leads(), server.holder]).toEqual([false, "a"]);
    await clock.advance(6_500);
    expect([leads(), server.holder]).toEqual([true, "a"]);
  });

  it("ends without leadership when the process stops, and leaves no timer", async () => {
    const server = new LeaseServer();
    await leader(server, "a");
    const second = candidate(server, "b");
    await second.clock.advance(3_000);
    second.stop.abort(new Error("shutting down"));
    await second.clock.advance(0);
    expect(second.state).toEqual({ leadership: undefined, ended: true });
    expect(second.clock.pendingTimers).toBe(0);
  });
});

describe("staying the leader", () => {
  it("renews every two seconds and nothing else", async () => {
    const server = new LeaseServer();
    const { clock } = await leader(server, "a");
    server.writes = 0;
    await clock.advance(20_000);
    expect(server.writes).toBe(10);
    expect(server.lease?.spec).toMatchObject({
      acquireTime: "2030-01-01T00:00:00.000000Z",
      renewTime: "2030-01-01T00:00:20.000000Z",
      leaseTransitions: 0,
    });
  });

  it("survives an outage shorter than the deadline, also with requests that hang", async () => {
    const server = new LeaseServer();
    const { clock, leads, failures } = await leader(server, "a");
    server.faults.push("hang", "hang");
    await clock.advance(9_999);
    expect([leads(), failures]).toEqual([true, ["Timeout", "Timeout"]]);
    await clock.advance(20_000);
    expect(leads()).toBe(true);
  });

  it("ends ten seconds after the last renewal was sent, and stays ended", async () => {
    const server = new LeaseServer();
    const { clock, leads, leadership } = await leader(server, "a");
    await clock.advance(4_000);
    server.outage = "Unavailable";
    await clock.advance(9_999);
    expect([leads(), leadership.signal.aborted]).toEqual([true, false]);
    await clock.advance(1);
    expect(leadership.signal.aborted).toBe(true);
    expect(leadership.signal.reason).toMatchObject({
      message: "the lease operators/evnode-operator is no longer held: it was not renewed for 10000 ms",
    });
    server.outage = undefined;
    await clock.advance(60_000);
    expect(leads()).toBe(false);
    expect(clock.pendingTimers).toBe(0);
  });

  it("ends by the clock alone after the process stood still, before any timer runs", async () => {
    const server = new LeaseServer();
    const { clock, leads, leadership } = await leader(server, "a");
    clock.stall(10_000);
    expect(leadership.signal.aborted).toBe(false);
    expect(leads()).toBe(false);
    expect(leadership.signal.aborted).toBe(true);
  });

  it("is not brought back by the answer to a renewal that comes after the process stood still", async () => {
    const server = new LeaseServer();
    const { clock, leads } = await leader(server, "a");
    clock.stall(11_000);
    await clock.advance(10_000);
    expect(leads()).toBe(false);
  });

  it("does not depend on the wall clock", async () => {
    const server = new LeaseServer();
    const { clock, leads } = await leader(server, "a");
    clock.setWallClockBy(3_600_000);
    await clock.advance(5_000);
    clock.setWallClockBy(-7_200_000);
    await clock.advance(60_000);
    expect(leads()).toBe(true);
  });

  it("ends at once when somebody else holds the Lease or it was deleted", async () => {
    for (const [change, why] of [
      [(server: LeaseServer) => server.delete(), "it was deleted"],
      [takenByIntruder, "intruder holds it"],
    ] as const) {
      const server = new LeaseServer();
      const { clock, leadership } = await leader(server, "a");
      change(server);
      await clock.advance(2_000);
      expect(String(leadership.signal.reason)).toContain(`is no longer held: ${why}`);
    }
  });

  it("survives a renewal that arrived although its answer was lost", async () => {
    const server = new LeaseServer();
    const { clock, leads, failures } = await leader(server, "a");
    server.faults.push("lost answer");
    await clock.advance(60_000);
    expect([leads(), failures]).toEqual([true, ["Timeout"]]);
  });
});

function takenByIntruder(server: LeaseServer): void {
  const { lease } = server;
  if (lease === undefined) throw new Error("there is no lease to take");
  const metadata = { ...lease.metadata, resourceVersion: "99" };
  server.lease = { ...lease, metadata, spec: { ...lease.spec, holderIdentity: "intruder" } };
}

describe("giving leadership up", () => {
  it("frees the Lease, so that the next one need not wait for it to lapse", async () => {
    const server = new LeaseServer();
    const first = await leader(server, "a");
    const second = candidate(server, "b");
    await pass(5_000, first, second);
    const released = first.leadership.release();
    await pass(100, first);
    await released;
    expect(server.lease?.spec).toMatchObject({ holderIdentity: "", leaseDurationSeconds: 1 });
    expect([first.leads(), first.leadership.signal.aborted, first.clock.pendingTimers]).toEqual([
      false,
      true,
      0,
    ]);
    await pass(2_100, second);
    expect(second.leads()).toBe(true);
    expect(server.lease?.spec).toMatchObject({ leaseDurationSeconds: 15, leaseTransitions: 1 });
  });

  it("works while a renewal is under way whose answer never comes", async () => {
    const server = new LeaseServer();
    const { clock, leadership } = await leader(server, "a");
    server.faults.push("lost answer");
    await clock.advance(2_500);
    const released = leadership.release();
    await clock.advance(0);
    await released;
    expect(server.holder).toBe("");
  });

  it("does not touch the Lease of another", async () => {
    const server = new LeaseServer();
    const { clock, leadership } = await leader(server, "a");
    takenByIntruder(server);
    const released = leadership.release();
    await clock.advance(0);
    await released;
    expect(server.holder).toBe("intruder");
  });

  it("gives up after five seconds without an answer", async () => {
    const server = new LeaseServer();
    const { clock, leadership, failures } = await leader(server, "a");
    server.outage = "hang";
    const released = leadership.release();
    await clock.advance(5_000);
    expect(await released).toBeUndefined();
    expect([failures, clock.pendingTimers]).toEqual([["Timeout"], 0]);
  });

  it("does nothing after leadership was lost", async () => {
    const server = new LeaseServer();
    const { clock, leadership } = await leader(server, "a");
    clock.stall(60_000);
    server.writes = 0;
    await leadership.release();
    expect(server.writes).toBe(0);
  });
});

describe("two leaders", () => {
  const fault = fc.constantFrom<"Unavailable" | "hang" | "lost answer">("Unavailable", "hang", "lost answer");
  const event = fc.oneof(
    fc.record({ kind: fc.constant("fault" as const), fault, times: fc.integer({ min: 1, max: 6 }) }),
    fc.record({
      kind: fc.constant("stall" as const),
      who: fc.nat(2),
      ms: fc.integer({ min: 100, max: 30_000 }),
    }),
    fc.record({ kind: fc.constant("release" as const), who: fc.nat(2) }),
    fc.record({
      kind: fc.constant("skew" as const),
      who: fc.nat(2),
      ms: fc.integer({ min: -1e8, max: 1e8 }),
    }),
  );

  it("are never there at the same time, whatever fails, stalls or has a wrong wall clock", async () => {
    let terms = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 12, size: "max" }), async (events) => {
        const server = new LeaseServer();
        const processes = ["a", "b", "c"].map((identity) => candidate(server, identity));
        /** A process that stands still, and for how long yet. */
        const frozen = new Map<Candidate, number>();
        for (const next of [...events, undefined]) {
          const who = next !== undefined && "who" in next ? processes[next.who] : undefined;
          if (next?.kind === "fault") for (let n = 0; n < next.times; n++) server.faults.push(next.fault);
          if (next?.kind === "stall" && who !== undefined) frozen.set(who, next.ms);
          if (next?.kind === "release") void who?.state.leadership?.release();
          if (next?.kind === "skew") who?.clock.setWallClockBy(next.ms);
          for (let passed = 0; passed < 20_000; passed += 500) {
            for (const process of processes) await passFor(process, 500, frozen);
            const leading = processes.filter((process) => !frozen.has(process) && process.leads());
            terms = Math.max(terms, leading.length);
            if (leading.length > 1) throw new Error("two lead");
          }
        }
      }),
      { numRuns: 25 },
    );
    expect(terms).toBe(1);
  });

  async function passFor(process: Candidate, ms: number, frozen: Map<Candidate, number>): Promise<void> {
    const restMs = frozen.get(process);
    if (restMs === undefined) return process.clock.advance(ms);
    process.clock.stall(ms);
    if (restMs <= ms) frozen.delete(process);
    else frozen.set(process, restMs - ms);
  }
});

describe("microTime", () => {
  it.each([
    [0, "1970-01-01T00:00:00.000000Z"],
    [1_893_456_000_007, "2030-01-01T00:00:00.007000Z"],
  ])("writes %i with six digits", (epochMs, text) => {
    expect(microTime(epochMs)).toBe(text);
  });
});
