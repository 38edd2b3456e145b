import { annotations } from "../../src/model/annotations.ts";
import { majorityOf } from "../../src/model/majority.ts";
import { EVNODE_CONTAINER } from "../../src/model/member.ts";
import type { Pod } from "../../src/model/objects.ts";
import { readPodUpdate } from "../../src/model/pod-update.ts";
import { type Restart, restartsOf, runningContainer } from "./rollout-analysis.ts";
import type { Sightings } from "./rollout-probe.ts";

/** A member whose ev-node or pod the campaign itself ended. */
export interface Kill {
  readonly member: string;
  readonly atMs: number;
}

/** Members are asked ten times a second: a process may answer last a little before it is killed. */
const SAMPLING_MS = 1_000;
/** Nobody could know of a kill that is so fresh. */
const UNSEEN_MS = 2_000;

/** What must not happen while a change is taken to the members, whatever else happens. */
export function wrongsOf(sightings: Sightings, kills: readonly Kill[], maxBehind: number): readonly string[] {
  const restarts = withoutKills(restartsOf(sightings), kills);
  return [
    ...twiceInPlace(sightings),
    ...restarts.flatMap((restart) => againWithout(sightings, restart, restarts)),
    ...restarts.filter(({ led }) => led).flatMap((restart) => tooEarly(sightings, restart)),
    ...restarts.flatMap((restart) => withoutQuorum(restart, kills, maxBehind)),
  ];
}

/** Each kill ends one process of its member: the first that ended from then on. */
function withoutKills(restarts: readonly Restart[], kills: readonly Kill[]): readonly Restart[] {
  const explained = new Set(
    kills.map((kill) =>
      restarts.find(({ member, atMs }) => member === kill.member && atMs > kill.atMs - SAMPLING_MS),
    ),
  );
  return restarts.filter((restart) => !explained.has(restart));
}

/** What a member ran at this moment: image and revision of its configuration. */
function contentAt({ pods }: Sightings, member: string, atMs: number): string | undefined {
  let content: string | undefined;
  let process: string | undefined;
  for (const change of pods) {
    if (change.object.metadata.name !== member) continue;
    const container = runningContainer(change.object);
    if (container === undefined || container === process) continue;
    if (change.atMs > atMs && content !== undefined) return content;
    process = container;
    content = contentOf(change.object);
  }
  return content;
}

function contentOf({ metadata, spec }: Pod): string {
  const image = spec?.containers.find(({ name }) => name === EVNODE_CONTAINER)?.image ?? "";
  const grace = spec?.terminationGracePeriodSeconds ?? 0;
  return `${image} ${metadata.annotations?.[annotations.configRevision]} ${grace}`;
}

const afterOf = ({ atMs, backMs, readyMs }: Restart) => readyMs ?? backMs ?? atMs;

/** A process is seen with a change that its pod got a moment later, so what the operator noted counts more. */
function againWithout(
  sightings: Sightings,
  { member, atMs, isSamePod, ...restart }: Restart,
  restarts: readonly Restart[],
): readonly string[] {
  const before = contentAt(sightings, member, atMs);
  const after = contentAt(sightings, member, afterOf({ member, atMs, isSamePod, ...restart }));
  if (before !== after) return [];
  const inPlace = restarts.filter((other) => other.member === member && other.isSamePod).length;
  const noted = actsOf(sightings).filter((act) => act.member === member).length;
  if (isSamePod && inPlace <= noted) return [];
  return [`${member} was restarted and runs what it ran: ${after}`];
}

interface Act {
  readonly member: string;
  /** One restart for one revision, of one pod. */
  readonly target: string;
}

/** Restarts in place that the operator noted on the pods: it names a time for each. */
function actsOf({ pods }: Sightings): readonly Act[] {
  const acts = new Map<string, Act>();
  for (const { object } of pods) {
    const { name, uid, annotations: notes } = object.metadata;
    const update = readPodUpdate(notes?.[annotations.update]);
    if (update?.given !== true || update.container === undefined || update.onDemand) continue;
    const target = `${name} (pod ${uid}, revision ${update.revision})`;
    acts.set(`${target} ${update.at}`, { member: name, target });
  }
  return [...acts.values()];
}

function twiceInPlace(sightings: Sightings): readonly string[] {
  return [...Map.groupBy(actsOf(sightings), ({ target }) => target)].flatMap(([target, { length }]) =>
    length > 1 ? [`${target} was restarted ${length} times for one revision`] : [],
  );
}

/**
 * What a restart was for, by the operator's note on the pod: a change that comes while the member is on its way up is
 * given to it at once, and is seen with the new process.
 */
function wantedBy({ pods }: Sightings, { member, atMs }: Restart): string | undefined {
  const seen = pods.filter(({ object }) => object.metadata.name === member);
  const ended = seen.findLast(
    (change) => change.atMs <= atMs && runningContainer(change.object) !== undefined,
  );
  const container = ended && runningContainer(ended.object);
  const act = seen.find(({ object }) => {
    const update = readPodUpdate(object.metadata.annotations?.[annotations.update]);
    return container !== undefined && update?.given === true && update.container === container;
  });
  return act && contentOf(act.object);
}

function tooEarly(sightings: Sightings, restart: Restart): readonly string[] {
  const wanted = wantedBy(sightings, restart) ?? contentAt(sightings, restart.member, afterOf(restart));
  return restart.others
    .filter(({ member }) => contentAt(sightings, member, restart.atMs) !== wanted)
    .map(({ member }) => `${restart.member}, the leader, was restarted before ${member}`);
}

function withoutQuorum(
  { member, atMs, others }: Restart,
  kills: readonly Kill[],
  maxBehind: number,
): readonly string[] {
  const isUnseen = kills.some((kill) => kill.atMs < atMs + UNSEEN_MS && kill.atMs > atMs - UNSEEN_MS);
  const well = others.filter(({ blocks }) => blocks !== undefined && blocks <= maxBehind).length;
  if (isUnseen || well >= majorityOf(others.length + 1)) return [];
  const lags = others.map((other) => `${other.member} ${other.blocks ?? "silent"}`).join(", ");
  return [`${member} was restarted without a majority beside it (blocks behind: ${lags})`];
}

/** The most members that were away at one moment: from the last answer of one process to the first of the next. */
export function mostAway(restarts: readonly Restart[]): number {
  const counts = restarts.map(({ atMs }) => {
    const away = restarts.filter((other) => {
      return other.atMs <= atMs && (other.backMs === undefined || other.backMs > atMs);
    });
    return new Set(away.map(({ member }) => member)).size;
  });
  return Math.max(0, ...counts);
}
