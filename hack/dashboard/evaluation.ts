import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A series as promtool's tests take it: one value for each interval. */
interface InputSeries {
  readonly series: string;
  readonly values: string;
}

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Query {
  readonly expr: string;
  readonly atSeconds: number;
}

/**
 * What Prometheus itself answers to each of the queries. promtool has no command that asks recorded series; but a test
 * that expects what cannot be says what was there instead.
 */
export function evaluated(
  promtool: string,
  intervalSeconds: number,
  series: readonly InputSeries[],
  queries: readonly Query[],
): readonly (readonly Sample[])[] {
  const impossible = [{ labels: "nothing_is_called_this", value: 0 }];
  const promql_expr_test = queries.map(({ expr, atSeconds }) => ({
    expr,
    eval_time: `${atSeconds}s`,
    exp_samples: impossible,
  }));
  const tests = [{ interval: `${intervalSeconds}s`, input_series: series, promql_expr_test }];
  const scratch = mkdtempSync(join(tmpdir(), "dashboard-"));
  try {
    const file = join(scratch, "queries.yaml");
    writeFileSync(file, JSON.stringify({ evaluation_interval: `${intervalSeconds}s`, tests }));
    const limits = { encoding: "utf8", maxBuffer: 256 * 1024 * 1024 } as const;
    const { stdout, stderr } = spawnSync(promtool, ["test", "rules", file], limits);
    const answers = readAnswers(`${stdout}\n${stderr}`);
    if (answers.length === queries.length) return answers;
    throw new Error(
      `promtool answered ${answers.length} of ${queries.length} queries: ${stderr.slice(0, 500)}`,
    );
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Of what promtool says of tests that failed, in their order. */
export function readAnswers(said: string): readonly (readonly Sample[])[] {
  return [...said.matchAll(/^\s+got: (.*)$/gm)].map(([, text = ""]) =>
    [...text.matchAll(/(\{(?:"(?:[^"\\]|\\.)*"|[^}"])*\}) (\S+?)(?=, |$)/g)].map(
      ([, labels = "", value]) => ({
        labels: labelsIn(labels),
        value: Number(value === "+Inf" ? Number.POSITIVE_INFINITY : value),
      }),
    ),
  );
}

function labelsIn(text: string): Readonly<Record<string, string>> {
  const pairs = [...text.matchAll(/(\w+)=("(?:[^"\\]|\\.)*")/g)];
  return Object.fromEntries(pairs.map(([, name = "", value = '""']) => [name, JSON.parse(value) as string]));
}
