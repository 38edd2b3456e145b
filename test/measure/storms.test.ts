import { describe, expect, it } from "vitest";
import { stormsReport } from "../../hack/measure/campaigns/rollout-storms.ts";
import type { Restart } from "../../hack/measure/rollout-analysis.ts";
import type { Sample } from "../../hack/measure/rollout-probe.ts";
import type { StormyRollout } from "../../hack/measure/rollout-storm.ts";
import { type Kill, mostAway, wrongsOf } from "../../hack/measure/storm-analysis.ts";
import { answer, podAt, silence, T0 } from "./sightings.ts";

const MAX_BEHIND = 15;

/** A member that answers every second of a minute, but for the time that it is away. */
function seenOf(heights: number, away?: readonly [fromMs: number, untilMs: number], leads = false): Sample[] {
  return Array.from({ length: 60 }, (_, second) => {
    const atMs = second * 1_000;
    const isAway = away !== undefined && atMs >= away[0] && atMs < away[1];
    return isAway ? silence(atMs) : answer(atMs, heights + second, leads && (!away || atMs < away[0]));
  });
}

const first = [podAt(0, "a", "a1"), podAt(0, "b", "b1"), podAt(0, "c", "c1")];
const calm = { b: seenOf(10), c: seenOf(10) };
const samplesOf = (samples: Readonly<Record<string, Sample[]>>) => new Map(Object.entries(samples));

describe("a restart in a storm", () => {
  const away = [10_000, 13_000] as const;
  const samples = samplesOf({ a: seenOf(10, away), ...calm });
  const wrongs = (after: Parameters<typeof podAt>[3], kills: readonly Kill[] = []) =>
    wrongsOf({ pods: [...first, podAt(12_000, "a", "a2", after)], samples }, kills, MAX_BEHIND);

  it("is right with another image, another config and a majority beside it", () => {
    expect(wrongs({ image: "other" })).toEqual([]);
    expect(wrongs({ configRevision: "two" })).toEqual([]);
  });

  it("is wrong when the member runs what it ran", () => {
    expect(wrongs({})).toEqual(["a was restarted and runs what it ran: image one 0"]);
  });

  it("is none of the operator's when the campaign ended the process, once for each kill", () => {
    const kill = { member: "a", atMs: T0 + 9_200 };
    expect(wrongs({}, [kill])).toEqual([]);
    expect(wrongs({}, [{ ...kill, member: "b" }])).toHaveLength(1);
    const twice = {
      pods: [...first, podAt(12_000, "a", "a2"), podAt(22_000, "a", "a3")],
      samples: samplesOf({
        a: [...seenOf(10, away).slice(0, 20), ...seenOf(10, [20_000, 23_000]).slice(20)],
        ...calm,
      }),
    };
    expect(wrongsOf(twice, [kill], MAX_BEHIND)).toHaveLength(1);
    expect(wrongsOf(twice, [kill, { ...kill, atMs: T0 + 19_500 }], MAX_BEHIND)).toEqual([]);
  });

  it("is wrong when the operator notes two restarts for one revision", () => {
    const noted = (at: string) => {
      return { update: JSON.stringify({ revision: "r2", at, given: true, container: "a1" }) };
    };
    const pods = [podAt(9_000, "a", "a1", noted("first")), podAt(12_000, "a", "a2", noted("first"))];
    const seen = { pods: [...first, ...pods], samples };
    const kill = { member: "a", atMs: T0 + 9_200 };
    expect(wrongsOf(seen, [kill], MAX_BEHIND)).toEqual([]);
    // One restart, which was noted, though nothing is seen to have changed by it.
    expect(wrongsOf(seen, [], MAX_BEHIND)).toEqual([]);
    const again = { pods: [...seen.pods, podAt(13_000, "a", "a2", noted("second"))], samples };
    expect(wrongsOf(again, [kill], MAX_BEHIND)).toEqual([
      "a (pod uid of a, revision r2) was restarted 2 times for one revision",
    ]);
  });

  it("is wrong of a leader while another member does not run the same", () => {
    const leading = samplesOf({ a: seenOf(10, away, true), ...calm });
    const ran = [...first, podAt(5_000, "b", "b2", { image: "other" })];
    const pods = [...ran, podAt(12_000, "a", "a2", { image: "other" })];
    const found = wrongsOf({ pods, samples: leading }, [], MAX_BEHIND);
    expect(found).toContain("a, the leader, was restarted before c");
    expect(found).not.toContain("a, the leader, was restarted before b");
  });

  it("is right of a leader that gets a newer change while it is on its way up", () => {
    const leading = samplesOf({ a: seenOf(10, away, true), ...calm });
    const others = [podAt(5_000, "b", "b2", { image: "other" }), podAt(6_000, "c", "c2", { image: "other" })];
    const update = JSON.stringify({ revision: "r2", at: "t", given: true, container: "a1" });
    const given = podAt(9_000, "a", "a1", { image: "other", update });
    const back = podAt(12_000, "a", "a2", { image: "other", configRevision: "newer" });
    const pods = [...first, ...others, given, back];
    const found = wrongsOf({ pods, samples: leading }, [], MAX_BEHIND);
    expect(found.filter((text) => text.includes("the leader"))).toEqual([]);
  });

  it("is wrong without a majority beside it, unless nobody could know yet", () => {
    const behind = samplesOf({ a: seenOf(40, away), b: seenOf(10), c: seenOf(40, [8_000, 20_000]) });
    const pods = [...first, podAt(12_000, "a", "a2", { image: "other" })];
    expect(wrongsOf({ pods, samples: behind }, [], MAX_BEHIND)).toEqual([
      "a was restarted without a majority beside it (blocks behind: b 30, c silent)",
    ]);
    const fresh = [{ member: "c", atMs: T0 + 8_500 }];
    expect(wrongsOf({ pods, samples: behind }, fresh, MAX_BEHIND)).toEqual([]);
  });
});

