import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Spec, Status } from "../../src/api/evnodecluster.ts";
import type { AgentAnswer } from "../../src/model/agent-protocol.ts";
import type { Member } from "../../src/model/member.ts";
import { type Network, networkOf } from "../../src/plan/network.ts";
import { makePlan } from "../../src/plan/plan.ts";
import type { Snapshot } from "../../src/plan/snapshot.ts";
import { sameMeaning, sameStatus, statusOf } from "../../src/plan/status.ts";
import { timingFinding } from "../../src/plan/timing-fits.ts";
import { cluster, converged, member, NOW_MS, peer, snapshot } from "../builders.ts";

const ago = (ms: number) => new Date(NOW_MS - ms).toISOString();
const names = [0, 1, 2];
/** Three members, and how long a round trip between two of them takes; absent is not measured. */
type Distance = (from: number, to: number) => number | undefined;

function measured(distance: Distance, samples = 60): readonly Member[] {
  return names.map((from) => {
    const peers = names
      .filter((to) => to !== from)
      .map((to): AgentAnswer["peers"][number] => {
        const medianMs = distance(from, to);
        return peer(`seq-${to}`, medianMs === undefined ? {} : { rtt: { medianMs, samples } });
      });
    return member(from, { says: { node: { kind: "open", isLeader: from === 0, height: 100 }, peers } });
  });
}

interface Shape {
  readonly network?: Network;
  readonly raft?: Spec["raft"];
  readonly samples?: number;
}

function seen(distance: Distance, { network, raft, samples }: Shape = {}): Snapshot {
  const status: Status | undefined = network && { network };
  const applied = cluster({ ...(raft && { spec: { raft } }), ...(status && { status }) });
  return converged(snapshot({ cluster: applied, members: measured(distance, samples) }), applied);
}

const everywhere =
  (ms: number): Distance =>
  () =>
    ms;
const pair = (from: number, to: number, rttMs: number) => ({ from: `seq-${from}`, to: `seq-${to}`, rttMs });
const recommended = (rttMax: string): Network => ({ recommendedTiming: { rttMax } });
const fast = {
  rttMax: "25ms",
  heartbeatTimeout: "92ms",
  electionTimeout: "368ms",
  leaderLeaseTimeout: "46ms",
  sendTimeout: "50ms",
};

