import { stringify } from "yaml";
import type { EvNodeCluster } from "../api/evnodecluster.ts";
import type { Diagnosis, ToldEvent } from "./diagnosis.ts";
import { plain } from "./paint.ts";
import { statusTree } from "./status-tree.ts";
import { renderTable } from "./table.ts";
import { renderTree } from "./tree.ts";
import { whyText } from "./why-text.ts";

/** A page for an issue or a colleague: what people look at first, then all that was collected. */
export function diagnosisText(found: Diagnosis, nowMs: number): readonly string[] {
  const { at, versions, why, cluster, events, members, statefulSet, claims, services, disruptionBudget } =
    found;
  return [
    `# EvNodeCluster ${why.cluster}`,
    "",
    `Collected at ${at} with kubectl evnode ${versions.plugin} from Kubernetes ${versions.kubernetes}. No Secret was read.`,
    ...section("State", renderTree(statusTree(cluster as EvNodeCluster, nowMs, plain))),
    ...section("Why", whyText(why, plain)),
    ...section("Events", eventLines(events)),
    ...section("Members", yamlLines(members)),
    ...section("EvNodeCluster", yamlLines(cluster)),
    ...section("StatefulSet", yamlLines(statefulSet)),
    ...section("Volume claims", yamlLines(claims)),
    ...section("Services", yamlLines(services)),
    ...section("Disruption budget", yamlLines(disruptionBudget)),
  ];
}

const section = (title: string, lines: readonly string[]): readonly string[] => [
  "",
  `## ${title}`,
  "",
  ...fenced(lines),
];

/** Longer than any fence in a text from outside. */
function fenced(lines: readonly string[]): readonly string[] {
  const fence = "`".repeat(
    Math.max(3, ...lines.map((line) => (/^\s*(`{3,})/.exec(line)?.[1]?.length ?? 2) + 1)),
  );
  return [fence, ...lines, fence];
}

const yamlLines = (value: unknown): readonly string[] =>
  stringify(value, { lineWidth: 0 }).trimEnd().split("\n");

function eventLines(events: Diagnosis["events"]): readonly string[] {
  if (!isListed(events)) return [`not read: ${events.unread}`];
  if (events.length === 0) return ["none"];
  return renderTable(
    events.map(({ at, about, type, reason, count, note }) => [
      at,
      type,
      reason,
      about,
      count === 1 ? "" : `x${count}`,
      note.replaceAll("\n", " "),
    ]),
  );
}

const isListed = (events: Diagnosis["events"]): events is readonly ToldEvent[] => Array.isArray(events);
