import { describe, expect, it } from "vitest";
import {
  type FaultedChange,
  membershipFaultsReport,
} from "../../hack/measure/campaigns/membership-faults-report.ts";
import { inLanes } from "../../hack/measure/lanes.ts";
import { faultCases } from "../../hack/measure/membership-fault-cases.ts";
import { ordinalOf, type Role } from "../../hack/measure/membership-faults.ts";
import { hasPassed, type Phase, phaseOf } from "../../hack/measure/membership-phase.ts";
import type { Size } from "../../hack/measure/membership-side.ts";
import { type Look, longestStandstill, toldIn } from "../../hack/measure/standstill.ts";
import type { Status } from "../../src/api/evnodecluster.ts";

type Change = NonNullable<NonNullable<Status["membership"]>["lastChange"]>;

describe("the phase of a change", () => {
  const stopped = { stoppedAt: "2026-01-01T00:00:00Z" };
  const statusWith = (change: Partial<Change>, epoch = 1): Status => ({
    membership: {
      epoch,
      nextEpoch: 3,
      lastChange: { result: "UnderWay", from: 1, to: 3, epoch: 2, ...change },
    },
  });

  it.each<[Phase | undefined, Status]>([
    [undefined, {}],
    [undefined, statusWith({ epoch: 1, result: "Completed" })],
    ["joining", statusWith({})],
    ["stopped", statusWith(stopped)],
    ["level", statusWith({ ...stopped, height: 7 })],
    ["decided", statusWith({ ...stopped, height: 7 }, 2)],
    ["taking back", statusWith({ ...stopped, result: "TakingBack" })],
    ["over", statusWith({ ...stopped, result: "TakenBack" })],
    ["over", statusWith({ ...stopped, result: "Completed" }, 2)],
  ])("is %s", (phase, status) => {
    expect(phaseOf(status, 2)).toBe(phase);
  });

  it.each<[Phase, Phase, boolean]>([
    ["joining", "stopped", false],
    ["stopped", "stopped", false],
    ["level", "stopped", true],
    ["taking back", "level", true],
    ["decided", "taking back", true],
    ["over", "decided", true],
  ])("in %s, %s is past: %s", (seen, wanted, isPast) => {
    expect(hasPassed(seen, wanted)).toBe(isPast);
  });
});

describe("who has a role", () => {
  it.each<[Role, Size, Size, number, number]>([
    ["the leader", 3, 5, 2, 2],
    ["a new member", 3, 5, 0, 3],
    ["a member that stays", 3, 5, 0, 1],
    ["a member that stays", 3, 5, 1, 0],
    ["a member that stays", 1, 3, 0, 0],
    ["a member that leaves", 5, 3, 3, 4],
    ["a member that leaves", 5, 3, 0, 3],
  ])("%s, from %i to %i, with member %i leading, is member %i", (role, from, to, leads, expected) => {
    const members = { namespace: "demo", name: "seq", selector: "", count: from };
    expect(ordinalOf(role, { from, to, leader: `seq-${leads}`, members })).toBe(expected);
  });
});

describe("the longest standstill", () => {
  const look = (atMs: number, top: number, told?: string): Look => ({ atMs, top, told });

  it("is the longest time without another block, with what was told at its end", () => {
    const looks = [look(0, 1), look(10, 2), look(30, 2, "stops"), look(60, 2, "waits"), look(70, 3)];
    expect(longestStandstill(looks, 1_000)).toEqual({ ms: 50, told: "waits", untoldMs: 0 });
  });

  it("counts what nobody says anything about only beyond the bound", () => {
    const looks = [look(0, 1), look(100, 1), look(150, 1), look(200, 1, "waits"), look(260, 1)];
    expect(longestStandstill(looks, 100)).toMatchObject({ ms: 260, untoldMs: 110 });
  });

  it("is nothing where nothing was seen", () => {
    expect(longestStandstill([], 100)).toEqual({ ms: 0, told: undefined, untoldMs: 0 });
  });

  const condition = (type: string, status: "True" | "False") => ({
    type,
    status,
    reason: "Because",
    message: `${type} of it`,
    observedGeneration: 1,
    lastTransitionTime: "2026-01-01T00:00:00Z",
  });

  it.each([
    [undefined, [condition("MembershipComplete", "True"), condition("Stalled", "False")]],
    ["Because: Stalled of it", [condition("MembershipComplete", "True"), condition("Stalled", "True")]],
    [
      "Because: MembershipComplete of it",
      [condition("Stalled", "True"), condition("MembershipComplete", "False")],
    ],
  ])("is told as %s", (told, conditions) => {
    expect(toldIn({ conditions })).toBe(told);
  });
});

