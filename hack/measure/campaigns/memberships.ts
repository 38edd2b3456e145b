import { say } from "../../local-cluster/progress.ts";
import { longestGap } from "../block-gaps.ts";
import { campaign } from "../campaign.ts";
import {
  askForMembers,
  missing,
  type Side,
  type Size,
  settled,
  startSide,
  takenOver,
} from "../membership-side.ts";
import { provideNamespace } from "../namespaces.ts";
import { statusOf } from "../operated-cluster.ts";
import { podsOf } from "../pods.ts";
import { requireLocal } from "../provide-cluster.ts";
import { pause, pollUntil, type Session } from "../session.ts";
import { keepLooking, LOOK_EVERY_MS, readAll } from "../survey-looks.ts";
import { duration } from "../table.ts";
import { sendToLeader } from "../transactions.ts";
import { type Change, membershipsReport } from "./memberships-report.ts";

const BLOCK_TIME = "200ms";
const TIMEOUT_MS = 360_000;
const BLOCKS_BETWEEN = 25;
const sizes = [1, 3, 5, 3, 1] as const;

/** One chain with one, three, five, three and one members: for how long blocks stop, and whether it stays one chain. */
export const memberships = campaign({
  name: "memberships",
  about:
    "the number of members changed from one to five and back: how long blocks stop, and whether the chain stays one",
  options: {
    rounds: { full: 2, short: 1, about: "times from one to five and back" },
    changes: { full: 4, short: 2, about: "changes in each of them" },
    skipped: {
      full: 0,
      short: 0,
      about: "changes before those that are left out: the chain begins with what they lead to",
    },
    "rest-seconds": {
      full: 660,
      short: 0,
      about: "between changes: Kubernetes forgets restarts after ten minutes",
    },
  },
  async run(session, { rounds, changes, skipped, "rest-seconds": restSeconds }) {
    requireLocal(session);
    const namespace = await provideNamespace(session, "memberships");
    const replicas = sizes[skipped] ?? sizes[0];
    const wish = { namespace, name: "chain", replicas, blockTime: BLOCK_TIME } as const;
    const side = await startSide(session, wish);
    const seen: Change[] = [];
    for (let number = 0; number < rounds * changes; number += 1) {
      if (number > 0) await keepLooking(session, side, () => pause(restSeconds * 1_000, session));
      const step = (number % changes) + 1;
      // A round that is cut short goes back the way that it came.
      const to = sizes[step === changes && step > 1 && changes < 4 ? skipped : skipped + step] ?? 1;
      const one = await changeTo(session, side, to, number);
      seen.push(one);
      say(`change ${number + 1}, ${one.from} to ${one.to}: ${describe(one)}`);
    }
    await readAll(session, side);
    return membershipsReport(seen, [...side.survey.problems(), ...side.survey.replaced()]);
  },
});

async function changeTo(session: Session, side: Side, to: Size, number: number): Promise<Change> {
  const { survey } = side;
  const from = side.members.count;
  const before = survey.top();
  const sender = await sendToLeader(session, side.members, `change-${number}`);
  const timing = await keepLooking(session, side, async () => {
    const isEnough = async () => (survey.top() >= before + BLOCKS_BETWEEN ? true : undefined);
    await pollUntil(isEnough, { everyMs: LOOK_EVERY_MS, timeoutMs: TIMEOUT_MS }, session);
    const kept = await settled(session, side.members, sender);
    const startMs = performance.now();
    const told = await ask(session, side, to);
    await takenOver(session, side, to);
    return { kept, told, tookMs: performance.now() - startMs };
  });
  await sender.stop();
  const toldTop = survey.top();
  const isOn = async () => {
    await survey.look(await podsOf(session, side.members));
    return survey.top() >= toldTop + 3 ? true : undefined;
  };
  await pollUntil(isOn, { everyMs: LOOK_EVERY_MS, timeoutMs: TIMEOUT_MS }, session);
  const lost = await missing(session, side.members, timing.kept);
  const gap = longestGap(survey.times().filter(({ height }) => height >= before));
  return {
    from,
    to,
    gapMs: gap?.ms,
    toldGapMs: timing.told.gapMs,
    lastHeight: timing.told.height,
    tookMs: timing.tookMs,
    kept: timing.kept.length,
    lost,
  };
}

/** Edits the spec, and waits for the end that the status tells. */
async function ask(session: Session, side: Side, replicas: Size) {
  const epoch = await askForMembers(session, side.members, replicas);
  const isOver = async () => {
    const { membership } = await statusOf(session, side.members);
    const { lastChange } = membership ?? {};
    if (lastChange?.epoch !== epoch) return undefined;
    if (lastChange?.result === "TakenBack") throw new Error(`it was taken back: ${lastChange.message}`);
    return lastChange?.result === "Completed" ? lastChange : undefined;
  };
  const told = await pollUntil(isOver, { everyMs: LOOK_EVERY_MS, timeoutMs: TIMEOUT_MS }, session);
  if (told === undefined) throw new Error(`the cluster does not have ${replicas} members within the time`);
  return told;
}

function describe({ gapMs, toldGapMs, lastHeight, tookMs, kept, lost }: Change): string {
  const stop = `no block for ${duration(gapMs)} after block ${lastHeight ?? "?"}, told as ${duration(toldGapMs)}`;
  return `${stop}; all there after ${duration(tookMs)}; ${kept - lost.length} of ${kept} transactions kept`;
}
