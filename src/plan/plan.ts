import { bootstrap } from "./bootstrap.ts";
import { converge } from "./converge.ts";
import { deletion } from "./deletion.ts";
import { divergence } from "./divergence.ts";
import { drill } from "./drill.ts";
import { foundation } from "./foundation.ts";
import { guard } from "./guard.ts";
import { labels } from "./labels.ts";
import { membership } from "./membership.ts";
import { migration } from "./migration.ts";
import { repair } from "./repair.ts";
import { rollout } from "./rollout.ts";
import type { Snapshot } from "./snapshot.ts";
import type { Decided, Decider, Plan, Step } from "./step.ts";
import { suspension } from "./suspension.ts";

/** In this order; the first that stops ends the list. */
const deciders: readonly (readonly [name: string, decide: Decider])[] = [
  ["deletion", deletion],
  ["divergence", divergence],
  ["guard", guard],
  ["foundation", foundation],
  ["converge", converge],
  ["suspension", suspension],
  ["migration", migration],
  ["membership", membership],
  ["bootstrap", bootstrap],
  ["repair", repair],
  ["rollout", rollout],
];

/** Decides what to do, from the snapshot alone. */
export function makePlan(snapshot: Snapshot): Plan {
  const decided: Decided[] = [];
  const steps: Step[] = [];
  for (const [by, decide] of deciders) {
    const step = decide(snapshot, blockersOf(steps));
    steps.push(step);
    if (step.stages && step.stages.length > 0) decided.push({ by, stages: step.stages });
    if (step.stop) break;
  }
  const view = steps.find((step) => step.rollout !== undefined)?.rollout;
  // Whatever is wrong with a cluster: a drill is refused rather than begun later, and transactions find the leader.
  const drilled = drill(snapshot, { blockers: blockersOf(steps), rollout: view });
  steps.push(drilled);
  if (drilled.stages) decided.push({ by: "drill", stages: drilled.stages });
  const { stages = [] } = labels(snapshot);
  if (stages.length > 0) decided.push({ by: "labels", stages });
  const membershipView = steps.find((step) => step.membership !== undefined)?.membership;
  const rebuilding = steps.find((step) => step.rebuilding !== undefined)?.rebuilding;
  return {
    decided,
    blockers: blockersOf(steps),
    recheckAfterMs: soonest(steps),
    ...(view ? { rollout: view } : {}),
    ...(rebuilding === undefined ? {} : { rebuilding }),
    ...(membershipView ? { membership: membershipView } : {}),
    ...(steps.some(({ needsCertainty }) => needsCertainty) ? { needsCertainty: true } : {}),
  };
}

const blockersOf = (steps: readonly Step[]) => steps.flatMap(({ blockers = [] }) => blockers);

function soonest(steps: readonly Step[]): number | undefined {
  const rechecks = steps.flatMap(({ recheckAfterMs }) =>
    recheckAfterMs === undefined ? [] : [recheckAfterMs],
  );
  return rechecks.length === 0 ? undefined : Math.min(...rechecks);
}