describe("the most members that were away at once", () => {
  const restart = (member: string, atMs: number, backMs: number | undefined): Restart => {
    return { member, atMs, backMs, readyMs: backMs, led: false, isSamePod: true, others: [] };
  };

  it("counts those whose absences overlap, each member once", () => {
    expect(mostAway([])).toBe(0);
    expect(mostAway([restart("a", 0, 10), restart("b", 10, 20)])).toBe(1);
    expect(mostAway([restart("a", 0, 11), restart("b", 10, 20)])).toBe(2);
    expect(mostAway([restart("a", 0, 11), restart("a", 10, 20)])).toBe(1);
  });

  it("takes one that never answered again for away until the end", () => {
    expect(mostAway([restart("a", 0, undefined), restart("b", 90, 95)])).toBe(2);
  });
});

describe("the report of the storms", () => {
  const rollout: StormyRollout = {
    storm: "drained",
    durationMs: 20_000,
    order: ["b", "c", "a (led)"],
    leaders: ["a", "b"],
    kills: [],
    gapMs: 900,
    mostAway: 1,
    wrongs: [],
  };

  it("counts the wrong ones, and repeats the seed", () => {
    const wrong = { ...rollout, storm: "leader killed", mostAway: 2, wrongs: ["b was restarted twice"] };
    const { tables, failures } = stormsReport([rollout, wrong], ["a hole"], 7);
    expect(tables[0]?.title).toContain("seed 7");
    expect(tables[0]?.rows.map((row) => row.slice(0, 2).concat(row.at(-1) ?? ""))).toEqual([
      ["drained", "1", "0"],
      ["leader killed", "1", "1"],
    ]);
    expect(failures).toEqual(["the chain: a hole", "2, leader killed: b was restarted twice"]);
  });

  it("does not forgive two members that were away while somebody drained", () => {
    expect(stormsReport([{ ...rollout, mostAway: 2 }], [], 7).failures).toEqual([
      "2 members were away at once while somebody drained",
    ]);
  });
});
