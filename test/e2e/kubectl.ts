import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

/** The cluster is the one of KUBECONFIG; KUBECTL names another program than the one in the PATH. */
const kubectlPath = process.env["KUBECTL"] ?? "kubectl";

/** The resource of these tests comes and goes: what kubectl remembers of it must not be found by others. */
const cache = mkdtempSync(join(tmpdir(), "evnode-e2e-kubectl-"));
afterAll(() => rmSync(cache, { recursive: true, force: true }));

export interface Answer {
  readonly ok: boolean;
  readonly text: string;
}

/** Runs kubectl to its end; `input` is what it reads with `-f -`. */
export function kubectl(args: readonly string[], input?: unknown): Answer {
  const run = spawnSync(kubectlPath, ["--cache-dir", cache, ...args], {
    input: input === undefined ? "" : JSON.stringify(input),
    encoding: "utf8",
    timeout: 60_000,
  });
  if (run.error) throw run.error;
  return { ok: run.status === 0, text: `${run.stdout}${run.stderr}` };
}
