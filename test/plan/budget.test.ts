import { describe, expect, test } from "vitest";
import { annotations } from "../../src/model/annotations.ts";
import type { PodDisruptionBudget } from "../../src/model/objects.ts";
import { type BudgetVerdict, budgetFor, releaseBudget } from "../../src/plan/budget.ts";
import { objectKey, type Snapshot } from "../../src/plan/snapshot.ts";
import { gone, leads, stopping, type Traits, timeAgo } from "../member-traits.ts";
import { claimed, type RollingShape, rolling } from "../rolling.ts";

const inSeconds = (ageMs: number) => timeAgo(ageMs).replace(/\.\d+/, "");
const disrupted = (ages: Readonly<Record<string, number>>) =>
  Object.fromEntries(Object.entries(ages).map(([name, ageMs]) => [name, inSeconds(ageMs)]));

function budgetIn({ objects }: Snapshot): PodDisruptionBudget {
  const found = objects.get(objectKey("PodDisruptionBudget", "seq"));
  if (!found) throw new Error("the budget is switched on");
  return found as PodDisruptionBudget;
}

/** For seq-2, in short. */
function verdict(seen: Snapshot, isBack: (name: string) => boolean = () => true): string {
  const [, , victim] = seen.members;
  if (!victim) throw new Error("there are three members");
  return brief(budgetFor(victim, seen, isBack));
}

function brief(found: BudgetVerdict): string {
  if (found.kind === "held") return "held";
  if (found.kind === "wait") return `wait: ${found.why}`;
  if (found.action.kind !== "claimBudget") throw new Error("a budget is claimed by writing it");
  const { disruptedPods, disruptionsAllowed } = found.action.budget.status ?? {};
  return `claim: ${JSON.stringify(disruptedPods)}, ${disruptionsAllowed} allowed`;
}

interface Case {
  readonly name: string;
  readonly budget?: RollingShape["budget"];
  readonly members?: readonly Traits[];
  readonly isBack?: (name: string) => boolean;
  readonly is: string;
}

const claim = 'claim: {"seq-2":"2026-01-01T00:00:00Z"}, 0 allowed';

const cases: readonly Case[] = [
  { name: "a budget that allows a disruption is claimed", budget: {}, is: claim },
  { name: "without a budget there is nothing to claim", budget: "off", is: "held" },
  {
    name: "one that its controller has not looked at is waited for",
    budget: { observedGeneration: 0 },
    is: "wait: the disruption budget has not been looked at by its controller yet",
  },
  {
    name: "one that allows none is waited for",
    budget: { disruptionsAllowed: 0, currentHealthy: 2 },
    is: "wait: the disruption budget allows no disruption: 2 pods are healthy, 2 have to be",
  },
  { name: "a claim of this member is held", budget: claimed("seq-2", 59_000), is: "held" },
  { name: "an old claim is renewed before it is forgotten", budget: claimed("seq-2", 60_000), is: claim },
  {
    name: "an entry for another one may be a drain that is about to delete its pod",
    budget: claimed("seq-1", 2_000),
    is: "wait: the disruption budget was used for seq-1",
  },
  { name: "one that was not followed by it is taken over", budget: claimed("seq-1", 3_000), is: claim },
  {
    name: "not before that member takes part again",
    budget: claimed("seq-1", 3_000),
    isBack: () => false,
    is: "wait: the disruption budget was used for seq-1",
  },
  {
    name: "nor while its pod stops",
    budget: claimed("seq-1", 90_000),
    members: [leads, stopping, []],
    is: "wait: the disruption budget was used for seq-1",
  },
  {
    name: "nor while it has none",
    budget: claimed("seq-1", 90_000),
    members: [leads, gone, []],
    is: "wait: the disruption budget was used for seq-1",
  },
  {
    name: "an entry that is no time counts as old",
    budget: { disruptionsAllowed: 0, disruptedPods: { "seq-1": "yesterday" } },
    is: claim,
  },
  {
    name: "one from a clock that is ahead counts as new",
    budget: claimed("seq-1", -30_000),
    is: "wait: the disruption budget was used for seq-1",
  },
  {
    name: "one for a pod that is no member's is waited for",
    budget: claimed("other-0", 90_000),
    is: "wait: the disruption budget was used for other-0",
  },
];

test.each(cases)("$name", ({ budget, members = [leads, [], []], isBack, is }) => {
  expect(verdict(rolling({ members, ...(budget === undefined ? {} : { budget }) }), isBack)).toBe(is);
});

test("a claim is written over the budget that was read, with the rest of its status", () => {
  const seen = rolling();
  const [, , victim] = seen.members;
  if (!victim) throw new Error("there are three members");
  const found = budgetFor(victim, seen, () => true);
  const { metadata, status, ...rest } = budgetIn(seen);
  expect(found).toEqual({
    kind: "claim",
    action: {
      kind: "claimBudget",
      budget: {
        ...rest,
        metadata: { ...metadata, annotations: { [annotations.clusterUid]: "uid-of-the-cluster" } },
        status: { ...status, disruptionsAllowed: 0, disruptedPods: disrupted({ "seq-2": 0 }) },
      },
      why: "seq-2 is to be restarted",
    },
  });
});

describe("what nobody uses any more is given back", () => {
  test.each<[string, NonNullable<Case["budget"]>, readonly Traits[], unknown]>([
    ["an entry of a member that is there", claimed("seq-2", 3_000), [leads, [], []], [{}]],
    ["but not one that was written a moment ago", claimed("seq-2", 2_000), [leads, [], []], []],
    ["nor one of a pod that stops", claimed("seq-2", 9_000), [leads, [], stopping], []],
    [
      "and not what others use",
      { disruptedPods: disrupted({ "seq-1": 9_000, "other-0": 9_000 }) },
      [leads, [], []],
      [disrupted({ "other-0": 9_000 })],
    ],
    ["nothing is written where there is nothing", {}, [leads, [], []], []],
    ["nor where it is switched off", "off", [leads, [], []], []],
  ])("%s", (_, budget, members, left) => {
    const written = releaseBudget(rolling({ members, budget })).map((action) => {
      return action.kind === "claimBudget" ? action.budget.status?.disruptedPods : action.kind;
    });
    expect(written).toEqual(left);
  });
});
