import { diagnoseExit } from "../../src/evnode/failures.ts";
import { EVNODE_CONTAINER } from "../../src/model/member.ts";
import type { Pod } from "../../src/model/objects.ts";
import { type Members, podsOf } from "./pods.ts";
import type { Session } from "./session.ts";

/** What ev-node's containers have been through. */
export interface Exits {
  readonly count: number;
  /** The last exit of each member that had one. */
  readonly last: readonly Exit[];
}

export interface Exit {
  /** What it means, such as `LeadershipLost`; `Unknown` for words that nothing is known of. */
  readonly reason: string;
  readonly lastWords: string;
}

/** No membership on disk but a term: no restart cures it. */
export const firstStartRace = "FirstStartRace";
/** How ev-node answers a machine that is too slow for its time-outs; the next start goes on. */
export const leadershipLost = "LeadershipLost";

const LOG_LINES = 60;

/** Both sides name ev-node's container alike. */
export async function exitsOf(session: Session, members: Members): Promise<Exits> {
  const pods = await podsOf(session, members);
  const exited = pods.filter((pod) => exitCount(pod) > 0);
  return {
    count: pods.reduce((sum, pod) => sum + exitCount(pod), 0),
    last: await Promise.all(exited.map(async (pod) => readExit(await lastLog(session, pod)))),
  };
}

function exitCount(pod: Pod): number {
  const container = evnodeOf(pod);
  // A container that has ended and was not started again yet is one more exit than it had restarts.
  return (container?.restartCount ?? 0) + (container?.state?.terminated === undefined ? 0 : 1);
}

function evnodeOf({ status }: Pod) {
  return status?.containerStatuses?.find(({ name }) => name === EVNODE_CONTAINER);
}

/** The yardstick has no termination message, so both sides are asked for the log of the process that ended. */
async function lastLog({ kubectl }: Session, pod: Pod): Promise<string> {
  const { name, namespace = "" } = pod.metadata;
  const args = [
    "logs",
    name,
    "--namespace",
    namespace,
    "--container",
    EVNODE_CONTAINER,
    `--tail=${LOG_LINES}`,
  ];
  const previous = evnodeOf(pod)?.state?.terminated === undefined ? ["--previous"] : [];
  return kubectl.run([...args, ...previous]).catch(() => "");
}

/** ev-node prints its usage before its error, and the error last. */
export function readExit(log: string): Exit {
  const lastWords = log.split("\n").findLast((line) => line.trim() !== "") ?? "";
  return { reason: diagnoseExit(lastWords)?.reason ?? "Unknown", lastWords: lastWords.slice(0, 300) };
}
