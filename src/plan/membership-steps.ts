import type { Order } from "../model/agent-protocol.ts";
import type { Identity } from "../model/identity.ts";
import type { Member } from "../model/member.ts";
import type { OpenChange } from "../model/membership-record.ts";
import type { Action, Stages } from "./actions.ts";
import { isHeldLong } from "./held-back.ts";
import { type MembershipScene, turnMembership, volumeChangeOf } from "./membership-scene.ts";
import { giveOrder, isDue, membershipVoters, nextOrderId, REPEAT_AFTER_MS } from "./orders.ts";
import type { Step } from "./step.ts";

type Change = Pick<OpenChange, "from" | "to" | "startedAt">;
/** Members that go on with a chain from outside do so once: no time tells one attempt from another. */
type Way = Pick<OpenChange, "to"> &
  Partial<Pick<OpenChange, "startedAt">> & { readonly copy?: JoinOrder["copy"] };
type JoinOrder = Extract<Order, { kind: "join" }>;
/** What an order to a member is made from. */
type OrderScene = Pick<MembershipScene, "snapshot" | "identity" | "intents">;

/**
 * No agent does twice what it did under one id. Where the record of an attempt was lost, another one may be made for
 * the same epoch, so the epoch alone is no id.
 */
const orderId = (kind: Order["kind"], epoch: number, startedAt: string | undefined) =>
  startedAt === undefined ? `${kind}-${epoch}` : `${kind}-${epoch}-${startedAt}`;

/** An order that comes with another config, and where it is given, with the revision that the pod is of from then on. */
export function moveMember(
  { snapshot, identity, intents }: OrderScene,
  { to, startedAt, copy }: Way,
  member: Member,
  kind: "join" | "start",
  configRevision: string,
  revision = member.pod?.revision,
): Action[] {
  const { pod } = member;
  if (!pod || pod.terminating) return [];
  const { epoch } = to;
  const step = copy === undefined ? "" : copy.proven ? "-copy-proven" : "-copy";
  const id = orderId(kind, epoch, startedAt) + step;
  const voters = membershipVoters(snapshot, identity, intents.current.spec, to.replicas);
  const ofCopy = copy === undefined ? {} : { copy };
  const order: Order = kind === "join" ? { id, kind, epoch, voters, ...ofCopy } : { id, kind, epoch };
  const isWritten = pod.configRevision === configRevision && pod.revision === revision;
  if (isWritten && !isDue(member, pod, order, snapshot.nowMs)) return [];
  return [{ kind: "moveMember", member, pod, order, configRevision, revision }];
}

export function freeze(
  { snapshot }: MembershipScene,
  { from, to, startedAt }: Change,
  member: Member,
): Action[] {
  const id = orderId("freeze", to.epoch, startedAt);
  return giveOrder(member, { id, kind: "freeze", epoch: from.epoch, to: to.epoch }, snapshot.nowMs);
}

/** What the next epoch begins with, beside what the old one has. Where it was lost since, it is written once more. */
export function prepareNext(
  { snapshot, identity, intents }: OrderScene,
  { to, startedAt }: Way,
  member: Member,
): Action[] {
  const { epoch, replicas } = to;
  const voters = membershipVoters(snapshot, identity, intents.current.spec, replicas);
  const id = nextOrderId(orderId("bootstrap", epoch, startedAt), member);
  return giveOrder(member, { id, kind: "bootstrap", epoch, voters }, snapshot.nowMs);
}

export const isWithdrawn = ({ startedAt }: OpenChange, { withdrawn }: Pick<Identity, "withdrawn">) =>
  withdrawn === startedAt;

/** The identity first, on which the decision would be written, too: one that is on its way is refused from then on. */
export function withdrawal(scene: MembershipScene, record: OpenChange): Stages {
  const { startedAt } = record;
  const withdraw: Action[] = isWithdrawn(record, scene.identity)
    ? []
    : [{ kind: "withdrawMembership", startedAt }];
  return [withdraw, [turnMembership(scene, record)]].filter((stage) => stage.length > 0);
}

/** The old members go on, on what they had; nothing of the new epoch was ever started. */
export function takeBack(scene: MembershipScene, change: Extract<OpenChange, { kind: "takingBack" }>): Step {
  const { snapshot, identity } = scene;
  const { from, to, startedAt, why } = change;
  const awaited = snapshot.members.find(
    (member) => member.report.kind !== "answered" || volumeChangeOf(member, identity) !== undefined,
  );
  const who = awaited ? ` ${awaited.name} has not told yet that it does.` : "";
  const message = `The change to ${to.replicas} members is taken back: ${why}. The ${from.replicas} old ones go on.${who}`;
  const view = { membership: { reason: "MembersChanging", message } as const };
  const thaws = snapshot.members.flatMap((member) => {
    const change = volumeChangeOf(member, identity);
    const frozenTo = change?.kind === "frozen" ? change.to : to.epoch;
    const id = orderId("thaw", frozenTo, startedAt);
    return giveOrder(member, { id, kind: "thaw", epoch: from.epoch, to: frozenTo }, snapshot.nowMs);
  });
  // Also before a thaw: no watch shows whether the identity names the next epoch.
  if ((thaws.length > 0 || !awaited) && !snapshot.isCertain)
    return { ...view, needsCertainty: true, recheckAfterMs: 1_000 };
  if (awaited || thaws.length > 0)
    return {
      ...view,
      stages: [thaws].filter((stage) => stage.length > 0),
      recheckAfterMs: thaws.length > 0 ? REPEAT_AFTER_MS : 1_000,
    };
  const finishedAt = new Date(snapshot.nowMs).toISOString();
  return { ...view, stages: [[turnMembership(scene, { ...change, kind: "takenBack", finishedAt })]] };
}

/**
 * Kubernetes waits 10 s before the second start of a container within ten minutes, and twice as long before each one
 * after it. A change takes two starts, so after another one, or some restarts, the chain would stand still for minutes:
 * a new pod is started at once.
 */
export function unheld(members: readonly Member[]): Action[] {
  return members.flatMap((member): Action[] => {
    const { pod } = member;
    if (!pod || pod.terminating || !isHeldLong(pod)) return [];
    const why = "it was restarted before, Kubernetes holds it back, and the chain stands still until it runs";
    return [{ kind: "removePod", member, pod, by: "deletion", why }];
  });
}
