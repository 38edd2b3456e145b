import { randomInt } from "node:crypto";
import { seededRandom } from "../../../test/runtime/seeded-random.ts";
import { say } from "../../local-cluster/progress.ts";
import { sharedTiming } from "../both-timings.ts";
import { campaign, type Report } from "../campaign.ts";
import {
  type Chance,
  drained,
  editedAndOperatorKilled,
  leaderKilled,
  leaseMoved,
  planApproved,
} from "../disturbances.ts";
import { provideNamespace } from "../namespaces.ts";
import { provideOwnOperators } from "../own-operator.ts";
import { requireLocal } from "../provide-cluster.ts";
import { operatedSide } from "../rollout-sides.ts";
import { type Disturbance, rollInStorm, type StormyRollout } from "../rollout-storm.ts";
import { pause, type Session } from "../session.ts";
import { summaryOf } from "../statistics.ts";
import { duration } from "../table.ts";

const SETTLE_MS = 3_000;

/** Rollouts that are disturbed at random moments: what must never happen does not, and the end is the right one. */
export const rolloutStorms = campaign({
  name: "rollout-storms",
  about: "rollouts while leaders are killed, the spec changes, operators are killed and nodes are drained",
  options: {
    kills: { full: 20, short: 1, about: "rollouts in which the leader is killed with SIGKILL" },
    drains: { full: 20, short: 0, about: "rollouts during which somebody evicts members" },
    edits: { full: 30, short: 0, about: "rollouts with two more changes, the operator killed after each" },
    leases: { full: 5, short: 0, about: "rollouts in which the operator with the Lease stands still" },
    plans: { full: 1, short: 0, about: "rollouts in mode Plan, approved after a while" },
    "plan-seconds": { full: 600, short: 0, about: "how long a plan waits for its approval" },
    seed: { full: 0, short: 0, about: "of the random moments; 0 draws one" },
  },
  async run(session, options) {
    requireLocal(session);
    const seed = options.seed === 0 ? randomInt(1, 1_000_000) : options.seed;
    say(`seed ${seed}`);
    const chance = { session, random: seededRandom(seed) };
    const storms: Storms = { session, done: [], problems: [] };
    if (options.kills + options.drains > 0) {
      const namespace = await provideNamespace(session, "storms");
      await repeat(storms, namespace, {
        name: "leader killed",
        count: options.kills,
        disturb: leaderKilled(chance),
      });
      await repeat(storms, namespace, { name: "drained", count: options.drains, disturb: drained(chance) });
    }
    if (options.plans > 0) {
      const namespace = await provideNamespace(session, "plans");
      const disturb = planApproved(session, options["plan-seconds"] * 1_000);
      await repeat(storms, namespace, { name: "plan approved", count: options.plans, disturb, mode: "Plan" });
    }
    if (options.edits + options.leases > 0) await withOwnOperators(storms, chance, options);
    return stormsReport(storms.done, storms.problems, seed);
  },
});

interface Storms {
  readonly session: Session;
  readonly done: StormyRollout[];
  readonly problems: string[];
}

interface Storm {
  readonly name: string;
  readonly count: number;
  readonly disturb: Disturbance;
  readonly mode?: "Plan";
}

/** Each on a new cluster: Kubernetes holds a container back that ended in its pod not long before. */
async function repeat({ session, done, problems }: Storms, namespace: string, storm: Storm): Promise<void> {
  const { mode } = storm;
  const { timing } = sharedTiming(false);
  for (let index = 0; index < storm.count; index += 1) {
    const wish = { namespace, replicas: 3, index: done.length, timing, ...(mode && { mode }) } as const;
    const side = await operatedSide(session, wish);
    await pause(SETTLE_MS, session);
    const rollout = await rollInStorm(session, side, storm.name, storm.disturb);
    done.push(rollout);
    problems.push(...side.survey.problems());
    say(`${storm.name}, ${index + 1} of ${storm.count}: ${describe(rollout)}`);
    await side.remove();
  }
}

/** In a namespace that an operator of this campaign looks after, and then two of them. */
async function withOwnOperators(
  storms: Storms,
  chance: Chance,
  { edits, leases }: { readonly edits: number; readonly leases: number },
): Promise<void> {
  const namespace = await provideNamespace(storms.session, "storms-own");
  const newOperator = await provideOwnOperators(storms.session, namespace);
  const operator = await newOperator("first");
  await operator.start();
  const edited = editedAndOperatorKilled(chance, operator);
  await repeat(storms, namespace, { name: "edited, operator killed", count: edits, disturb: edited });
  if (leases === 0) return;
  const other = await newOperator("second");
  await other.start();
  const both = new Map([
    ["first", operator],
    ["second", other],
  ]);
  await repeat(storms, namespace, { name: "Lease moved", count: leases, disturb: leaseMoved(chance, both) });
}

function describe({ durationMs, gapMs, order, leaders, mostAway, wrongs }: StormyRollout): string {
  const how = `over after ${duration(durationMs)}, longest gap ${duration(gapMs)}, at most ${mostAway} away`;
  return [how, `restarted ${order.join(", ")}`, `led by ${leaders.join(" -> ")}`, ...wrongs.map(wrong)].join(
    "; ",
  );
}

const wrong = (text: string) => `WRONG: ${text}`;

export function stormsReport(
  rollouts: readonly StormyRollout[],
  problems: readonly string[],
  seed: number,
): Report {
  const groups = [...Map.groupBy(rollouts, ({ storm }) => storm)];
  return {
    tables: [
      {
        title: `Rollouts that were disturbed (seed ${seed})`,
        columns: [
          "",
          "rollouts",
          "median",
          "worst",
          "longest gap, median",
          "worst",
          "most away at once",
          "wrong",
        ],
        rows: groups.map(([storm, all]) => row(storm, all)),
      },
    ],
    notes: [
      "Wrong is a member that is restarted and runs what it ran, a leader before another member, a restart without a majority beside it, a block that was replaced, and an end that does not come.",
    ],
    failures: [
      ...problems.map((problem) => `the chain: ${problem}`),
      ...rollouts.flatMap(({ storm, wrongs }, index) =>
        wrongs.map((text) => `${index + 1}, ${storm}: ${text}`),
      ),
      ...rollouts
        .filter(({ storm, mostAway }) => storm === "drained" && mostAway > 1)
        .map(({ mostAway }) => `${mostAway} members were away at once while somebody drained`),
    ],
    values: rollouts,
  };
}

function row(storm: string, all: readonly StormyRollout[]): readonly string[] {
  const durations = summaryOf(all.map(({ durationMs }) => durationMs));
  const gaps = summaryOf(all.map(({ gapMs }) => gapMs));
  return [
    storm,
    String(all.length),
    duration(durations?.median),
    duration(durations?.worst),
    duration(gaps?.median),
    duration(gaps?.worst),
    String(Math.max(...all.map(({ mostAway }) => mostAway))),
    String(all.filter(({ wrongs }) => wrongs.length > 0).length),
  ];
}
