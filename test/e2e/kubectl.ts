import { spawnSync } from "node:child_process";

/** The cluster is the one of KUBECONFIG; KUBECTL names another program than the one in the PATH. */
const kubectlPath = process.env["KUBECTL"] ?? "kubectl";

export interface Answer {
  readonly ok: boolean;
  readonly text: string;
}

/** Runs kubectl to its end; `input` is what it reads with `-f -`. */
export function kubectl(args: readonly string[], input?: unknown): Answer {
  const run = spawnSync(kubectlPath, [...args], {
    input: input === undefined ? "" : JSON.stringify(input),
    encoding: "utf8",
    timeout: 60_000,
  });
  if (run.error) throw run.error;
  return { ok: run.status === 0, text: `${run.stdout}${run.stderr}` };
}
