import type { Sample } from "./evaluation.ts";
import type { Panel } from "./panels.ts";

/** The answers to one target of a panel: one list of samples for each moment. */
export type Answers = readonly (readonly Sample[])[];

export interface DrawnPanel {
  readonly panel: Panel;
  /** By target. */
  readonly answers: readonly Answers[];
}

/** A line of a graph: a value for each moment, or none. */
export interface Line {
  readonly name: string;
  readonly values: readonly (number | undefined)[];
}

/** The lines of a panel in the order of their names, each target by itself, as Grafana names them. */
export function linesOf({ panel, answers }: DrawnPanel): readonly Line[] {
  return panel.targets.flatMap(({ legendFormat }, at) => {
    const moments = answers[at] ?? [];
    const names = new Set(
      moments.flatMap((samples) => samples.map(({ labels }) => nameOf(legendFormat, labels))),
    );
    return [...names].toSorted().map((name) => ({
      name,
      values: moments.map(
        (samples) => samples.find(({ labels }) => nameOf(legendFormat, labels) === name)?.value,
      ),
    }));
  });
}

export const nameOf = (format: string, labels: Sample["labels"]): string =>
  format.replaceAll(/\{\{(\w+)\}\}/g, (_, label: string) => labels[label] ?? "");

/** Each line on top of those before it. */
export function stacked(lines: readonly Line[]): readonly Line[] {
  const sums: number[] = [];
  return lines.map(({ name, values }) => ({
    name,
    values: values.map((value, at) => {
      if (value === undefined) return undefined;
      const sum = (sums[at] ?? 0) + value;
      sums[at] = sum;
      return sum;
    }),
  }));
}
