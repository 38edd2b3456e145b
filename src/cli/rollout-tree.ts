import type { Status } from "../api/evnodecluster.ts";
import type { Paint } from "./paint.ts";
import { renderTable } from "./table.ts";
import type { Branch } from "./tree.ts";

type Rollout = NonNullable<Status["rollout"]>;
type Step = NonNullable<Rollout["plan"]>[number];

const marks = { Done: "✔", UnderWay: "▶", Waiting: "○" } as const;
const words = { Done: "done", UnderWay: "under way", Waiting: "waiting" } as const;
const ways = {
  Restart: "restarted in its pod",
  Replace: "gets a new pod",
  Relabel: "only relabelled",
} as const;

/** A change on its way to the members. */
export function rolloutBranch(rollout: Rollout, paint: Paint): Branch {
  const { changes = [], plan = [], waitingFor, refused, next } = rollout;
  const what = changes.length === 0 ? "a restart" : `a change of ${changes.join(", ")}`;
  const done = plan.filter(({ state }) => state === "Done").length;
  const told = [
    `rollout   ${what}: ${done} of ${plan.length} done`,
    ...(next === undefined ? [] : [`${next} is next`]),
    ...countsOf(rollout),
  ];
  return {
    text: told.join(", "),
    children: [
      ...stepLines(plan, paint).map((text) => ({ text })),
      ...(waitingFor === undefined ? [] : [{ text: paint.warn(`waits: ${waitingFor}`) }]),
      ...(refused === undefined ? [] : [{ text: paint.bad(`refused: ${refused}`) }]),
    ],
  };
}

function countsOf({ leaderChanges, longestGapMs }: Rollout): readonly string[] {
  return [
    ...(leaderChanges === undefined ? [] : [`leader changes ${leaderChanges}`]),
    ...(longestGapMs === undefined ? [] : [`longest gap ${longestGapMs} ms`]),
  ];
}

/** The members in the order in which they are updated. */
export function stepLines(plan: readonly Step[], paint: Paint): readonly string[] {
  const colours = { Done: paint.good, UnderWay: paint.warn, Waiting: paint.dim };
  return renderTable(
    plan.map(({ member, way = "Restart", reason = "", state = "Waiting" }) => [
      `${colours[state](marks[state])} ${member}`,
      words[state],
      ways[way],
      reason,
    ]),
  );
}
