/** `npm run measure -- NAME [OPTIONS]`: figures from a real cluster, printed as tables. */
import { writeFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import type { Report } from "./campaign.ts";
import { campaigns } from "./campaigns.ts";
import { type Request, readCommandLine } from "./command-line.ts";
import { renderTable } from "./table.ts";

const stopping = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    console.error(`\nstopped by ${signal}: cleaning up; a second one ends at once`);
    stopping.abort(new Error(`stopped by ${signal}`));
  });
}

async function main(): Promise<number> {
  const line = readCommandLine(process.argv.slice(2), campaigns);
  if (line.kind === "run") return measure(line.request);
  if (line.kind === "help") {
    process.stdout.write(line.text);
    return 0;
  }
  console.error(line.problem);
  return 2;
}

async function measure(request: Request): Promise<number> {
  const { campaign, options, isShort, output, picture } = request;
  const machine = `${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}`;
  const startedAt = new Date().toISOString();
  const report = await campaign.run(stopping.signal, options);
  const given = Object.entries(options).map(([name, value]) => `--${name} ${value}`);
  const head = `${campaign.name} ${given.join(" ")}\n${startedAt}, ${machine}`;
  process.stdout.write(`\n${head}\n\n${textOf(report)}\n`);
  if (output !== undefined) {
    const { tables, notes, failures, values } = report;
    const facts = { campaign: campaign.name, isShort, options, startedAt, machine };
    writeFileSync(output, `${JSON.stringify({ ...facts, tables, notes, failures, values }, undefined, 2)}\n`);
  }
  if (picture !== undefined && report.picture !== undefined) writeFileSync(picture, report.picture);
  return report.failures.length === 0 ? 0 : 1;
}

function textOf({ tables, notes, failures }: Report): string {
  return [
    ...tables.map(renderTable),
    ...notes,
    ...(failures.length === 0
      ? ["Every expectation held."]
      : [failures.map((text) => `Not as expected: ${text}.`).join("\n")]),
  ].join("\n\n");
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
