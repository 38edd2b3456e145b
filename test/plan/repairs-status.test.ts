import { expect, test } from "vitest";
import type { Status } from "../../src/api/evnodecluster.ts";
import type { Member } from "../../src/model/member.ts";
import { repairsOf } from "../../src/plan/repairs-status.ts";
import { cluster, isEmpty, leader, member, NOW_MS, snapshot } from "../builders.ts";

const now = new Date(NOW_MS).toISOString();

function repairs(members: readonly Member[], before: NonNullable<Status["repairs"]> = []) {
  return repairsOf(snapshot({ cluster: cluster({ status: { repairs: before } }), members })).repairs;
}

const begun = { member: "seq-2", order: "rejoin-uid-of-seq-2", at: "2025-12-31T23:50:00.000Z" };
const pod = { order: JSON.stringify({ id: begun.order, kind: "rejoin" }), orderGivenAt: begun.at };
const ordered = [leader(0), member(1), member(2, { ...isEmpty, pod })];

test("a rebuilding is told once its order stands on the pod, once", () => {
  expect(repairs([leader(0), member(1), member(2, isEmpty)])).toBeUndefined();
  expect(repairs(ordered)).toEqual([begun]);
  expect(repairs(ordered, [begun])).toEqual([begun]);
});

test("an order of an earlier pod, or of another kind, is no rebuilding", () => {
  for (const order of ['{"id":"rejoin-uid-of-another"}', '{"id":"start-1","kind":"start"}'])
    expect(repairs([leader(0), member(1), member(2, { pod: { order } })])).toBeUndefined();
});

test("it is over when the member that carried the order out is ready", () => {
  const through = member(2, { pod, says: { executedOrder: begun.order } });
  expect(repairs([leader(0), member(1), through], [begun])).toEqual([{ ...begun, doneAt: now }]);
  expect(repairs([leader(0), member(1), member(2, { pod })], [begun])).toEqual([begun]);
});

test("the last few are kept", () => {
  const many = Array.from({ length: 8 }, (_, index) => ({ ...begun, order: `rejoin-${index}`, doneAt: now }));
  expect(repairs(ordered, many)).toEqual([...many.slice(1), begun]);
});

test("nothing is told where nothing was repaired", () => {
  expect(repairs([leader(0), member(1), member(2)])).toBeUndefined();
});