describe("the report of faults in changes of the number of members", () => {
  const faulted = (over: Partial<FaultedChange> = {}): FaultedChange => ({
    number: 1,
    change: "1 to 3",
    phase: "joining",
    fault: "the leader killed",
    expected: undefined,
    outcome: "Completed",
    message: undefined,
    boundMs: 90_000,
    standstill: { ms: 9_000, told: undefined, untoldMs: 0 },
    gapMs: 8_000,
    tookMs: 40_000,
    problems: [],
    ...over,
  });

  it("has a row for each case, in their order, and says why one was taken back", () => {
    const other = faulted({ number: 2, outcome: "TakenBack", message: "it was late", gapMs: undefined });
    const { tables, notes, failures } = membershipFaultsReport([other, faulted()]);
    expect(tables[0]?.rows).toEqual([
      ["1", "1 to 3", "joining", "the leader killed", "Completed", "8.0 s", "one chain"],
      ["2", "1 to 3", "joining", "the leader killed", "TakenBack", "9.0 s", "one chain"],
    ]);
    expect(notes[0]).toBe("2: it was late");
    expect(failures).toEqual([]);
  });

  it("takes a change that waits for right as long as a condition says for what", () => {
    const waits = faulted({ outcome: undefined, message: "MembersChanging: seq-1 has no pod" });
    const { tables, failures } = membershipFaultsReport([waits]);
    expect(tables[0]?.rows[0]).toContain("waits");
    expect(failures).toEqual([]);
  });

  it.each([
    [faulted({ problems: ["there are 2 blocks of height 7"] }), "there are 2 blocks of height 7"],
    [faulted({ failed: "not all are there" }), "not all are there"],
    [faulted({ expected: "TakenBack" }), "it ended as Completed, expected TakenBack"],
    [faulted({ outcome: undefined }), "it is not over, and no condition says what it waits for"],
    [
      faulted({ standstill: { ms: 95_000, told: undefined, untoldMs: 5_000 } }),
      "the chain stood still for 5.0 s more than 90 s without a condition that says why",
    ],
  ])("fails: %#", (bad, wrong) => {
    const { tables, failures } = membershipFaultsReport([bad]);
    expect(failures).toEqual([`1, 1 to 3, joining, the leader killed: ${wrong}`]);
    expect(tables[0]?.rows[0]?.at(-1)).toBe("WRONG");
  });
});

describe("the cases of faults in changes", () => {
  it("have every kind of change, and every phase of one", () => {
    const changes = new Set(faultCases.map(({ from, to }) => `${from} to ${to}`));
    expect([...changes].toSorted()).toEqual(["1 to 3", "3 to 1", "3 to 5", "5 to 3"]);
    const phases = new Set(faultCases.flatMap(({ moments }) => moments.map(({ phase }) => phase)));
    expect([...phases].toSorted()).toEqual(["decided", "joining", "level", "stopped", "taking back"]);
  });

  it("begin with two of different phases that no other cluster feels", () => {
    const [first, second] = faultCases.slice(0, 2).flatMap(({ moments }) => moments);
    expect(first?.phase).not.toBe(second?.phase);
    expect([first, second].map((moment) => moment?.fault.isOfAll)).toEqual([undefined, undefined]);
  });
});

describe("work in lanes", () => {
  it("is done so many at a time, and answered in order", async () => {
    let running = 0;
    let most = 0;
    const answers = await inLanes(2, [30, 10, 20], async (ms) => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setTimeout(resolve, ms));
      running -= 1;
      return ms * 2;
    });
    expect(answers).toEqual([60, 20, 40]);
    expect(most).toBe(2);
  });
});
