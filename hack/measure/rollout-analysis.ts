import { EVNODE_CONTAINER } from "../../src/model/member.ts";
import type { Pod } from "../../src/model/objects.ts";
import { isReady } from "./pods.ts";
import type { Sample, Sightings } from "./rollout-probe.ts";

/** A member that came to run another process of ev-node. */
export interface Restart {
  readonly member: string;
  /** The last answer of the process before. */
  readonly atMs: number;
  /** The first answer of the new process. */
  readonly backMs: number | undefined;
  /** From then on Kubernetes calls the pod Ready. */
  readonly readyMs: number | undefined;
  readonly led: boolean;
  readonly isSamePod: boolean;
  /** How far the others were behind the highest at that moment; undefined for one that was silent. */
  readonly others: readonly Lag[];
}

interface Lag {
  readonly member: string;
  readonly blocks: number | undefined;
}

/** Where the time of a rollout went. */
export interface Phases {
  /** From the write of the change to the first restart. */
  readonly beforeMs: number;
  /** Members that do not answer, one after the other. */
  readonly awayMs: number;
  /** Members that answer, until Kubernetes calls them Ready. */
  readonly unreadyMs: number;
  /** From a member that is Ready to the next restart, or to the end. */
  readonly betweenMs: number;
}

interface Process {
  readonly uid: string;
  readonly container: string;
  /** Kubernetes tells whole seconds. */
  readonly startedAtMs: number;
}

/** A leader that is to stop hands over first, and answers for a while as a follower. */
const HANDOVER_MS = 5_000;
/** The second that Kubernetes tells, and a look of the campaign. */
const TOLD_WITHIN_MS = 1_200;
/** An answer that is older says nothing about a member's height. */
const FRESH_MS = 1_500;

/** Every restart of a member that was seen, in order. */
export function restartsOf({ pods, samples }: Sightings): readonly Restart[] {
  const restarts = [...samples].flatMap(([member, own]) => {
    const processes = processesOf({ pods, samples }, member);
    return processes.slice(1).map((process, index): Restart => {
      // One that ended before it answered did not lead, whatever the one before it did.
      const bornMs = bornOf(processes[index], own);
      const atMs = Math.max(bornMs, lastAnswerBefore(own, process.startedAtMs + 999));
      const backMs = own.find(
        (sample) => sample.atMs > atMs && sample.atMs >= process.startedAtMs && isAnswer(sample),
      )?.atMs;
      return {
        member,
        atMs,
        backMs,
        readyMs: backMs === undefined ? undefined : readyFrom({ pods, samples }, member, process, backMs),
        led: own.some((sample) => {
          return sample.leads && sample.atMs <= atMs && sample.atMs > Math.max(bornMs, atMs - HANDOVER_MS);
        }),
        isSamePod: processes[index]?.uid === process.uid,
        others: lagsAt({ pods, samples }, member, atMs),
      };
    });
  });
  return restarts.toSorted((one, other) => one.atMs - other.atMs);
}

/** Kubernetes tells whole seconds, in which the process before may have answered: a new one is silent at first. */
function bornOf(process: Process | undefined, samples: readonly Sample[]): number {
  const startedAtMs = process?.startedAtMs ?? 0;
  const silent = samples.findLast(
    (sample) => sample.atMs >= startedAtMs && sample.atMs < startedAtMs + TOLD_WITHIN_MS && !isAnswer(sample),
  );
  return silent?.atMs ?? startedAtMs;
}

function processesOf({ pods }: Sightings, member: string): readonly Process[] {
  const seen = new Map<string, Process>();
  for (const { object } of pods) {
    if (object.metadata.name !== member) continue;
    const container = containerOf(object);
    const startedAt = container?.state?.running?.startedAt;
    const id = container?.containerID;
    if (startedAt === undefined || id === undefined || seen.has(id)) continue;
    const uid = object.metadata.uid ?? "";
    seen.set(id, { uid, container: id, startedAtMs: Date.parse(startedAt) });
  }
  return [...seen.values()];
}

const containerOf = ({ status }: Pod) =>
  status?.containerStatuses?.find(({ name }) => name === EVNODE_CONTAINER);

/** The process of ev-node that a pod runs; undefined while it runs none. */
export function runningContainer(pod: Pod): string | undefined {
  const container = containerOf(pod);
  return container?.state?.running ? container.containerID : undefined;
}

const isAnswer = ({ height, leads }: Sample) => height !== undefined && leads !== undefined;

/** The last answer that silence followed: the new process may answer within the second of its start. */
function lastAnswerBefore(samples: readonly Sample[], latestMs: number): number {
  const index = samples.findLastIndex((sample, at) => {
    const next = samples[at + 1];
    return sample.atMs <= latestMs && isAnswer(sample) && next !== undefined && !isAnswer(next);
  });
  return samples[index]?.atMs ?? latestMs;
}

function readyFrom({ pods }: Sightings, member: string, { container }: Process, backMs: number) {
  const ready = pods.filter(
    ({ object }) => object.metadata.name === member && runningContainer(object) === container,
  );
  const first = ready.find(({ object }) => isReady(object));
  return first && Math.max(backMs, first.atMs);
}

function lagsAt({ samples }: Sightings, restarted: string, atMs: number): readonly Lag[] {
  const heights = [...samples].map(([member, all]) => {
    const last = all.findLast((sample) => sample.atMs <= atMs && isAnswer(sample));
    return { member, height: last !== undefined && last.atMs > atMs - FRESH_MS ? last.height : undefined };
  });
  const top = Math.max(0, ...heights.map(({ height }) => height ?? 0));
  return heights
    .filter(({ member }) => member !== restarted)
    .map(({ member, height }) => ({ member, blocks: height === undefined ? undefined : top - height }));
}

/** Who led, one after the other. */
export function leadersOf({ samples }: Pick<Sightings, "samples">): readonly string[] {
  const leading = [...samples]
    .flatMap(([member, all]) => all.filter(({ leads }) => leads).map(({ atMs }) => ({ member, atMs })))
    .toSorted((one, other) => one.atMs - other.atMs);
  return leading.map(({ member }) => member).filter((member, index, all) => member !== all[index - 1]);
}

/** Undefined when a restart did not come to its end. */
export function phasesOf(restarts: readonly Restart[], startMs: number, endMs: number): Phases | undefined {
  let [betweenMs, awayMs, unreadyMs] = [0, 0, 0];
  let freeMs = startMs;
  let beforeMs: number | undefined;
  for (const { atMs, backMs, readyMs } of restarts) {
    if (backMs === undefined || readyMs === undefined) return undefined;
    const waitedMs = Math.max(0, atMs - freeMs);
    if (beforeMs === undefined) beforeMs = waitedMs;
    else betweenMs += waitedMs;
    awayMs += backMs - atMs;
    unreadyMs += readyMs - backMs;
    freeMs = readyMs;
  }
  if (beforeMs === undefined) return undefined;
  return { beforeMs, awayMs, unreadyMs, betweenMs: betweenMs + Math.max(0, endMs - freeMs) };
}