describe("status.network", () => {
  test("tells every pair, the longest, and what ev-node's formulas make of it", () => {
    const far: Distance = (from, to) => (from + to === 3 ? 47.4 : 0.3);
    expect(networkOf(seen(far))).toEqual({
      maximum: pair(1, 2, 47),
      roundTrips: [
        pair(0, 1, 1),
        pair(0, 2, 1),
        pair(1, 0, 1),
        pair(1, 2, 47),
        pair(2, 0, 1),
        pair(2, 1, 47),
      ],
      recommendedTiming: {
        rttMax: "60ms",
        heartbeatTimeout: "240ms",
        electionTimeout: "960ms",
        leaderLeaseTimeout: "120ms",
        sendTimeout: "180ms",
      },
    });
  });

  test("is absent before anything was measured, and after too few looks", () => {
    expect(networkOf(seen(() => undefined))).toBeUndefined();
    expect(networkOf(seen(everywhere(1), { samples: 9 }))).toBeUndefined();
    expect(networkOf(seen(everywhere(1), { samples: 10 }))?.maximum).toEqual(pair(0, 1, 1));
  });

  test("keeps the recommendation while nothing can be measured", () => {
    expect(networkOf(seen(() => undefined, { network: recommended("25ms") }))).toEqual({
      recommendedTiming: fast,
    });
  });

  test("lowers it only when every pair was measured", () => {
    const some: Distance = (from, to) => (from + to === 3 ? undefined : 1);
    const rttMaxAt = (distance: Distance) =>
      networkOf(seen(distance, { network: recommended("150ms") }))?.recommendedTiming?.rttMax;
    expect([rttMaxAt(some), rttMaxAt(everywhere(1))]).toEqual(["150ms", "25ms"]);
  });

  test("tells no round trip to a member that is away, of which its peers may still know one", () => {
    const [first, second, third] = measured(everywhere(5));
    if (!first || !second || !third) throw new Error("there are three members");
    const away = snapshot({
      members: [first, second, { ...third, report: { kind: "none", why: "no answer" } }],
    });
    expect(networkOf(away)?.roundTrips).toEqual([pair(0, 1, 5), pair(1, 0, 5)]);
  });

  test.each<[string, Distance, Network["asymmetric"]]>([
    [
      "half as much again, and five more",
      (from, to) => (from === 0 && to === 1 ? 15 : 10),
      [{ ...pair(0, 1, 15), backMs: 10 }],
    ],
    ["five more, but not half as much", (from, to) => (from === 0 && to === 1 ? 105 : 100), undefined],
    ["half as much, but not five more", (from, to) => (from === 0 && to === 1 ? 6 : 2), undefined],
    [
      "one side only",
      (from, to) => (from === 0 && to === 1 ? 50 : from === 1 && to === 0 ? undefined : 1),
      undefined,
    ],
  ])("tells a pair whose sides differ: %s", (_, distance, asymmetric) => {
    expect(networkOf(seen(distance))?.asymmetric).toEqual(asymmetric);
  });

  test.each<[string, number, number, number]>([
    ["one millisecond is no move", 2, 3, 2],
    ["more than that is one", 2, 3.1, 3],
    ["a tenth is no move", 100, 110, 100],
    ["more than that is one", 100, 111, 111],
    ["nothing is below one millisecond", 3, 0.1, 1],
  ])("keeps a figure while what is measured is near it: %s", (_, standing, now, told) => {
    const network = { ...recommended("150ms"), roundTrips: [pair(0, 1, standing)] };
    const only: Distance = (from, to) => (from === 0 && to === 1 ? now : undefined);
    expect(networkOf(seen(only, { network }))?.roundTrips).toEqual([pair(0, 1, told)]);
  });

  test("keeps naming the same pair while another one is just as far apart", () => {
    const network = { maximum: pair(2, 1, 30) };
    expect(networkOf(seen(everywhere(30), { network }))?.maximum).toEqual(pair(2, 1, 30));
  });
});

