/**
 * `node hack/dashboard.ts --picture FILE`: draws the Grafana dashboard of the chart from what Prometheus answers to its
 * queries about a run of the simulator. Wants promtool: `node hack/promtool.ts` builds it, or PROMTOOL names it.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { picture } from "./dashboard/drawing.ts";
import { evaluated } from "./dashboard/evaluation.ts";
import { readPanels } from "./dashboard/panels.ts";
import { record } from "./dashboard/recording.ts";
import { promtoolPath } from "./local-cluster/go-build.ts";

/** Moments from one another, in a picture that is some hundred points wide. */
const STEP_S = 30;

async function draw(file: string): Promise<void> {
  const promtool = [process.env["PROMTOOL"], await promtoolPath()].find(
    (path) => path !== undefined && existsSync(path),
  );
  if (promtool === undefined) throw new Error("there is no promtool: build it with node hack/promtool.ts");
  const panels = readPanels(readFileSync(join(import.meta.dirname, "../helm/files/dashboard.json"), "utf8"));
  const { series, intervalSeconds, endSeconds, marks } = await record();
  const seconds = Array.from({ length: Math.floor(endSeconds / STEP_S) + 1 }, (_, at) => at * STEP_S);
  const queries = panels.flatMap(({ targets }) =>
    targets.flatMap(({ expr }) => seconds.map((atSeconds) => ({ expr, atSeconds }))),
  );
  const answers = [...evaluated(promtool, intervalSeconds, series, queries)];
  const drawn = panels.map((panel) => ({
    panel,
    answers: panel.targets.map(() => answers.splice(0, seconds.length)),
  }));
  writeFileSync(file, picture(drawn, { seconds, marks }));
  console.log(`wrote ${file}`);
}

const { values } = parseArgs({ options: { picture: { type: "string" } } });
try {
  if (values.picture === undefined) throw new Error("usage: node hack/dashboard.ts --picture FILE");
  await draw(values.picture);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
