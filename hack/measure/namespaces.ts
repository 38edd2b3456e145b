import { join } from "node:path";
import type { Session } from "./session.ts";

const localDa = join(import.meta.dirname, "../local-cluster/manifests/local-da.yaml");
const DELETE_SECONDS = 180;

/**
 * A namespace of its own for a campaign, under the strictest Pod Security level and with a data availability layer.
 * It goes when the campaign ends; one that an earlier campaign left behind goes first.
 */
export async function provideNamespace(
  session: Session,
  topic: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { kubectl, atEnd } = session;
  const name = `measure-${topic}`;
  await removeNamespace(session, name);
  atEnd(`namespace ${name}`, async () => removeNamespace(session, name));
  const enforced = { "pod-security.kubernetes.io/enforce": "restricted", ...labels };
  const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name, labels: enforced } };
  await kubectl.run(["apply", "--filename", "-"], { input: JSON.stringify(namespace) });
  await kubectl.run(["apply", "--namespace", name, "--filename", localDa]);
  const ready = ["rollout", "status", "deployment/local-da", "--namespace", name, "--timeout=120s"];
  await kubectl.run(ready, { timeoutMs: 130_000 });
  return name;
}

/** Clusters go before their namespace, as long as there is an operator: it takes its finalizer off. */
async function removeNamespace({ kubectl }: Session, name: string): Promise<void> {
  const bounded = ["--ignore-not-found", `--timeout=${DELETE_SECONDS}s`];
  const timeoutMs = (DELETE_SECONDS + 10) * 1_000;
  const found = await kubectl.run(["get", "namespace", name, "--ignore-not-found", "--output", "name"]);
  if (found.trim() === "") return;
  await kubectl.run(["delete", "evnodeclusters.evnode.dev", "--all", "--namespace", name, ...bounded], {
    timeoutMs,
  });
  await kubectl.run(["delete", "namespace", name, ...bounded], { timeoutMs });
}