describe("a status", () => {
  const told = (distance: Distance, before?: Status) => {
    const applied = cluster(before ? { status: before } : {});
    const now = converged(snapshot({ cluster: applied, members: measured(distance) }), applied);
    return statusOf(now, makePlan(now), []);
  };

  test("of other round trips says the same, so that its write can wait", () => {
    const before = told(everywhere(10));
    const after = told(everywhere(14), before);
    expect([sameMeaning(before, after), sameStatus(before, after)]).toEqual([true, false]);
  });

  test("with another recommendation is news", () => {
    const before = told(everywhere(10));
    expect(sameMeaning(before, told(everywhere(40), before))).toBe(false);
  });

  test("stays to the letter with the noise of a network and of busy agents", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -0.08, max: 0.08, noNaN: true }), { maxLength: 6 }), (shares) => {
        const first = told(everywhere(40));
        const later = told((from, to) => 40 * (1 + (shares[from * 2 + to - 1] ?? 0)), first);
        expect(sameStatus(first, later)).toBe(true);
      }),
    );
  });

  test("is not news more than twice with noise of 20 %", () => {
    const share = fc.double({ min: -0.2, max: 0.2, noNaN: true });
    fc.assert(
      fc.property(
        fc.double({ min: 1, max: 180, noNaN: true }),
        fc.array(share, { maxLength: 8 }),
        (valueMs, shares) => {
          let status = told(everywhere(valueMs));
          let news = 0;
          for (const one of shares) {
            const next = told(everywhere(valueMs * (1 + one)), status);
            if (!sameMeaning(status, next)) news += 1;
            status = next;
          }
          expect(news).toBeLessThanOrEqual(1);
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe("TimingFits", () => {
  const timing = {
    heartbeatTimeout: "100ms",
    electionTimeout: "1s",
    leaderLeaseTimeout: "100ms",
    sendTimeout: "1s",
  };
  const since = (ms: number): Network => ({ ...recommended("60ms"), timingTooShortSince: ago(ms) });
  const fits = "RoundTripsFit: Raft's time-outs are long enough for the round trips between the members.";
  const TOO_LONG =
    "RoundTripsTooLong: Raft's time-outs are too short for the round trips between the members, which status.network shows: needed are a heartbeat of four of them and a lease of two.";
  const patch = (raft: string) =>
    `kubectl patch -n rollup evnodeclusters/seq --type merge -p '{"spec":{"raft":${raft}}}'.`;
  const ROLLS = "the members are then restarted one after another, the leader last";

  test.each<[string, Snapshot, string]>([
    ["with the defaults up to 250 ms", seen(everywhere(250), { network: since(600_000) }), fits],
    ["with time-outs that are far longer than the formulas ask for", seen(everywhere(1)), fits],
    ["when it has just become too short", seen(everywhere(45), { raft: { rttMax: "25ms" } }), fits],
    [
      "when it has been for less than three minutes",
      seen(everywhere(45), { raft: { rttMax: "25ms" }, network: since(179_999) }),
      fits,
    ],
    [
      "not when it has been for longer",
      seen(everywhere(45), { raft: { rttMax: "25ms" }, network: since(180_000) }),
      `${TOO_LONG} To take what fits, set spec.raft.rttMax: 60ms; ${ROLLS}: ${patch('{"rttMax":"60ms"}')}`,
    ],
    [
      "not with explicit time-outs, which the edit replaces",
      seen(everywhere(45), { raft: { timing }, network: since(180_000) }),
      `${TOO_LONG} To take what fits, set spec.raft.rttMax: 60ms in place of spec.raft.timing; ${ROLLS}: ${patch('{"rttMax":"60ms","timing":null}')}`,
    ],
    [
      "as soon as the edit was taken",
      seen(everywhere(45), { raft: { rttMax: "60ms" }, network: since(180_000) }),
      fits,
    ],
    [
      "not known before anything was measured",
      seen(() => undefined, { network: since(180_000) }),
      "RoundTripsUnknown: No round trip between two members was measured yet.",
    ],
    [
      "of a single member",
      snapshot({ members: [member(0, { says: { peers: [] } })] }),
      "RoundTripsFit: A single member needs no Raft.",
    ],
  ])("%s", (_, snapshotSeen, expected) => {
    const { reason, message } = timingFinding(snapshotSeen);
    expect(`${reason}: ${message}`).toBe(expected);
  });

  test("counts from the moment at which it became too short", () => {
    const begins = networkOf(seen(everywhere(45), { raft: { rttMax: "25ms" } }));
    expect(begins?.timingTooShortSince).toBe(new Date(NOW_MS).toISOString());
    const goesOn = networkOf(seen(everywhere(45), { raft: { rttMax: "25ms" }, network: since(5_000) }));
    expect(goesOn?.timingTooShortSince).toBe(ago(5_000));
  });

  test("counts anew after it was long enough", () => {
    const network = since(180_000);
    expect(networkOf(seen(everywhere(20), { raft: { rttMax: "25ms" }, network }))).not.toHaveProperty(
      "timingTooShortSince",
    );
  });

  test("the edit that it names always takes it", () => {
    fc.assert(
      fc.property(fc.double({ min: 26, max: 3_000, noNaN: true }), (rttMs) => {
        const shown = networkOf(seen(everywhere(rttMs), { raft: { rttMax: "1ms" } }));
        const rttMax = shown?.recommendedTiming?.rttMax ?? "";
        const after = seen(everywhere(rttMs), { raft: { rttMax }, ...(shown && { network: shown }) });
        expect(networkOf(after)).not.toHaveProperty("timingTooShortSince");
      }),
      { numRuns: 30 },
    );
  });
});
