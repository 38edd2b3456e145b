import { describe, expect, it } from "vitest";
import {
  type Absence,
  operatorFailoverReport,
} from "../../hack/measure/campaigns/operator-failover-report.ts";
import { takenAtMs } from "../../hack/measure/installed-operator.ts";
import type { Recorded } from "../../hack/measure/recorded-watch.ts";
import type { EndpointSlice } from "../../hack/measure/role-timeline.ts";
import { serviceGap } from "../../hack/measure/service-gap.ts";
import type { Lease } from "../../src/model/objects.ts";

function lease(atMs: number, holderIdentity: string, acquireTime: string): Recorded<Lease> {
  const metadata = { name: "evnode-operator", namespace: "evnode-system" };
  const spec = { holderIdentity, acquireTime };
  return {
    type: "MODIFIED",
    atMs,
    object: { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata, spec },
  };
}

describe("when the Lease was taken", () => {
  const first = lease(0, "one", "12:00");

  it.each<[string, readonly Recorded<Lease>[], number | undefined]>([
    ["by another one", [first, lease(900, "two", "12:01")], 900],
    ["by the same one, which began anew", [first, lease(700, "one", "12:01")], 700],
    ["after it was released", [first, lease(600, "", "12:00"), lease(800, "two", "12:01")], 800],
    ["is not told by a renewal", [first, lease(600, "one", "12:00")], undefined],
    ["is not told by what was before", [lease(0, "one", "12:00"), lease(400, "two", "12:01")], undefined],
  ])("%s", (_, changes, expected) => {
    expect(takenAtMs(changes, 500)).toBe(expected);
  });
});

function slice(atMs: number, ready: Readonly<Record<string, boolean>>): Recorded<EndpointSlice> {
  const endpoints = Object.entries(ready).map(([name, isReady]) => ({
    targetRef: { name },
    conditions: { ready: isReady },
  }));
  const metadata = { name: "seq-leader-abc", namespace: "rollup" };
  return { type: "MODIFIED", atMs, object: { apiVersion: "v1", kind: "EndpointSlice", metadata, endpoints } };
}

describe("where a Service led", () => {
  const window = { fromMs: 100, untilMs: 1_000 };

  it.each<[string, readonly Recorded<EndpointSlice>[], number, number]>([
    [
      "to the old one, to nobody, and right",
      [slice(0, { a: true }), slice(400, {}), slice(1_000, { b: true })],
      600,
      300,
    ],
    ["to nobody, as the old one is not ready", [slice(0, { a: true }), slice(150, { a: false })], 850, 50],
    ["to both", [slice(0, { a: true, b: true })], 0, 900],
    ["right all the time", [slice(0, { b: true })], 0, 0],
    ["nowhere that is known", [], 900, 0],
  ])("%s", (_, slices, toNobodyMs, toAnotherMs) => {
    expect(serviceGap(slices, "b", window)).toEqual({ toNobodyMs, toAnotherMs });
  });
});

const absence = (over: Partial<Absence> = {}): Absence => ({
  going: "lost",
  withoutMs: 15_000,
  killedAfterMs: 100,
  electedMs: 2_000,
  gapMs: 2_400,
  allBackMs: 20_000,
  steering: { serviceMs: 16_000, toNobodyMs: 14_000, toAnotherMs: 2_000, overlaps: 0 },
  ...over,
});

describe("the report of the operator's fail-over", () => {
  it("has a row for each way to go", () => {
    const stopped = absence({ going: "stopped", withoutMs: 900 });
    const { tables, failures } = operatorFailoverReport([absence(), absence({ withoutMs: 17_000 }), stopped]);
    expect(tables[0]?.rows.map((row) => row.slice(1, 5))).toEqual([
      ["0", "-", "-", "-"],
      ["2", "16 s (17 s)", "2.0 s (2.0 s)", "16 s (16 s)"],
      ["1", "900 ms (900 ms)", "2.0 s (2.0 s)", "16 s (16 s)"],
    ]);
    expect(failures).toEqual([]);
  });

  it("counts apart where the killed member led again", () => {
    const again = { electedMs: undefined, gapMs: undefined, steering: undefined };
    const { tables, failures } = operatorFailoverReport([absence(again), absence()]);
    expect(tables[0]?.rows[1]?.join(" | ")).toBe(
      "SIGKILL, and its pod is gone | 2 | 15 s (15 s) | 2.0 s (2.0 s) | 16 s (16 s) | 14 s (14 s) | 2.0 s (2.0 s) | 2.4 s (2.4 s) | 1",
    );
    expect(failures).toEqual([]);
  });

  const right = { serviceMs: 1, toNobodyMs: 0, toAnotherMs: 0, overlaps: 0 };
  it.each<[Partial<Absence>, string]>([
    [{ withoutMs: undefined }, "1 times no other operator held the Lease"],
    [{ steering: { ...right, serviceMs: undefined } }, "1 times the Service led to another pod for good"],
    [{ steering: { ...right, overlaps: 1 } }, "1 times two pods had the leader's label at once"],
    [{ allBackMs: undefined }, "1 times the killed member did not come back"],
  ])("fails for %j", (bad, failure) => {
    expect(operatorFailoverReport([absence(bad)]).failures).toEqual([failure]);
  });
});
