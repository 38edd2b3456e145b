import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { promtoolPath } from "../../hack/local-cluster/go-build.ts";
import { MAIN } from "../sim/run/wanted.ts";
import { INTERVAL_S, RecordedRun } from "./recorded-run.ts";

const root = join(import.meta.dirname, "../..");
const rulesFile = join(root, "helm/files/alerts.yaml");
const promtool = [process.env["PROMTOOL"], await promtoolPath()].find(
  (path) => path !== undefined && existsSync(path),
);
const skipped =
  promtool === undefined ? " (skipped: there is no promtool: `node hack/promtool.ts` builds it)" : "";

interface Rule {
  readonly alert: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}
const { groups } = parse(readFileSync(rulesFile, "utf8")) as {
  readonly groups: readonly { readonly rules: readonly Rule[] }[];
};
const rules = groups.flatMap((group) => group.rules);

const dashboard = JSON.parse(readFileSync(join(root, "helm/files/dashboard.json"), "utf8")) as {
  readonly panels: readonly {
    readonly title: string;
    readonly targets?: readonly { readonly expr: string }[];
  }[];
};
const queries = dashboard.panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr }) => ({
    title,
    expr: expr.replaceAll(/\$(namespace|evnodecluster)/g, ".*").replaceAll("$__rate_interval", "5m"),
  })),
);
/**
 * The simulated members have no execution layer, no volume of a size and no CPU limit; the simulated server is asked
 * without requests; no rollout was begun, and all is well in the end.
 */
const empty = new Set([
  "What is not well",
  "Execution layer behind",
  "Volume in use",
  "Held back by the CPU limit",
  "Age of the rollout under way",
  "Requests to the API server",
  "Requests that failed",
]);

const cluster = { namespace: MAIN.namespace, evnodecluster: MAIN.name };

/** What Prometheus is to make of a run: the alerts that fire at a moment, and what else there is to know. */
interface Moment {
  readonly atSeconds: number;
  readonly firing: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

function alertTests({ atSeconds, firing }: Moment) {
  return rules.map(({ alert, labels, annotations }) => {
    const own = firing[alert];
    const told = own && {
      exp_labels: { ...labels, ...own },
      exp_annotations: Object.fromEntries(
        Object.entries(annotations).map(([name, text]) => [
          name,
          text.replaceAll(/\{\{ \$labels\.(\w+) \}\}/g, (_, label: string) => own[label] ?? ""),
        ]),
      ),
    };
    return { eval_time: `${atSeconds}s`, alertname: alert, exp_alerts: told ? [told] : [] };
  });
}

describe.skipIf(promtool === undefined)(`Prometheus itself${skipped}`, () => {
  const run = new RecordedRun();
  let scratch = "";
  const at = { quiet: 0, cut: 0, again: 0, over: 0, gone: 0 };

  beforeAll(async () => {
    scratch = mkdtempSync(join(tmpdir(), "promtool-"));
    await run.pass(10);
    at.quiet = run.seconds;
    run.cutRaft(6);
    await run.pass(5.5);
    at.cut = run.seconds;
    await run.pass(6);
    at.again = run.seconds;
    run.killLeader();
    await run.pass(6);
    at.over = run.seconds;
    run.killOperator();
    await run.pass(12);
    at.gone = run.seconds;
  }, 300_000);

  afterAll(() => rmSync(scratch, { recursive: true, force: true }));

  function ask(test: object): { readonly status: number | null; readonly said: string } {
    const file = join(scratch, "test.yaml");
    const tests = [{ interval: `${INTERVAL_S}s`, input_series: run.series(), ...test }];
    writeFileSync(file, JSON.stringify({ rule_files: [rulesFile], evaluation_interval: "30s", tests }));
    const { status, stdout, stderr } = spawnSync(promtool ?? "", ["test", "rules", file], {
      encoding: "utf8",
    });
    return { status, said: `${stdout}${stderr}` };
  }

  it("takes the rules, and finds nothing to say about them", () => {
    const said = execFileSync(promtool ?? "", ["check", "rules", "--lint=all", "--lint-fatal", rulesFile], {
      encoding: "utf8",
    });
    expect(said).toContain(`SUCCESS: ${rules.length} rules found`);
  });

  it("fires nothing in a quiet time, the right alerts in a bad one, and none when that is over", () => {
    const moments: readonly Moment[] = [
      { atSeconds: at.quiet, firing: {} },
      { atSeconds: at.cut, firing: { EvNodeNoLeader: cluster } },
      { atSeconds: at.again, firing: {} },
      { atSeconds: at.over, firing: {} },
      { atSeconds: at.gone, firing: { EvNodeOperatorAbsent: {} } },
    ];
    const { status, said } = ask({ alert_rule_test: moments.flatMap(alertTests) });
    expect(said).toContain("SUCCESS");
    expect(status).toBe(0);
  });

  it("has an answer for every panel of the dashboard, or is known to have none", () => {
    const test = queries.map(({ title, expr }) => ({
      expr: `count(${expr}) > bool 0`,
      eval_time: `${at.over}s`,
      exp_samples: empty.has(title) ? [] : [{ labels: "{}", value: 1 }],
    }));
    expect(ask({ promql_expr_test: test })).toEqual({
      status: 0,
      said: expect.stringContaining("SUCCESS") as unknown,
    });
  });
});
