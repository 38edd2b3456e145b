import { join } from "node:path";
import { operatorNamespace } from "../demo/install.ts";
import { command } from "../local-cluster/command.ts";
import { provideHelm } from "../local-cluster/helm.ts";
import type { Session } from "./session.ts";

const RELEASE = "evnode-operator";
const chart = join(import.meta.dirname, "../../helm");
const TIMEOUT_MS = 5 * 60_000;

/**
 * Takes the operator of this cluster away for the time of a campaign, with everything else left as it is, and has it
 * back afterwards with the values that it had. Nobody else may be at work on the cluster meanwhile.
 */
export async function withoutOperator(session: Session): Promise<void> {
  const helm = await provideHelm();
  const env = { KUBECONFIG: session.kubeconfig };
  const into = ["--namespace", operatorNamespace];
  const run = (args: readonly string[], input?: string) =>
    command(helm, [...args, ...into], { env, timeoutMs: TIMEOUT_MS, ...(input !== undefined && { input }) });
  const values = await run(["get", "values", RELEASE, "--output", "json"]);
  session.atEnd("the operator that was installed before", async () => {
    const install = ["upgrade", "--install", RELEASE, chart, "--take-ownership", "--reset-values"];
    await run([...install, "--values", "-", "--wait"], values);
  });
  await removeOperator(session);
}

export async function removeOperator({ kubeconfig }: Session): Promise<void> {
  const remove = ["uninstall", RELEASE, "--namespace", operatorNamespace, "--ignore-not-found", "--wait"];
  await command(await provideHelm(), remove, { env: { KUBECONFIG: kubeconfig }, timeoutMs: TIMEOUT_MS });
}
