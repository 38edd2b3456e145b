import { memberName } from "../../../src/model/names.ts";
import { say } from "../../local-cluster/progress.ts";
import { campaign } from "../campaign.ts";
import { type Became, changeWithFaults, type Notes, type Trial } from "../faulted-change.ts";
import { inLanes } from "../lanes.ts";
import { faultCases } from "../membership-fault-cases.ts";
import { volumesFor } from "../membership-faults.ts";
import { type Side, startSide } from "../membership-side.ts";
import { provideNamespace } from "../namespaces.ts";
import { operatedCluster, removeCluster, statusOf } from "../operated-cluster.ts";
import { requireLocal } from "../provide-cluster.ts";
import { pause, type Session } from "../session.ts";
import { removeLeftVolumes } from "../small-volumes.ts";
import { longestStandstill, toldIn } from "../standstill.ts";
import { keepLooking, LOOK_EVERY_MS } from "../survey-looks.ts";
import { duration } from "../table.ts";
import { type FaultedChange, membershipFaultsReport, wrongsOf } from "./membership-faults-report.ts";

const BLOCK_TIME = "200ms";
/** Beyond the deadline of a change the old members need their time to start again. */
const GO_ON_MS = 60_000;

/** One fault in each phase of a change of the number of members: the old set goes on or the new one, never both. */
export const membershipFaults = campaign({
  name: "membership-faults",
  about:
    "one fault in each phase of a change of the number of members: whether the chain stays one and goes on",
  options: {
    cases: { full: faultCases.length, short: 2, about: "up to which case, in the order of the table" },
    skip: { full: 0, short: 0, about: "how many cases to leave out at the beginning" },
    "at-once": { full: 2, short: 2, about: "cases side by side, but for those that kill the operator" },
  },
  async run(session, { cases, skip, "at-once": atOnce }) {
    requireLocal(session);
    const namespace = await provideNamespace(session, "membership-faults");
    await removeLeftVolumes(session);
    const numbered = faultCases.map((one, index) => ({ ...one, number: index + 1, namespace }));
    const chosen = numbered.slice(skip, cases);
    const ofAll = chosen.filter(({ moments }) => moments.some(({ fault }) => fault.isOfAll));
    const tryOne = async (one: Trial) => tryCase(session, one);
    const seen = [
      ...(await inLanes(
        atOnce,
        chosen.filter((one) => !ofAll.includes(one)),
        tryOne,
      )),
      ...(await inLanes(1, ofAll, tryOne)),
    ];
    return membershipFaultsReport(seen);
  },
});

async function tryCase(session: Session, trial: Trial): Promise<FaultedChange> {
  const { number, from, to, moments, ends, stopWithinSeconds } = trial;
  const notes: Notes = { looks: [], latest: {}, phase: moments.at(-1)?.phase ?? "" };
  const startMs = performance.now();
  const boundMs = stopWithinSeconds * 1_000 + GO_ON_MS;
  let found: Partial<Became>;
  try {
    found = await changeOfItsOwn(session, trial, notes);
  } catch (error) {
    session.signal.throwIfAborted();
    found = { failed: error instanceof Error ? error.message : String(error) };
  }
  const one: FaultedChange = {
    number,
    change: `${from} to ${to}${trial.isSuspended ? ", resumed" : ""}`,
    phase: notes.phase,
    fault: moments.map(({ fault }) => fault.name).join("; then "),
    expected: ends,
    outcome: undefined,
    message: toldIn(notes.latest),
    boundMs,
    standstill: longestStandstill(notes.looks, boundMs),
    gapMs: undefined,
    tookMs: performance.now() - startMs,
    problems: [],
    ...found,
  };
  say(describe(one));
  return one;
}

/** On a cluster of its own, which goes afterwards. */
async function changeOfItsOwn(session: Session, trial: Trial, notes: Notes): Promise<Became> {
  const { namespace, number, from, to, moments, stopWithinSeconds } = trial;
  const more = { membership: { stopWithinSeconds } };
  const wish = { namespace, name: `chain-${number}`, replicas: from, blockTime: BLOCK_TIME, more } as const;
  const cluster = operatedCluster(wish);
  const faults = moments.map(({ fault }) => fault);
  const volumes = await volumesFor(session, cluster, { from, to, faults });
  try {
    const side = await startSide(session, wish);
    return await watched(session, side, notes, async () => {
      const { leader = memberName(cluster.name, 0) } = await statusOf(session, cluster);
      const scene = { session, members: cluster, from, to, leader, volumes };
      return changeWithFaults(session, { trial, side, scene, notes });
    });
  } finally {
    await removeCluster(session, cluster);
    for (const volume of volumes.values()) await volume.remove();
  }
}

/** Reads every block and every status for as long as it takes. */
async function watched<T>(session: Session, side: Side, notes: Notes, work: () => Promise<T>): Promise<T> {
  const over = new AbortController();
  const looking = (async () => {
    while (!over.signal.aborted) {
      notes.latest = await statusOf(session, side.members);
      notes.looks.push({ atMs: performance.now(), top: side.survey.top(), told: toldIn(notes.latest) });
      await pause(LOOK_EVERY_MS, session);
    }
  })();
  try {
    return await keepLooking(session, side, work);
  } finally {
    over.abort();
    await looking;
  }
}

function describe(one: FaultedChange): string {
  const { number, change, phase, fault, outcome = "not over", gapMs, standstill, message = "" } = one;
  const wrongs = wrongsOf(one).map((wrong) => `; WRONG: ${wrong}`);
  const stop = duration(gapMs ?? standstill.ms);
  return `${number}, ${change}, ${phase}, ${fault}: ${outcome}, no block for ${stop} ${message}${wrongs.join("")}`;
}
