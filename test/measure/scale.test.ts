import { describe, expect, it, test } from "vitest";
import type { ScaleFindings } from "../../hack/measure/campaigns/scale-facts.ts";
import { scaleReport } from "../../hack/measure/campaigns/scale-report.ts";
import { quantile } from "../../hack/measure/histogram.ts";
import { audited } from "./audited.ts";

const MIB = 2 ** 20;
const lease = audited({ verb: "update", resource: "leases" });
const progress = audited({ verb: "update", resource: "evnodeclusters", subresource: "status" });
const read = audited({ verb: "get", resource: "secrets" });

const findings = (over: Partial<ScaleFindings> = {}): ScaleFindings => ({
  clusters: 2,
  heapMib: 192,
  childrenMs: 2_000,
  runningMs: 5_000,
  processorMs: 900,
  creation: [],
  memory: { residentBytes: 110 * MIB, anonymousBytes: 60 * MIB },
  quiet: [],
  quietProcessorMs: 100,
  restart: {
    readyAfterMs: 700,
    leadsMs: 800,
    firstReconcileMs: 900,
    allReconciledMs: 2_000,
    requests: [],
  },
  changedMs: 1_500,
  reconcileMs: { p50: 4, p99: 60 },
  beside: undefined,
  ...over,
});
const report = (...found: ScaleFindings[]) => scaleReport(found, { settleSeconds: 5, quietSeconds: 60 });
const row = (what: string, ...found: ScaleFindings[]) =>
  report(...found).tables[0]?.rows.find(([first]) => first?.startsWith(what));

describe("the report of many clusters", () => {
  it("has a column for each number of clusters, and what is aimed at with the most", () => {
    const found = [findings(), findings({ clusters: 50 })];
    expect(report(...found).tables[0]?.columns).toEqual(["", "2", "50", "aim"]);
    expect(row("memory when settled", ...found)).toEqual([
      "memory when settled",
      "110 MiB",
      "110 MiB",
      "≤ 105 MiB",
    ]);
  });

  it("counts requests for each cluster, without the Lease and watches", () => {
    const creation = [lease, read, read, progress, audited({ verb: "watch" })];
    expect(row("requests for each new cluster", findings({ creation }))?.[1]).toBe("1.5");
    expect(report(findings({ creation })).tables[1]?.rows).toEqual([
      ["get secrets", "2", "1.0"],
      ["update evnodeclusters/status", "1", "0.5"],
    ]);
  });

  it("tells a restart from the moment at which the Lease was its own", () => {
    expect(row("restart", findings())?.[1]).toBe("1.2 s");
    const { restart } = findings();
    expect(row("restart", findings({ restart: { ...restart, leadsMs: undefined } }))?.[1]).toBe("-");
  });

  it("finds nothing wrong with the Lease, progress and reads", () => {
    const quiet = [lease, progress, read];
    expect(report(findings({ quiet })).failures).toEqual([]);
    expect(row("of them writes of progress", findings({ quiet }))?.[1]).toBe("1");
  });

  const { restart } = findings();
  it.each<[Partial<ScaleFindings>, string]>([
    [{ quiet: [audited()] }, "with 2 clusters there were 1 writes in the quiet time: patch pods"],
    [
      { restart: { ...restart, requests: [lease, progress, audited(), audited()] } },
      "with 2 clusters there were 2 writes after the restart: patch pods",
    ],
    [
      { restart: { ...restart, allReconciledMs: undefined } },
      "with 2 clusters not every one was reconciled after the restart",
    ],
    [{ changedMs: undefined }, "with 2 clusters the change did not come to every StatefulSet"],
  ])("fails: %#", (bad, failure) => {
    expect(report(findings(), findings(bad)).failures).toEqual([failure]);
  });
});

test("a number of clusters that came to no end is told beside those that did", () => {
  const why = "3 of 50 clusters run";
  const { tables, failures } = scaleReport(
    [findings()],
    { settleSeconds: 5, quietSeconds: 60 },
    { clusters: 50, why },
  );
  expect(tables[0]?.columns).toEqual(["", "2", "aim"]);
  expect(failures).toEqual([`50 clusters were not measured to the end: ${why}`]);
});

