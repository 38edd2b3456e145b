import { kinds } from "../../../src/model/kinds.ts";
import { EVNODE_CONTAINER } from "../../../src/model/member.ts";
import type { Pod } from "../../../src/model/objects.ts";
import { say } from "../../local-cluster/progress.ts";
import { longestGap } from "../block-gaps.ts";
import { campaign } from "../campaign.ts";
import { ChainSurvey } from "../chain-survey.ts";
import { followStart } from "../joining.ts";
import { provideNamespace } from "../namespaces.ts";
import {
  manifestOf,
  type OperatedCluster,
  operatedCluster,
  removeCluster,
  statusOf,
} from "../operated-cluster.ts";
import { podsOf } from "../pods.ts";
import { requireLocal } from "../provide-cluster.ts";
import { rolesOf } from "../roles-now.ts";
import { pause, pollUntil, type Session } from "../session.ts";
import { keepLooking, LOOK_EVERY_MS, readAll } from "../survey-looks.ts";
import { duration } from "../table.ts";
import { sendToLeader } from "../transactions.ts";
import { type VolumeFault, volumeFaults } from "../volume-faults.ts";
import { type Repair, repairsReport } from "./repairs-report.ts";

const REPLICAS = 3;
const TIMEOUT_MS = 300_000;
/** A log that reaches back for a few seconds only, so that a member can be away for longer. */
const raft = { snapshotThreshold: 60, trailingLogs: 60 };

/** Volumes lost and damaged under load, one member at a time: what the operator does, and how long it takes. */
export const repairs = campaign({
  name: "repairs",
  about:
    "volumes of members lost, emptied and overwritten under load: time until all take part, and the chain",
  options: {
    runs: { full: 5, short: 1, about: "times that each fault happens" },
    faults: { full: 7, short: 2, about: "up to which kind of fault, in the order of the table" },
    skip: { full: 0, short: 0, about: "how many kinds of fault to leave out at the beginning" },
    "held-seconds": { full: 260, short: 20, about: "how long a member is held back" },
  },
  async run(session, options) {
    requireLocal(session);
    const namespace = await provideNamespace(session, "repairs");
    const found: Repair[] = [];
    const problems: string[] = [];
    const faults = volumeFaults(options["held-seconds"] * 1_000).slice(options.skip, options.faults);
    for (const [index, fault] of faults.entries()) {
      const wish = { namespace, name: `chain-${index}`, replicas: REPLICAS, blockTime: "200ms" } as const;
      const cluster = operatedCluster(wish);
      const more = { repair: { maxPerHour: 8 }, raft };
      await session.api.create(kinds.cluster, manifestOf({ ...wish, more }));
      const survey = new ChainSurvey(REPLICAS);
      for (let run = 1; run <= options.runs; run += 1) {
        const repair = await tryFault(session, { cluster, survey, fault });
        found.push(repair);
        say(`${fault.name}, ${run} of ${options.runs}: ${describe(repair)}`);
      }
      problems.push(...survey.problems(), ...survey.replaced());
      await removeCluster(session, cluster);
    }
    return repairsReport(found, problems);
  },
});

interface Trial {
  readonly cluster: OperatedCluster;
  readonly survey: ChainSurvey;
  readonly fault: VolumeFault;
}

async function tryFault(session: Session, { cluster, survey, fault }: Trial): Promise<Repair> {
  const { missing: notUp } = await followStart(session, cluster, performance.now(), TIMEOUT_MS);
  const pod = notUp === undefined ? await victim(session, cluster, fault) : undefined;
  const bare = { fault: fault.name, member: pod?.metadata.name ?? "?", rebuilt: false };
  if (!pod)
    return {
      ...bare,
      inSyncMs: undefined,
      gapMs: undefined,
      wrongs: [`not up: ${notUp ?? "no member for it"}`],
    };
  const member = pod.metadata.name;
  const sender = await sendToLeader(session, cluster, `${member}-${performance.now()}`);
  const before = await lastRepair(session, cluster);
  const surveyed = { members: cluster, survey };
  await readAll(session, surveyed);
  const from = survey.top();
  const startMs = performance.now();
  try {
    const { missing, inSyncMs } = await keepLooking(session, surveyed, async () => {
      await fault.happen(session, cluster, pod);
      if (fault.keepsProcess !== true) await isAnother(session, cluster, pod);
      const back = await followStart(session, cluster, performance.now(), TIMEOUT_MS);
      const tookMs = performance.now() - startMs;
      await pause(2_000, session);
      return { missing: back.missing, inSyncMs: tookMs };
    });
    await readAll(session, surveyed);
    const recent = survey.times().filter(({ height }) => height >= from);
    const after = await lastRepair(session, cluster);
    return {
      ...bare,
      inSyncMs: missing === undefined ? inSyncMs : undefined,
      gapMs: longestGap(recent)?.ms,
      rebuilt: after > before,
      wrongs: missing === undefined ? [] : [`not back: ${missing}`],
    };
  } finally {
    await sender.stop();
  }
}

/** Waits until the member runs another process than it did, or none. */
async function isAnother(session: Session, cluster: OperatedCluster, before: Pod): Promise<void> {
  const { name } = before.metadata;
  const look = async () => {
    const now = (await podsOf(session, cluster)).find(({ metadata }) => metadata.name === name);
    return processOf(now) !== processOf(before) ? true : undefined;
  };
  await pollUntil(look, { everyMs: LOOK_EVERY_MS, timeoutMs: TIMEOUT_MS }, session);
}

async function victim(
  session: Session,
  cluster: OperatedCluster,
  { of }: VolumeFault,
): Promise<Pod | undefined> {
  const { leader, followers } = await rolesOf(await podsOf(session, cluster));
  return of === "leader" ? leader : followers[0];
}

async function lastRepair(session: Session, cluster: OperatedCluster): Promise<number> {
  const times = ((await statusOf(session, cluster)).repairs ?? []).map(({ at }) => Date.parse(at ?? ""));
  return Math.max(0, ...times);
}

function processOf(pod: Pod | undefined): string | undefined {
  const evnode = pod?.status?.containerStatuses?.find(({ name }) => name === EVNODE_CONTAINER);
  return evnode?.state?.running === undefined ? undefined : evnode.containerID;
}

function describe({ member, inSyncMs, gapMs, rebuilt, wrongs }: Repair): string {
  const how = rebuilt ? "rebuilt" : "came back by itself";
  const wrong = wrongs.map((text) => `; WRONG: ${text}`).join("");
  return `${member} ${how}, all in sync after ${duration(inSyncMs)}, longest gap ${duration(gapMs)}${wrong}`;
}
