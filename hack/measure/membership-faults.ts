import { kinds } from "../../src/model/kinds.ts";
import { EVNODE_CONTAINER } from "../../src/model/member.ts";
import { claimName, memberName } from "../../src/model/names.ts";
import type { PersistentVolumeClaim, Pod } from "../../src/model/objects.ts";
import { cutOff as cut } from "../../test/e2e/harness/cut-paths.ts";
import { killContainer } from "../../test/e2e/harness/processes.ts";
import { killOperators, operatorIsBack, operatorPods } from "./installed-operator.ts";
import type { Size } from "./membership-side.ts";
import { type OperatedCluster, remove } from "./operated-cluster.ts";
import { podsOf } from "./pods.ts";
import { patchNow } from "./rollout-sides.ts";
import { pollUntil, type Session } from "./session.ts";
import { provideSmallVolume, type SmallVolume } from "./small-volumes.ts";

/** A change of the number of members that a fault falls into. */
export interface Scene {
  readonly session: Session;
  readonly members: OperatedCluster;
  readonly from: Size;
  readonly to: Size;
  /** Who led before the change. */
  readonly leader: string;
  /** What was made for the fault before the cluster was. */
  readonly volumes: ReadonlyMap<number, SmallVolume>;
}

/** Whom a fault falls on. */
export type Role = "the leader" | "a member that stays" | "a member that leaves" | "a new member";

export interface Fault {
  readonly name: string;
  /** Other clusters feel it, too. */
  readonly isOfAll?: true;
  /** Whose volume has to have a size of its own. */
  readonly smallVolumeOf?: Role;
  /** Before the change is asked for. */
  readonly prepare?: (scene: Scene) => Promise<void>;
  readonly happen: (scene: Scene) => Promise<void>;
  /** What ends it, and after how long; one that has none ends by itself. */
  readonly mend?: { readonly afterMs: number; readonly undo: (scene: Scene) => Promise<void> };
}

const HAPPEN_TIMEOUT_MS = 30_000;

/** The ordinal of the member that has this role. Others than the leader have it, where there are any. */
export function ordinalOf(
  role: Role,
  { from, to, leader, members }: Pick<Scene, "from" | "to" | "leader" | "members">,
) {
  const leads = Number(leader.slice(members.name.length + 1));
  if (role === "the leader") return leads;
  if (role === "a new member") return from;
  const [first, last] = role === "a member that leaves" ? [to, from - 1] : [0, Math.min(from, to) - 1];
  return first === leads && first < last ? first + 1 : first;
}

const nameOf = (role: Role, scene: Scene) => memberName(scene.members.name, ordinalOf(role, scene));

export const memberKilled = (role: Role): Fault => ({
  name: `ev-node of ${role} killed`,
  happen: async (scene) => {
    await onPod(scene, role, async (pod) => killContainer(pod, EVNODE_CONTAINER));
  },
});

export const podDeleted = (role: Role): Fault => ({
  name: `the pod of ${role} deleted`,
  happen: async (scene) => {
    const { namespace } = scene.members;
    await onPod(scene, role, async ({ metadata: { name } }) =>
      remove(scene.session, kinds.pod, { namespace, name }),
    );
  },
});

/** It may be between two containers, or between two pods: then it is what comes next that is hit. */
async function onPod(scene: Scene, role: Role, hit: (pod: Pod) => Promise<void>): Promise<void> {
  const name = nameOf(role, scene);
  const hitOnce = async () => {
    const pod = (await podsOf(scene.session, scene.members)).find(({ metadata }) => metadata.name === name);
    if (pod === undefined || pod.metadata.deletionTimestamp !== undefined) return undefined;
    return hit(pod).then(
      () => true,
      () => undefined,
    );
  };
  const isHit = await pollUntil(hitOnce, { everyMs: 20, timeoutMs: HAPPEN_TIMEOUT_MS }, scene.session);
  if (isHit === undefined) throw new Error(`${name} could not be hit within ${HAPPEN_TIMEOUT_MS / 1_000} s`);
}

