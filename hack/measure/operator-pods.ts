import { kinds } from "../../src/model/kinds.ts";
import type { Pod } from "../../src/model/objects.ts";
import { killContainer } from "../../test/e2e/harness/processes.ts";
import { operatorNamespace } from "../demo/install.ts";
import { isReady } from "./pods.ts";
import { pollUntil, type Session } from "./session.ts";

const SELECTOR = "app.kubernetes.io/name=evnode-operator";
const CONTAINER = "operator";
const READY_TIMEOUT_MS = 120_000;

/** The pods of the operator that is installed. */
export async function operatorPods({ api }: Pick<Session, "api">): Promise<readonly Pod[]> {
  return (await api.list(kinds.pod, { namespace: operatorNamespace, labelSelector: SELECTOR })).items;
}

/**
 * Kills it without a warning: its process, and from the second time on its pod, too, as Kubernetes holds back a process
 * that ends again and again.
 */
export async function killInstalledOperator(session: Session): Promise<void> {
  for (const pod of await operatorPods(session)) {
    await killContainer(pod, CONTAINER);
    const restarts = pod.status?.containerStatuses?.find(({ name }) => name === CONTAINER)?.restartCount ?? 0;
    if (restarts === 0) continue;
    const { name } = pod.metadata;
    const now = ["--namespace", operatorNamespace, "--grace-period=0", "--force"];
    await session.kubectl.run(["delete", "pod", name, ...now]);
  }
}

export async function operatorIsBack(session: Session): Promise<void> {
  const isBack = async () => ((await operatorPods(session)).some(isReady) ? true : undefined);
  const back = await pollUntil(isBack, { everyMs: 250, timeoutMs: READY_TIMEOUT_MS }, session);
  if (back === undefined) throw new Error("the operator is not back within the time");
}
