import type { EvNodeCluster } from "../api/evnodecluster.ts";
import { clustersName } from "./called.ts";
import { conditionOf } from "./health.ts";
import type { Paint } from "./paint.ts";
import { stepLines } from "./rollout-tree.ts";

/** The hash by which the plan can be approved now; undefined when none waits for that. */
export function awaitedHash(cluster: EvNodeCluster): string | undefined {
  const waits = conditionOf(cluster, "RolloutComplete")?.reason === "PlanAwaitsApproval";
  return waits ? cluster.status?.rollout?.planHash : undefined;
}

/** What a rollout changes, in which order, and how it is approved where it waits for that. */
export function planText(cluster: EvNodeCluster, paint: Paint): readonly string[] {
  const { rollout } = cluster.status ?? {};
  const complete = conditionOf(cluster, "RolloutComplete");
  if (rollout === undefined)
    return [complete?.message ?? "No operator has told anything about rollouts yet."];
  const { changes = [], plan = [], planHash, waitingFor, refused } = rollout;
  const hash = awaitedHash(cluster);
  return [
    `${paint.strong("changes")}   ${changes.length === 0 ? "none: a restart" : changes.join(", ")}`,
    ...(planHash === undefined ? [] : [`${paint.strong("plan")}      ${planHash}`]),
    "",
    ...stepLines(plan, paint).map((line) => `  ${line}`),
    "",
    ...(refused === undefined ? [] : [paint.bad(`refused: ${refused}`)]),
    ...(waitingFor === undefined ? [] : [paint.warn(`waits: ${waitingFor}`)]),
    ...(hash === undefined
      ? [complete?.message ?? "What becomes of it is not told."]
      : [`To carry it out: kubectl evnode approve ${clustersName(cluster)} --plan ${hash}`]),
  ];
}
