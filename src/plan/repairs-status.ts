import type { Status } from "../api/evnodecluster.ts";
import { answerOf, type MemberPod } from "../model/member.ts";
import { isRejoinIn } from "./orders.ts";
import type { Snapshot } from "./snapshot.ts";

type Repairs = NonNullable<Status["repairs"]>;

const KEPT = 8;

/**
 * The repairs that were told before, those that were seen to be through, and those whose order stands on a pod: a
 * status is not always written at once, so what was decided is no measure of what was done.
 */
export function repairsOf(snapshot: Snapshot): Pick<Status, "repairs"> {
  const now = new Date(snapshot.nowMs).toISOString();
  const before = snapshot.cluster.status?.repairs ?? [];
  const known = before.map((one) =>
    one.doneAt === undefined && isThrough(one, snapshot) ? { ...one, doneAt: now } : one,
  );
  const begun = snapshot.members.flatMap(({ name, pod }): Repairs => {
    const order = pod && orderIdOn(pod);
    if (!pod || !isRejoinIn(pod, order) || known.some((one) => one.order === order)) return [];
    return [{ member: name, order, at: pod.orderGivenAt ?? now }];
  });
  const all = [...known, ...begun].slice(-KEPT);
  return all.length === 0 ? {} : { repairs: all };
}

function orderIdOn({ order }: MemberPod): string | undefined {
  const [, id] = /^\{"id":"([^"]+)"/.exec(order ?? "") ?? [];
  return id;
}

function isThrough({ member: name, order }: Repairs[number], { members }: Snapshot): boolean {
  const member = members.find((one) => one.name === name);
  return member?.pod?.ready === true && answerOf(member)?.executedOrder === order;
}
