import { describe, expect, it } from "vitest";
import { failuresOf, rolloutsReport } from "../../hack/measure/campaigns/rollouts-report.ts";
import { leadersOf, phasesOf, type Restart, restartsOf } from "../../hack/measure/rollout-analysis.ts";
import type { Sample } from "../../hack/measure/rollout-probe.ts";
import type { Rollout } from "../../hack/measure/rollout-run.ts";
import { answer, podAt, silence, T0 } from "./sightings.ts";

describe("what was seen of a rollout", () => {
  const samples = new Map<string, readonly Sample[]>([
    [
      "a",
      [
        answer(1_000, 10),
        answer(2_000, 15),
        silence(2_100),
        silence(3_900),
        answer(4_000, 25),
        answer(9_000, 50),
      ],
    ],
    ["b", [answer(1_000, 10, true), answer(2_000, 12, true), answer(8_000, 45), silence(8_100)]],
    ["c", [answer(2_000, 14), answer(8_000, 44), answer(8_500, 45, true)]],
  ]);
  const pods = [
    podAt(0, "a", "old"),
    podAt(0, "b", "only"),
    podAt(3_200, "a", "new", { ready: false }),
    podAt(5_000, "a", "new"),
  ];

  it("tells a restart from the last answer to the first one of the new process", () => {
    expect(restartsOf({ pods, samples })).toEqual([
      {
        member: "a",
        atMs: T0 + 2_000,
        backMs: T0 + 4_000,
        readyMs: T0 + 5_000,
        led: false,
        isSamePod: true,
        others: [
          { member: "b", blocks: 3 },
          { member: "c", blocks: 1 },
        ],
      },
    ]);
  });

  it("knows a new pod, a leader that handed over first, and others that are silent", () => {
    const replaced = [...pods, podAt(9_000, "b", "newer", { uid: "another" })];
    const restart = restartsOf({ pods: replaced, samples }).find(({ member }) => member === "b");
    expect(restart).toMatchObject({ led: false, isSamePod: false, atMs: T0 + 8_000, backMs: undefined });
    expect(restart?.others).toEqual([
      { member: "a", blocks: undefined },
      { member: "c", blocks: 1 },
    ]);
    const sooner = new Map(samples).set("b", [answer(7_000, 40, true), answer(8_000, 45), silence(8_100)]);
    const again = restartsOf({ pods: replaced, samples: sooner }).find(({ member }) => member === "b");
    expect(again?.led).toBe(true);
  });

  it("does not take a process that ended before it answered for the leader that its member was before", () => {
    const own = [answer(7_500, 40, true), silence(7_600), silence(11_000), answer(12_000, 60)];
    const twice = [...pods, podAt(9_000, "b", "newer"), podAt(11_000, "b", "newest")];
    const found = restartsOf({ pods: twice, samples: new Map(samples).set("b", own) });
    const ofB = found.filter(({ member }) => member === "b").map(({ atMs, led }) => [atMs - T0, led]);
    expect(ofB).toEqual([
      [7_500, true],
      [9_000, false],
    ]);
  });

  it("tells who led, one after the other", () => {
    expect(leadersOf({ samples })).toEqual(["b", "c"]);
  });

  it("knows where the time went", () => {
    const restarts = restartsOf({ pods, samples });
    expect(phasesOf(restarts, T0 + 500, T0 + 6_000)).toEqual({
      beforeMs: 1_500,
      awayMs: 2_000,
      unreadyMs: 1_000,
      betweenMs: 1_000,
    });
    expect(phasesOf([], 0, 1)).toBeUndefined();
  });
});

const restart = (member: string, over: Partial<Restart> = {}): Restart => ({
  member,
  atMs: 0,
  backMs: 1,
  readyMs: 2,
  led: false,
  isSamePod: true,
  others: [],
  ...over,
});

const good: Rollout = {
  side: "operator",
  replicas: 3,
  kind: "image",
  durationMs: 10_000,
  missing: undefined,
  restarts: [restart("a"), restart("b"), restart("c", { led: true })],
  leaders: ["c", "a"],
  gapMs: 2_000,
  blocksMissed: 9,
  phases: { beforeMs: 1, awayMs: 2, unreadyMs: 3, betweenMs: 4 },
  replaced: [],
};

describe("a rollout of the operator", () => {
  it("is as expected when the leader came last and changed once", () => {
    expect(failuresOf(good)).toEqual([]);
  });

  it.each<[string, Partial<Rollout>, string]>([
    ["not over", { missing: "a is silent" }, "it did not come to its end: a is silent"],
    ["two leader changes", { leaders: ["c", "a", "b"] }, "the leader changed 2 times: c -> a -> b"],
    ["no gap", { gapMs: undefined }, "the gap could not be measured"],
    [
      "the leader in the middle",
      { restarts: [restart("a"), restart("c", { led: true }), restart("b")] },
      "the leader was not restarted last: a, c (leader), b",
    ],
    [
      "a member twice",
      { restarts: [restart("a"), restart("b"), restart("a"), restart("c", { led: true })] },
      "members were restarted more than once: a, b, a, c (leader)",
    ],
    [
      "a member that lagged",
      { restarts: [restart("a", { others: [{ member: "b", blocks: 16 }] }), ...good.restarts.slice(1)] },
      "a was restarted while b was 16 blocks behind",
    ],
    [
      "a member that was silent",
      {
        restarts: [restart("a", { others: [{ member: "b", blocks: undefined }] }), ...good.restarts.slice(1)],
      },
      "a was restarted while b was silent",
    ],
  ])("is not as expected with %s", (_, over, text) => {
    expect(failuresOf({ ...good, ...over })).toEqual([text]);
  });

  it("is compared with those of the StatefulSet", () => {
    const theirs: Rollout = { ...good, side: "StatefulSet", durationMs: 40_000, missing: undefined };
    const { tables, failures } = rolloutsReport([good, theirs], [], "the same time-outs");
    expect(failures).toEqual([]);
    expect(tables.at(-1)?.rows).toEqual([["image, 3 members", "0.25", "0.25", "0.4", "met"]]);
  });
});
