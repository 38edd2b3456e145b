import type { Condition } from "../../../src/api/evnodecluster.ts";
import { kinds } from "../../../src/model/kinds.ts";
import { memberName } from "../../../src/model/names.ts";
import type { EvNodeClusterObject, Pod } from "../../../src/model/objects.ts";
import { heightOf } from "../../../test/sim/member/block.ts";
import type { PodRun } from "../../../test/sim/member/pod-run.ts";
import type { Registry } from "../../../test/sim/registry.ts";
import { nodeImage } from "../../../test/sim/run/target.ts";
import { REPLICAS } from "../../../test/sim/run/wanted.ts";

/** All that is shown and judged at one moment: what the cluster says of itself, and what is so. */
export interface Look {
  readonly name: string;
  /** What the spec asks for. */
  readonly image: string;
  readonly phase: string;
  readonly leader: string | undefined;
  readonly quorum: string;
  readonly ready: string;
  readonly updated: string;
  readonly rolloutComplete: Verdict;
  readonly stalled: Verdict;
  /** How the last change that was taken to the members ended. */
  readonly lastRollout: string | undefined;
  readonly members: readonly MemberLook[];
}

export type Verdict = Pick<Condition, "status" | "reason" | "message">;

export interface MemberLook {
  readonly name: string;
  readonly role: "leader" | "follower" | "unknown";
  readonly state: string;
  readonly ready: boolean;
  /** The last block that it holds. */
  readonly height: number | undefined;
  /** Of its pod, which may not run yet. */
  readonly image: string | undefined;
  /** What really runs. */
  readonly process: { readonly image: string; readonly leads: boolean } | undefined;
  /** What it waits for. */
  readonly doing: string;
}

type Status = NonNullable<EvNodeClusterObject["status"]>;
type MemberStatus = NonNullable<Status["members"]>[number];

const untold: Verdict = { status: "Unknown", reason: "-", message: "" };

export function lookAt(
  { store }: Registry,
  runs: readonly PodRun[],
  { metadata, spec, status = {} }: EvNodeClusterObject,
): Look {
  const { name, namespace = "" } = metadata;
  const verdict = (type: string): Verdict =>
    status.conditions?.find((condition) => condition.type === type) ?? untold;
  const members = Array.from({ length: status.replicas ?? REPLICAS }, (_, ordinal) => {
    const member = memberName(name, ordinal);
    const pod = store.get(kinds.pod, { namespace, name: member });
    const run = runs.find((one) => one.name === member);
    return memberLook(member, status, pod, run);
  });
  return {
    name,
    image: spec.image,
    phase: status.phase ?? "-",
    leader: status.leader,
    quorum: status.quorum ?? "-",
    ready: status.readyMembers ?? "-",
    updated: status.updatedMembers ?? "-",
    rolloutComplete: verdict("RolloutComplete"),
    stalled: verdict("Stalled"),
    lastRollout: status.lastRollout?.result,
    members,
  };
}

function memberLook(name: string, status: Status, pod: Pod | undefined, run: PodRun | undefined): MemberLook {
  const told = status.members?.find((member) => member.name === name);
  const role = told?.role === "Leader" ? "leader" : told?.role === "Follower" ? "follower" : "unknown";
  const height = heightOf(run?.volume.stored);
  const process = run?.process;
  return {
    name,
    role,
    state: told?.state ?? "-",
    ready: told?.ready ?? false,
    height: height === 0 ? undefined : height,
    image: nodeImage(pod?.spec),
    process: process && { image: process.image, leads: process.role === "leader" },
    doing: doingOf(told, status),
  };
}

/** In the operator's words: what is wrong with it, else its turn in a rollout. */
function doingOf(told: MemberStatus | undefined, { rollout }: Status): string {
  if (told === undefined) return "";
  if (told.state === "Failed" && told.lastExit !== undefined) return told.lastExit;
  if (told.message !== undefined) return told.message;
  const step = rollout?.startedAt === undefined ? undefined : stepOf(told.name, rollout);
  if (step?.state === "UnderWay") return "comes up with the change";
  if (!told.ready) return "comes up";
  if (step?.state === "Waiting")
    return /leads/.test(step.reason ?? "") ? "its turn is last" : "its turn comes";
  return "in sync";
}

const stepOf = (name: string, { plan }: NonNullable<Status["rollout"]>) =>
  plan?.find(({ member }) => member === name);