/** From the other members and from the operator. */
export function cutOff(role: Role, seconds: number): Fault {
  const cuts = new WeakMap<Scene, Awaited<ReturnType<typeof cut>>>();
  return {
    name: `${role} cut off for ${seconds} s`,
    happen: async (scene) => {
      const { session, members } = scene;
      const pods = await podsOf(session, members);
      const one = pods.find(({ metadata }) => metadata.name === nameOf(role, scene));
      if (one === undefined) throw new Error(`there is no pod of ${role}`);
      const others = [...pods.filter((pod) => pod !== one), ...(await operatorPods(session))];
      const made = await cut(
        one,
        others.filter(({ status }) => status?.podIP !== undefined),
      );
      cuts.set(scene, made);
      session.atEnd(`the cut of ${one.metadata.name}`, async () => made.heal());
    },
    mend: { afterMs: seconds * 1_000, undo: async (scene) => cuts.get(scene)?.heal() },
  };
}

export const volumeFull = (role: Role, seconds: number): Fault => ({
  name: `the volume of ${role} full for ${seconds} s`,
  smallVolumeOf: role,
  happen: async (scene) => smallVolumeOf(role, scene).fill(),
  mend: { afterMs: seconds * 1_000, undo: async (scene) => smallVolumeOf(role, scene).free() },
});

function smallVolumeOf(role: Role, scene: Scene): SmallVolume {
  const found = scene.volumes.get(ordinalOf(role, scene));
  if (found === undefined) throw new Error(`${role} has no volume with a size of its own`);
  return found;
}

export const operatorKilled: Fault = {
  name: "the operator killed",
  isOfAll: true,
  happen: async ({ session }) => killOperators(session),
  mend: { afterMs: 0, undo: async ({ session }) => operatorIsBack(session) },
};

/** Its claim waits for a volume that does not exist, until its owner asks for the old number again. */
export const noNodeForNew: Fault = {
  name: "a new member finds no node, until its owner gives up",
  prepare: async ({ session, members, from }) => {
    const { namespace, name } = members;
    await session.api.create(kinds.claim, claimOfNothing(namespace, claimName(name, from)));
  },
  happen: async ({ session, members, from }) => {
    const isTold = async () => {
      const { conditions = [] } = (await session.api.get(kinds.cluster, members))?.status ?? {};
      return conditions.some(({ message }) => message.includes("finds no node")) || undefined;
    };
    const poll = { everyMs: 250, timeoutMs: HAPPEN_TIMEOUT_MS };
    if ((await pollUntil(isTold, poll, session)) === undefined)
      throw new Error("no condition says that a new member finds no node");
    await patchNow(session, kinds.cluster, members, { spec: { replicas: from } });
  },
};

function claimOfNothing(namespace: string, name: string): PersistentVolumeClaim {
  const { apiVersion, kind } = kinds.claim;
  return {
    apiVersion,
    kind,
    metadata: { namespace, name },
    spec: {
      accessModes: ["ReadWriteOnce"],
      resources: { requests: { storage: "1Gi" } },
      volumeName: `${namespace}-${name}-nowhere`,
    },
  } as PersistentVolumeClaim;
}

/** Volumes that the faults of a change need, before there is a leader. */
export async function volumesFor(
  session: Session,
  members: OperatedCluster,
  { from, to, faults }: { readonly from: Size; readonly to: Size; readonly faults: readonly Fault[] },
): Promise<ReadonlyMap<number, SmallVolume>> {
  const roles = faults.flatMap(({ smallVolumeOf: role }) => role ?? []);
  // Whoever leads is not known yet, and no other member has its role then.
  const leader = memberName(members.name, 0);
  const ordinals = roles.flatMap((role) =>
    role === "the leader" || role === "a member that stays"
      ? Array.from({ length: Math.min(from, to) }, (_, ordinal) => ordinal)
      : ordinalOf(role, { from, to, leader, members }),
  );
  const made = new Map<number, SmallVolume>();
  for (const ordinal of new Set(ordinals))
    made.set(ordinal, await provideSmallVolume(session, members, ordinal));
  return made;
}
