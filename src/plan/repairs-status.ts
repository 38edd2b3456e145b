import type { Status } from "../api/evnodecluster.ts";
import { answerOf } from "../model/member.ts";
import type { Snapshot } from "./snapshot.ts";
import { actionsOf, type Plan } from "./step.ts";

type Repairs = NonNullable<Status["repairs"]>;

const KEPT = 8;

/** The repairs that were told before, those that were seen to be through, and the one that is ordered now. */
export function repairsOf(snapshot: Snapshot, plan: Plan): Pick<Status, "repairs"> {
  const now = new Date(snapshot.nowMs).toISOString();
  const before = snapshot.cluster.status?.repairs ?? [];
  const known = before.map((one) =>
    one.doneAt === undefined && isThrough(one, snapshot) ? { ...one, doneAt: now } : one,
  );
  const begun = actionsOf(plan).flatMap((action): Repairs => {
    if (action.kind !== "order" || action.order.kind !== "rejoin") return [];
    const { id } = action.order;
    if (known.some(({ order }) => order === id)) return [];
    return [{ member: action.member.name, order: id, at: now }];
  });
  const all = [...known, ...begun].slice(-KEPT);
  return all.length === 0 ? {} : { repairs: all };
}

function isThrough({ member: name, order }: Repairs[number], { members }: Snapshot): boolean {
  const member = members.find((one) => one.name === name);
  return member?.pod?.ready === true && answerOf(member)?.executedOrder === order;
}
