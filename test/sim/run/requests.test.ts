import { expect, test } from "vitest";
import { kinds } from "../../../src/model/kinds.ts";
import type { Request } from "../faults.ts";
import { Owner } from "./owner.ts";
import { undisturbedOperator } from "./undisturbed-operator.ts";
import { Universe } from "./universe.ts";
import { MAIN } from "./wanted.ts";

const STEP_MS = 250;
const PATIENCE_MS = 60_000;
const MINUTE_MS = 60_000;

/** What a cluster costs the API server, with Events, but for watches and the operator's own Lease. */
test("a new cluster of three takes no more requests than it did, and a quiet one next to none", async () => {
  const universe = new Universe(2);
  const asked: Request[] = [];
  const before = (request: Request) => {
    if (request.verb !== "watch" && request.kind !== kinds.lease.kind) asked.push(request);
    return undefined;
  };
  const operator = undisturbedOperator(universe, { faults: { before } });
  const pass = async (limitMs: number, isOver = () => false) => {
    for (let passedMs = 0; passedMs < limitMs && !isOver(); passedMs += STEP_MS) {
      operator.tend();
      universe.tend();
      await universe.clock.advance(STEP_MS);
    }
    return asked.splice(0).map(({ verb, kind }) => `${verb} ${kind}`);
  };
  const { registry } = universe;
  await pass(5_000);

  new Owner(universe).apply(MAIN);
  const made = await pass(PATIENCE_MS, () => registry.get(kinds.statefulSet, MAIN) !== undefined);
  const begun = await pass(PATIENCE_MS, () => registry.get(kinds.cluster, MAIN)?.status?.phase === "Running");
  expect(registry.get(kinds.cluster, MAIN)?.status?.phase).toBe("Running");
  // 14 are aimed at: of these, the objects themselves are 10.
  expect(made.length).toBeLessThanOrEqual(24);
  expect(made.length + begun.length).toBeLessThanOrEqual(60);

  await pass(MINUTE_MS);
  const quiet = await pass(MINUTE_MS);
  expect(quiet.filter((one) => !one.startsWith("get "))).toEqual(["replaceStatus EvNodeCluster"]);
  expect(quiet.length).toBeLessThanOrEqual(3);
  operator.kill(0);
  expect(universe.violations).toEqual([]);
});
