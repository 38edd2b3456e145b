import { annotations } from "../../src/model/annotations.ts";
import { kinds } from "../../src/model/kinds.ts";
import { EVNODE_CONTAINER } from "../../src/model/member.ts";
import type { Random } from "../../src/runtime/random.ts";
import { killContainer } from "../../test/e2e/harness/processes.ts";
import type { OperatorProcess } from "./operator-process.ts";
import { runningContainer } from "./rollout-analysis.ts";
import { podNow, type RolloutProbe } from "./rollout-probe.ts";
import { patchNow, type Side } from "./rollout-sides.ts";
import type { Disturbance } from "./rollout-storm.ts";
import { pause, pollUntil, type Session } from "./session.ts";
import type { Kill } from "./storm-analysis.ts";
import { wallMs } from "./wall-time.ts";

/** What happens while a change is taken to the members. All random moments come from one seed. */
export interface Chance {
  readonly session: Session;
  readonly random: Random;
}

/** A rollout of 3 members takes about this long. */
const ROLLOUT_MS = 15_000;
const KILL_TIMEOUT_MS = 30_000;
const EVICT_EVERY_MS = 500;
/** A drain goes on until so many evictions were granted, or for this long. */
const EVICTIONS = 2;
const DRAIN_MS = 60_000;
/** Longer than the Lease of the operator is good for. */
const FREEZE_MS = 20_000;

/** SIGKILL to ev-node of whoever leads, once. */
export function leaderKilled({ session, random }: Chance): Disturbance {
  return async ({ probe }) => {
    await pause(random.next() * ROLLOUT_MS, session);
    const killOnce = async () => {
      const [member] = [...probe.samples].find(([, samples]) => samples.at(-1)?.leads) ?? [];
      const pod = member === undefined ? undefined : podNow(probe.pods, member);
      if (member === undefined || !pod) return undefined;
      const atMs = wallMs();
      // Its process may have ended by itself in between.
      const isKilled = await killContainer(pod, EVNODE_CONTAINER).then(
        () => true,
        () => false,
      );
      return isKilled ? { member, atMs } : undefined;
    };
    const kill = await pollUntil(killOnce, { everyMs: 50, timeoutMs: KILL_TIMEOUT_MS }, session);
    return kill ? [kill] : [];
  };
}

const OLD_APPROVAL_MS = 20_000;
const PLAN_TIMEOUT_MS = 60_000;

/** Nothing may be done before the plan is approved by its hash, and nothing for the hash of an older plan. */
export function planApproved(session: Session, waitMs: number): Disturbance {
  return async ({ side, probe }) => {
    const before = containersOf(probe);
    const stays = async (forMs: number, when: string) => {
      await pause(forMs, session);
      const now = containersOf(probe);
      if (now !== before) throw new Error(`a member was restarted ${when}: ${before}, and now ${now}`);
    };
    const approve = async (hash: string) => {
      const notes = { [annotations.approveRollout]: hash };
      await patchNow(session, kinds.cluster, side.statefulSet, { metadata: { annotations: notes } });
    };
    const first = await nextPlan(session, side, undefined);
    await stays(waitMs, "while the plan waited");
    await side.change("config");
    const second = await nextPlan(session, side, first);
    await approve(first);
    await stays(OLD_APPROVAL_MS, "for the approval of an older plan");
    await approve(second);
    return [];
  };
}

const containersOf = ({ pods, samples }: RolloutProbe) =>
  [...samples.keys()]
    .map((name) => {
      const pod = podNow(pods, name);
      return `${name} ${(pod && runningContainer(pod)) ?? "does not run"}`;
    })
    .join(", ");

async function nextPlan(
  session: Session,
  { statefulSet: ref }: Side,
  last: string | undefined,
): Promise<string> {
  const ask = async () => {
    const hash = (await session.api.get(kinds.cluster, ref))?.status?.rollout?.planHash;
    return hash === last ? undefined : hash;
  };
  const hash = await pollUntil(ask, { everyMs: 250, timeoutMs: PLAN_TIMEOUT_MS }, session);
  if (hash === undefined) throw new Error(`no plan of ${ref.name} was published`);
  return hash;
}

/** Two further changes of the spec, and the operator killed with SIGKILL after each. */
export function editedAndOperatorKilled({ session, random }: Chance, operator: OperatorProcess): Disturbance {
  return async ({ side }) => {
    for (const kind of ["config", "image"] as const) {
      await pause((random.next() * ROLLOUT_MS) / 2, session);
      await side.change(kind);
      await pause((random.next() * ROLLOUT_MS) / 3, session);
      await operator.kill();
      await operator.start();
    }
    return [];
  };
}

/** The operator that holds the Lease stands still until another one has it, and goes on then. */
export function leaseMoved(
  { session, random }: Chance,
  operators: ReadonlyMap<string, OperatorProcess>,
): Disturbance {
  return async ({ side }) => {
    await pause((random.next() * ROLLOUT_MS) / 2, session);
    const { namespace } = side.statefulSet;
    const lease = await session.api.get(kinds.lease, { namespace, name: "evnode-operator" });
    const [name = "", holder] =
      [...operators].find(([name]) => lease?.spec?.holderIdentity?.startsWith(name)) ?? [];
    const pid = holder?.pid;
    if (!holder || pid === undefined)
      throw new Error(`nobody of ${[...operators.keys()].join(", ")} holds the Lease`);
    process.kill(pid, "SIGSTOP");
    try {
      await pause(FREEZE_MS, session);
      await side.change("image");
      await pause((random.next() * ROLLOUT_MS) / 3, session);
    } finally {
      process.kill(pid, "SIGCONT");
    }
    // It sees that it lost the Lease, and ends; Kubernetes would start it anew.
    const ended = async () => (holder.isRunning ? undefined : name);
    if (!(await pollUntil(ended, { everyMs: 250, timeoutMs: KILL_TIMEOUT_MS }, session)))
      throw new Error(`operator ${name} goes on without the Lease`);
    await holder.start();
    return [];
  };
}

/** Somebody drains the node: evicts whoever the disruption budget gives away, again and again. */
export function drained({ session, random }: Chance): Disturbance {
  return async ({ side, probe }) => {
    const names = [...probe.samples.keys()];
    const deadline = performance.now() + DRAIN_MS;
    const granted: Kill[] = [];
    while (granted.length < EVICTIONS && performance.now() < deadline) {
      await pause(EVICT_EVERY_MS, session);
      const name = names[Math.floor(random.next() * names.length)] ?? "";
      const uid = podNow(probe.pods, name)?.metadata.uid;
      if (uid === undefined) continue;
      const ref = { namespace: side.statefulSet.namespace, name };
      const atMs = wallMs();
      // The budget refuses most of them.
      const isGranted = await session.api.evict(ref, { preconditions: { uid } }).then(
        () => true,
        () => false,
      );
      if (isGranted) granted.push({ member: name, atMs });
    }
    return granted;
  };
}
