/** What a person reads of a run is told apart from what differs from run to run. */

/** Names of a run that would mislead whoever reads its output elsewhere, and what stands in their place. */
export type Renamed = readonly (readonly [found: string, shown: string])[];

/** The output as a page shows it: as it was, but for names that only this run has. */
export function shownText(output: string, renamed: Renamed): string {
  const lines = renamed
    .reduce((text, [found, shown]) => text.replaceAll(found, shown), output.trimEnd())
    .split("\n");
  return realigned(lines)
    .map((line) => line.trimEnd())
    .join("\n");
}

const GAP = / {3,}/;

/** Columns of a table fit again after their cells were renamed. */
function realigned(lines: readonly string[]): readonly string[] {
  const tables: string[][] = [];
  for (const line of lines) {
    const last = tables.at(-1);
    const isSameTable = last !== undefined && cellsOf(last[0] ?? "").length === cellsOf(line).length;
    if (isSameTable && cellsOf(line).length > 2) last.push(line);
    else tables.push([line]);
  }
  return tables.flatMap((table) => (table.length === 1 ? table : alignedTable(table.map(cellsOf))));
}

/** What a line is indented by belongs to its first cell. */
function cellsOf(line: string): readonly string[] {
  const [indent = ""] = /^[ │├└─]*/.exec(line) ?? [];
  const [first = "", ...rest] = line.slice(indent.length).split(GAP);
  return [indent + first, ...rest];
}

function alignedTable(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => Array.from(row[column] ?? "").length)),
  );
  return rows.map((row) => row.map((cell, column) => cell.padEnd((widths[column] ?? 0) + 3)).join(""));
}

/** What differs between two runs in which the same happened. */
const moving: readonly (readonly [found: RegExp, masked: string])[] = [
  [/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "TIME"],
  [/\b[0-9a-f]{10}\b/g, "HASH"],
  [/, recommended rttMax \d+ms/g, ""],
  [/longest round trip \d+ ms \(\S+ to \S+\)/g, "longest round trip"],
  [/\bRTT (\d+ ms|unknown)/g, "RTT"],
  [/\bheight \d+/g, "height N"],
  [/\b\d+ blocks?\b/g, "N blocks"],
  [/\b\d+ (behind|ms)\b/g, "N $1"],
  [/, \d+ leader changes? within the hour/g, ""],
  [/^(rollout .* done), leader changes .*/g, "$1"],
  [/^(last \w+ \S+).*/g, "$1"],
  // What a rule makes of a moment is another thing a moment later, but for what needs a person.
  [/^((?:\w+:? )+)needs you .*/g, "$1needs you"],
  [/^((?:\w+:? )+)(?:passed|waits|unknown|at work) .*/g, "$1"],
  [/^(default\/my-chain: the operator [^.]*\.).*/g, "$1"],
  [/^(refused: a change of the spec comes first):.*/g, "$1"],
  [/\b\d+[smhd]\b(?= ago|,)|(?<=took |for )\d+[smhd]\b/g, "AGE"],
  [/\bmy-chain-\d\b/g, "MEMBER"],
];

/**
 * What hangs below a member or another entry, what is not well at a moment, where to read about that, and a drill that
 * is asked for twice.
 */
const ofMoment =
  /^[│ ] [│ ]*[├└]─ (?!my-chain-\d {2,})|^[├└]─ not well$|^ {2}docs\/runbook\.md#|^Next:$|; asked again in \d+s$/;

/**
 * The same text for every run in which the same happened: which member leads is chance, and so are heights, ages and
 * hashes.
 */
export function steadyText(text: string): string {
  const lines = text.split("\n").filter((line) => !ofMoment.test(line));
  const masked = lines.map((line) => {
    const bare = line.replace(/^[ │├└─]+/, "").replaceAll(/ {2,}/g, " ");
    return moving.reduce((rest, [found, mask]) => rest.replaceAll(found, mask), rowOf(bare));
  });
  return inOrder(masked).join("\n");
}

/** In the list of clusters the numbers have no words beside them. */
function rowOf(line: string): string {
  return line.replace(/^(my-chain (?:True|False) \d\/\d) (\S+) \d+ (.*) \d+[smhd] /, "$1 $2 N $3 AGE ");
}

/** Members stand by their number, and any of them may lead. */
function inOrder(lines: readonly string[]): readonly string[] {
  const isMember = (line: string) => / (Leader|Follower) /.test(line);
  const first = lines.findIndex(isMember);
  const count = lines.slice(Math.max(0, first)).findIndex((line) => !isMember(line));
  if (first === -1) return lines;
  const end = count === -1 ? lines.length : first + count;
  return [...lines.slice(0, first), ...lines.slice(first, end).toSorted(), ...lines.slice(end)];
}
