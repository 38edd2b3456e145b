import { spawnSync } from "node:child_process";

export const go = "go";

/**
 * Why nothing can be built from this module. A machine without Go, or without a way to its modules, still proves the
 * rest by the fixtures. Continuous integration that has Go must not lose this proof in silence.
 */
export function obstacleToGo(module: string): string | undefined {
  if (spawnSync(go, ["version"]).status !== 0) return "Go is not installed";
  if (process.env["CI"] !== undefined) return undefined;
  if (spawnSync(go, ["mod", "download"], { cwd: module }).status !== 0)
    return "Go's modules cannot be downloaded";
  return undefined;
}

export function because(reason: string | undefined): string {
  return reason === undefined ? "" : ` (skipped: ${reason})`;
}
