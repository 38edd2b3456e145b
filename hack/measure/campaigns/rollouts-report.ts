import { defaultsV1 } from "../../../src/api/defaults.ts";
import type { Report } from "../campaign.ts";
import type { Phases } from "../rollout-analysis.ts";
import type { Rollout } from "../rollout-run.ts";
import type { SideName } from "../rollout-sides.ts";
import { ratio, summaryOf } from "../statistics.ts";
import { duration, type Table } from "../table.ts";

const { maxBlocksBehind } = defaultsV1.rollout;
/** Ours as a share of the StatefulSet's time, at most: where members are restarted in their pods, and where not. */
const goals = { image: 0.4, config: 0.4, replace: 1 };

type Group = readonly [name: string, rollouts: readonly Rollout[]];

/** `timing` says whose Raft time-outs both sides have. */
export function rolloutsReport(
  rollouts: readonly Rollout[],
  problems: readonly string[],
  timing: string,
): Report {
  const groups = [...Map.groupBy(rollouts, ({ kind, replicas }) => `${kind}, ${replicas} members`)];
  return {
    tables: [
      ...groups.map((group) => resultTable(group, timing)),
      phaseTable(groups),
      {
        title: "Duration, ours as a share of the StatefulSet's",
        columns: ratioColumns,
        rows: groups.map(ratioRow),
      },
    ],
    notes: [
      "Over is a rollout when every member runs another process with the new template, is Ready and level, and one leads.",
      "Restarts in place were measured on a cluster of the operator that had none before: Kubernetes holds a container back that ended twice within ten minutes. The StatefulSet makes new pods, to which that does not apply.",
      "Missed are the blocks that would have fitted into pauses of twice the block time and more.",
      ...rollouts.filter(({ side }) => side === "StatefulSet").flatMap(strangeOf),
    ],
    failures: [
      ...problems.map((problem) => `the operator's chain: ${problem}`),
      ...rollouts
        .filter(({ side }) => side === "operator")
        .flatMap((rollout, index) => {
          const name = `rollout ${index + 1} (${rollout.kind}, ${rollout.replicas} members)`;
          return failuresOf(rollout).map((text) => `${name}: ${text}`);
        }),
    ],
    values: rollouts,
  };
}

const sides: readonly SideName[] = ["operator", "StatefulSet"];
const of = (side: SideName, rollouts: readonly Rollout[]) =>
  rollouts.filter((rollout) => rollout.side === side);
const changesOf = ({ leaders }: Rollout) => Math.max(0, leaders.length - 1);

function resultTable([name, all]: Group, timing: string): Table {
  return {
    title: `Change of ${name}, with ${timing}`,
    columns: [
      "",
      "rollouts",
      "leader changes, median",
      "most",
      "longest gap, median",
      "worst",
      "blocks missed, median",
      "most",
      "duration, median",
      "best",
      "worst",
    ],
    rows: sides.map((side) => resultRow(side, of(side, all))),
  };
}

function resultRow(side: SideName, rollouts: readonly Rollout[]): readonly string[] {
  const counts = (values: readonly number[]) => {
    const summary = summaryOf(values);
    return summary ? [String(summary.median), String(summary.worst)] : ["-", "-"];
  };
  const gaps = summaryOf(rollouts.map(({ gapMs }) => gapMs));
  const durations = summaryOf(rollouts.map(({ durationMs }) => durationMs));
  return [
    side,
    String(rollouts.length),
    ...counts(rollouts.map(changesOf)),
    duration(gaps?.median),
    duration(gaps?.worst),
    ...counts(rollouts.map(({ blocksMissed }) => blocksMissed)),
    duration(durations?.median),
    duration(durations?.best),
    duration(durations?.worst),
  ];
}

function phaseTable(groups: readonly Group[]): Table {
  const row = (name: string, side: SideName, all: readonly Rollout[]) => {
    const median = (phase: keyof Phases) =>
      duration(summaryOf(of(side, all).map(({ phases }) => phases?.[phase]))?.median);
    return [
      `${name}, ${side}`,
      median("beforeMs"),
      median("awayMs"),
      median("unreadyMs"),
      median("betweenMs"),
    ];
  };
  return {
    title: "What the time is spent on (medians of the sums over all members)",
    columns: [
      "",
      "before the first restart",
      "members silent",
      "answering, not Ready",
      "between restarts, and the end",
    ],
    rows: groups.flatMap(([name, all]) => sides.map((side) => row(name, side, all))),
  };
}

const ratioColumns = ["", "median ratio", "worst ratio", "at most", ""];

function ratioRow([name, all]: Group): readonly string[] {
  const [ours, theirs] = sides.map((side) => summaryOf(of(side, all).map(({ durationMs }) => durationMs)));
  const goal = goals[all[0]?.kind ?? "image"];
  const isKnown = ours !== undefined && theirs !== undefined;
  const verdict = !isKnown ? "" : ours.median <= goal * theirs.median ? "met" : "not met";
  const worst = ratio(ours?.worst, theirs?.worst);
  return [name, ratio(ours?.median, theirs?.median), worst, String(goal), verdict];
}

/** What a rollout of ours must not be. */
export function failuresOf(rollout: Rollout): readonly string[] {
  const { missing, restarts, replicas, leaders, gapMs } = rollout;
  const members = new Set(restarts.map(({ member }) => member));
  const led = restarts.flatMap((restart, index) => (restart.led ? [index] : []));
  const expectations: readonly (readonly [isBad: boolean, text: string])[] = [
    [missing !== undefined, `it did not come to its end: ${missing}`],
    [changesOf(rollout) !== 1, `the leader changed ${changesOf(rollout)} times: ${leaders.join(" -> ")}`],
    [restarts.length !== members.size, `members were restarted more than once: ${orderOf(rollout)}`],
    [members.size !== replicas, `restarted were ${orderOf(rollout)}`],
    [led.join() !== String(restarts.length - 1), `the leader was not restarted last: ${orderOf(rollout)}`],
    [gapMs === undefined, "the gap could not be measured"],
  ];
  return [...expectations.filter(([isBad]) => isBad).map(([, text]) => text), ...lagging(rollout)];
}

function lagging({ restarts }: Rollout): readonly string[] {
  return restarts
    .filter(({ led }) => !led)
    .flatMap(({ member, others }) =>
      others
        .filter(({ blocks }) => blocks === undefined || blocks > maxBlocksBehind)
        .map((other) => {
          const state = other.blocks === undefined ? "silent" : `${other.blocks} blocks behind`;
          return `${member} was restarted while ${other.member} was ${state}`;
        }),
    );
}

function strangeOf({ missing, replaced, kind, replicas }: Rollout): readonly string[] {
  const what = [...(missing === undefined ? [] : [`not over: ${missing}`]), ...replaced];
  return what.map((text) => `StatefulSet, ${kind}, ${replicas} members: ${text}.`);
}

const orderOf = ({ restarts }: Rollout) =>
  restarts.map(({ member, led }) => `${member}${led ? " (leader)" : ""}`).join(", ");
