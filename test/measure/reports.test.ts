import { describe, expect, it } from "vitest";
import { blockTimesReport, lossesOf, type Steadiness } from "../../hack/measure/campaigns/block-times.ts";
import { reportOf as coldStartsReport, type Start } from "../../hack/measure/campaigns/cold-starts.ts";
import { failoverReport, type OurKill } from "../../hack/measure/campaigns/failover-report.ts";
import { type Away, awayReport } from "../../hack/measure/campaigns/operator-away.ts";
import { killsReport, type Life } from "../../hack/measure/campaigns/operator-kills.ts";
import { quietReport } from "../../hack/measure/campaigns/quiet.ts";
import { type Repair, repairsReport } from "../../hack/measure/campaigns/repairs-report.ts";
import { audited } from "./audited.ts";
import { podAt } from "./sightings.ts";

const start = (over: Partial<Start> = {}): Start => ({
  side: "ours",
  joinedMs: 8_000,
  readyMs: 10_000,
  missing: undefined,
  exits: { count: 0, last: [] },
  ...over,
});
const exit = (reason: string) => ({ count: 1, last: [{ reason, lastWords: "words" }] });

describe("the report of first starts", () => {
  it("sets both sides beside each other", () => {
    const { tables, failures } = coldStartsReport([start(), start({ side: "theirs", readyMs: 20_000 })]);
    expect(tables[0]?.rows).toEqual([
      ["operator", "1", "10 s", "10 s", "10 s", "0.50", "0.50"],
      ["StatefulSet", "1", "20 s", "20 s", "20 s", "", ""],
    ]);
    expect(failures).toEqual([]);
  });

  it("counts starts by what happened to them", () => {
    const race = { side: "theirs" as const, readyMs: undefined, missing: "…", exits: exit("FirstStartRace") };
    const { tables } = coldStartsReport([start({ exits: exit("LeadershipLost") }), start(), start(race)]);
    expect(tables[2]?.rows).toEqual([
      ["operator", "2", "2", "0", "1", "0", "1"],
      ["StatefulSet", "1", "0", "1", "0", "0", "1"],
    ]);
  });

  it.each([
    [
      "never came in sync",
      start({ readyMs: undefined, missing: "…" }),
      "1 starts by the operator never came in sync",
    ],
    [
      "lost the race",
      start({ exits: exit("FirstStartRace") }),
      "ev-node exited in 1 starts by the operator, for another reason than a lost leadership",
    ],
  ])("fails when one of ours %s", (_, bad, failure) => {
    expect(coldStartsReport([start(), bad]).failures).toEqual([failure]);
    expect(coldStartsReport([start(), { ...bad, side: "theirs" }]).failures).toEqual([]);
  });
});

const kill = (over: Partial<OurKill> = {}, seen: Partial<OurKill["seen"]> = {}): OurKill => ({
  killedAtMs: 0,
  oldLeader: "seq-0",
  newLeader: "seq-1",
  electedMs: 1_000,
  leadsMs: 1_200,
  gapMs: 1_500,
  allBackMs: 9_000,
  seen: {
    roles: { oldLabelGoneMs: 1_100, newLabelMs: 1_300, overlaps: 0, serviceMs: 1_450 },
    arrival: { acceptedMs: 1_500, arrivedMs: 1_700 },
    lostTransactions: 0,
    ...seen,
  },
  ...over,
});

describe("the report of killed leaders", () => {
  it("tells times from the election, not from the kill", () => {
    const rows = failoverReport([kill()], []).tables[2]?.rows.map(([what, , median]) => [what, median]);
    expect(rows).toContainEqual(["election to its label", "300 ms"]);
    expect(rows).toContainEqual(["election to the Service leading to it alone", "450 ms"]);
    expect(rows).toContainEqual(["kill to election", "1.0 s"]);
  });

  it("finds nothing wrong with a good one", () => {
    expect(failoverReport([kill()], []).failures).toEqual([]);
  });

  const roles = { oldLabelGoneMs: 1, newLabelMs: 1, overlaps: 0, serviceMs: 1 };
  it.each([
    [kill({ newLeader: undefined }), "1 kills were followed by no new leader"],
    [kill({ allBackMs: undefined }), "1 killed members did not come back in time"],
    [kill({}, { roles: { ...roles, overlaps: 1 } }), "1 kills had two pods with the leader's label at once"],
    [
      kill({}, { roles: { ...roles, newLabelMs: undefined } }),
      "1 kills left the new leader without its label",
    ],
    [kill({}, { roles: { ...roles, serviceMs: undefined } }), "1 kills left the Service with another pod"],
    [kill({}, { arrival: undefined }), "1 kills were followed by no transaction that arrived"],
  ])("fails: %#", (bad, failure) => {
    expect(failoverReport([kill(), bad], []).failures).toEqual([failure]);
  });
});

