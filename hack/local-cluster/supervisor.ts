import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Component, type ComponentName, fingerprint } from "./components.ts";
import { paths } from "./layout.ts";
import { isAlive, type ProcessIdentity, startDetached, stop } from "./process.ts";

interface ProcessRecord extends ProcessIdentity {
  readonly fingerprint: string;
}

const LOG_TAIL_LINES = 12;

const logFile = (name: ComponentName): string => join(paths.logs, `${name}.log`);
const recordFile = (name: ComponentName): string => join(paths.processes, `${name}.json`);

/** Answers the recorded process of a component if that very process still runs. */
export async function runningProcess(name: ComponentName): Promise<ProcessRecord | undefined> {
  const text = await readFile(recordFile(name), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const record = JSON.parse(text) as ProcessRecord;
  return isAlive(record) ? record : undefined;
}

/** Starts a component unless it already runs as described; answers whether it had to. */
export async function ensureRunning(component: Component): Promise<boolean> {
  const running = await runningProcess(component.name);
  if (running?.fingerprint === fingerprint(component)) return false;
  if (running) await stop(running);
  for (const [file, content] of Object.entries(component.files)) {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
  }
  const identity = startDetached(component.program, component.args, logFile(component.name));
  await mkdir(paths.processes, { recursive: true });
  await writeFile(
    recordFile(component.name),
    JSON.stringify({ ...identity, fingerprint: fingerprint(component) }),
  );
  return true;
}

export async function stopComponentProcess(name: ComponentName): Promise<void> {
  const running = await runningProcess(name);
  if (running) await stop(running);
  await rm(recordFile(name), { force: true });
}

/** What to show when a component did not come up: whether it runs, and the end of its log. */
export async function explain(name: ComponentName): Promise<string> {
  const state = (await runningProcess(name)) ? "runs" : "has ended";
  const log = await readFile(logFile(name), "utf8").catch(() => "");
  const tail = log.trimEnd().split("\n").slice(-LOG_TAIL_LINES).join("\n");
  return `${name} ${state}; end of ${logFile(name)}:\n${tail}`;
}
