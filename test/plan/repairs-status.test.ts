import { expect, test } from "vitest";
import type { Status } from "../../src/api/evnodecluster.ts";
import type { Member } from "../../src/model/member.ts";
import { makePlan } from "../../src/plan/plan.ts";
import { repairsOf } from "../../src/plan/repairs-status.ts";
import { cluster, isEmpty, leader, member, NOW_MS, snapshot } from "../builders.ts";

const now = new Date(NOW_MS).toISOString();

function repairs(members: readonly Member[], before: NonNullable<Status["repairs"]> = []) {
  const seen = snapshot({ cluster: cluster({ status: { repairs: before } }), members, isCertain: true });
  return repairsOf(seen, makePlan(seen)).repairs;
}

const begun = { member: "seq-2", order: "rejoin-uid-of-seq-2", at: "2025-12-31T23:50:00.000Z" };

test("a rebuilding is noted when it is ordered, once", () => {
  const members = [leader(0), member(1), member(2, isEmpty)];
  expect(repairs(members)).toEqual([{ ...begun, at: now }]);
  expect(repairs(members, [begun])).toEqual([begun]);
});

test("it is over when the member that carried the order out is ready", () => {
  const through = member(2, { says: { executedOrder: begun.order } });
  expect(repairs([leader(0), member(1), through], [begun])).toEqual([{ ...begun, doneAt: now }]);
  expect(repairs([leader(0), member(1), member(2)], [begun])).toEqual([begun]);
});

test("the last few are kept", () => {
  const many = Array.from({ length: 8 }, (_, index) => ({ ...begun, order: `rejoin-${index}`, doneAt: now }));
  const members = [leader(0), member(1), member(2, isEmpty)];
  const kept = repairs(members, many);
  // As many as are allowed were rebuilt within the hour, so nothing new is ordered.
  expect(kept).toEqual(many);
});

test("nothing is told where nothing was repaired", () => {
  expect(repairs([leader(0), member(1), member(2)])).toBeUndefined();
});