describe("another operator beside", () => {
  const { runningMs: _, reconcileMs: _all, ...other } = findings();
  const theirs = { ...other, childrenMs: 4_000, quiet: [audited(), audited()], changedMs: undefined };
  const creation = [read, audited({ verb: "create", resource: "services" })];
  const bare = { ...other, settledMs: 1_000, childrenMs: 1_000, processorMs: 300, creation };
  const [, first, second] = report(
    findings({ clusters: 1 }),
    findings({ creation: [read], beside: { theirs, bare } }),
  ).tables;
  const row = (what: string) => first?.rows.find(([text]) => text?.startsWith(what))?.slice(1);

  it("has a table for each number of clusters with which it was measured, and no other", () => {
    expect(first?.title).toMatch(/^Beside RabbitMQ's operator v[\d.]+, 2 clusters$/);
    expect(second?.title).toMatch(/^What the operator asked/);
  });

  it("is compared, where objects are made, with a run in which nothing runs the members either", () => {
    expect(row("created at once")).toEqual(["1.0 s", "4.0 s", "0.25"]);
    expect(row("requests for each new cluster")).toEqual(["1", "0", "unknown"]);
  });

  it("is compared in all else with clusters that run", () => {
    expect(row("of them other writes")).toEqual(["0", "2", "0.00"]);
    expect(row("one field changed")).toEqual(["1.5 s", "-", "unknown"]);
  });

  it("has no row for what is not measured of it", () => {
    expect(row("until all are Running")).toBeUndefined();
    expect(row("a reconcile, median")).toBeUndefined();
  });
});

describe("the picture of many clusters", () => {
  const sizes = [
    findings({ clusters: 10, changedMs: undefined }),
    findings({ clusters: 100, changedMs: 3_000 }),
  ];
  const picture = report(...sizes).picture ?? "";

  it("has a panel for each row of the table", () => {
    const titles = [...picture.matchAll(/y="19" class="head">([^<]*)</g)].map(([, title]) => title);
    expect(titles).toEqual(report(...sizes).tables[0]?.rows.map(([what]) => what));
  });

  it("leaves out what was not measured", () => {
    const panels = picture.split("<g ");
    const pointsIn = (title: string) =>
      panels.find((panel) => panel.includes(title))?.match(/<circle/g)?.length;
    expect(pointsIn("one field changed")).toBe(1);
    expect(pointsIn("until all are Running")).toBe(2);
  });

  it("has only places that are numbers", () => {
    expect(picture).not.toMatch(/NaN|Infinity|undefined/);
  });
});

describe("a quantile of a histogram", () => {
  const metrics = (...counts: readonly number[]) =>
    [
      "# TYPE work_seconds histogram",
      ...["0.1", "0.2", "+Inf"].map(
        (le, at) => `work_seconds_bucket{le="${le}",controller="c"} ${counts[at]}`,
      ),
      'work_seconds_sum{controller="c"} 3',
      'other_seconds_bucket{le="9",controller="c"} 99',
    ].join("\n");

  it.each([
    ["lies within its bucket as Prometheus has it", [10, 20, 20], 0.75, 0.15],
    ["lies in the first bucket", [10, 10, 10], 0.5, 0.05],
    ["skips a bucket without any", [0, 8, 8], 0.5, 0.15],
    ["is the last bound where it is beyond", [0, 0, 4], 0.99, 0.2],
  ])("%s", (_, counts, share, expected) => {
    expect(quantile(metrics(...counts), "work_seconds", share)).toBeCloseTo(expected);
  });

  test("is unknown without observations, and without the histogram", () => {
    expect(quantile(metrics(0, 0, 0), "work_seconds", 0.5)).toBeUndefined();
    expect(quantile("", "work_seconds", 0.5)).toBeUndefined();
  });
});