describe("the report of quiet minutes", () => {
  const around = { namespace: "demo", minutes: 2, clusters: 1 };
  const status = audited({ verb: "update", resource: "evnodeclusters", subresource: "status", name: "seq" });
  const lease = audited({ resource: "leases", namespace: "evnode-system", name: "evnode-operator" });
  const failures = (...requests: ReturnType<typeof audited>[]) => quietReport(requests, around).failures;

  it("expects the Lease, and one status a minute for each cluster", () => {
    expect(failures(lease, lease, lease, status, status, { ...status, name: "other" })).toEqual([]);
    expect(failures(status, status, status)).toEqual(["3 writes of the status of seq in 2 minutes"]);
  });

  it("fails on any other write, and not on reads", () => {
    expect(failures(audited({ verb: "get" }), audited())).toEqual([
      "1 writes beyond Lease and status: patch pods",
    ]);
  });

  it("leaves out what concerns other namespaces, and says how much that is", () => {
    const report = quietReport([audited({ namespace: "other" }), lease], around);
    expect(report.failures).toEqual([]);
    expect(report.notes[0]).toContain("1 requests about other namespaces");
  });
});

describe("the report of killed operators", () => {
  const life = (over: Partial<Life> = {}): Life => ({
    kills: 3,
    running: new Map([["Service/seq", "one"]]),
    gone: new Map(),
    runningMs: 9_000,
    goneMs: 4_000,
    needless: [],
    repeated: [],
    ...over,
  });

  it("finds nothing wrong with lives that end alike", () => {
    expect(killsReport(life({ kills: 0 }), [life(), life()], 7).failures).toEqual([]);
  });

  it.each([
    [life({ running: new Map() }), "life 1, running: Service/seq is missing"],
    [life({ gone: new Map([["Pod/seq-0", ""]]) }), "life 1, deleted: Pod/seq-0 is one too many"],
    [
      life({ needless: [{ object: "services/seq", count: 2 }] }),
      "life 1: 2 writes of services/seq changed nothing",
    ],
    [life({ repeated: ["services/seq"] }), "life 1: services/seq was created although it existed"],
  ])("fails: %#", (bad, failure) => {
    expect(killsReport(life({ kills: 0 }), [bad], 7).failures).toEqual([failure]);
  });
});

describe("the report of an operator that was away", () => {
  const { seen: _seen, ...takeover } = kill();
  const away = (over: Partial<Away> = {}): Away => ({
    evictionAnswer: "refused",
    podBackMs: 12_000,
    kubeletBackMs: 2_000,
    takeover,
    labelWhileAway: "seq-0",
    blocks: 600,
    longestGapMs: 2_500,
    chainProblems: [],
    labelRightAfterMs: 900,
    ...over,
  });

  it("says that the label is stale, which is how it has to be", () => {
    const { tables, failures } = awayReport(away(), 10);
    expect(tables[0]?.rows).toContainEqual(["leader's label while the operator is away", "stale: seq-0"]);
    expect(failures).toEqual([]);
  });

  it.each([
    [away({ evictionAnswer: "evicted" }), "the eviction of a second member was answered: evicted"],
    [away({ podBackMs: undefined }), "the deleted pod did not come back Ready"],
    [away({ chainProblems: ["seq-0 lacks block 7"] }), "seq-0 lacks block 7"],
    [away({ labelRightAfterMs: undefined }), "the label was not put right when the operator came back"],
  ])("fails: %#", (bad, failure) => {
    expect(awayReport(bad, 10).failures).toEqual([failure]);
  });
});

describe("the report of repairs", () => {
  const repair = (over: Partial<Repair> = {}): Repair => ({
    fault: "a claim deleted",
    member: "chain-1",
    inSyncMs: 12_000,
    gapMs: 400,
    rebuilt: true,
    wrongs: [],
    ...over,
  });

  it("has a row for each fault, and counts what came back by itself", () => {
    const { tables, failures } = repairsReport([repair(), repair({ rebuilt: false })], []);
    expect(tables.at(-1)?.rows).toEqual([["a claim deleted", "2", "1", "0"]]);
    expect(failures).toEqual([]);
  });

  it("fails on a member that is not back, and on a chain that is not one", () => {
    const { failures } = repairsReport([repair({ wrongs: ["not back: silent"] })], ["two blocks at 7"]);
    expect(failures).toEqual(["the chain: two blocks at 7", "a claim deleted, chain-1: not back: silent"]);
  });
});

describe("the report of chains with long and short times between blocks", () => {
  const steady: Steadiness = {
    name: "lazy",
    unready: [],
    rollout: { leaderChanges: 1, longestGapMs: 60_000 },
    rolloutMs: 90_000,
  };

  it("has a row for each chain", () => {
    const { tables, failures } = blockTimesReport([steady], 10);
    expect(tables[0]?.rows).toEqual([["lazy", "0", "90 s", "1", "60 s"]]);
    expect(failures).toEqual([]);
  });

  it("fails on every loss of readiness, and on a rollout without an end", () => {
    const shaky = { ...steady, unready: ["pod lazy-1 was not ready"], rolloutMs: undefined };
    expect(blockTimesReport([shaky], 10).failures).toEqual([
      "lazy: pod lazy-1 was not ready",
      "lazy: the rollout did not come to its end",
    ]);
  });

  it("counts each time that a pod ceases to be ready", () => {
    const seen = [true, false, false, true, false].map((ready, at) => podAt(at * 1_000, "a", "c", { ready }));
    expect(lossesOf(seen)).toHaveLength(2);
  });
});
