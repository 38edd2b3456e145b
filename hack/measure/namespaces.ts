import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { identityOf } from "../local-cluster/process.ts";
import type { Session } from "./session.ts";

const localDa = join(import.meta.dirname, "../local-cluster/manifests/local-da.yaml");
const DELETE_SECONDS = 180;

const marks = {
  topic: "evnode.dev/measured-topic",
  host: "evnode.dev/measured-on",
  pid: "evnode.dev/measured-by",
};

/**
 * A namespace of its own for a campaign, under the strictest Pod Security level and with a data availability layer.
 * It goes when the campaign ends; those that campaigns left behind that were killed on this machine go first.
 */
export async function provideNamespace(session: Session, topic: string): Promise<string> {
  const { kubectl } = session;
  const name = await provideEmptyNamespace(session, topic);
  await kubectl.run(["apply", "--namespace", name, "--filename", localDa]);
  const ready = ["rollout", "status", "deployment/local-da", "--namespace", name, "--timeout=120s"];
  await kubectl.run(ready, { timeoutMs: 130_000 });
  return name;
}

/** The same with nothing in it. */
export async function provideEmptyNamespace(session: Session, topic: string): Promise<string> {
  const { kubectl, atEnd } = session;
  await removeLeftovers(session, topic);
  const name = `measure-${topic}-${randomBytes(2).toString("hex")}`;
  atEnd(`namespace ${name}`, async () => removeNamespace(session, name));
  const labels = { "pod-security.kubernetes.io/enforce": "restricted", ...ownMarks(topic) };
  const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name, labels } };
  await kubectl.run(["apply", "--filename", "-"], { input: JSON.stringify(namespace) });
  return name;
}

const namespacesSchema = z.object({
  items: z.array(
    z.object({ metadata: z.object({ name: z.string(), labels: z.record(z.string(), z.string()) }) }),
  ),
});

/** What tells whose something is that a killed campaign leaves behind. */
export const ownMarks = (topic: string) => ({
  [marks.topic]: topic,
  [marks.host]: thisHost(),
  [marks.pid]: String(process.pid),
});

/** What campaigns on this topic made on this machine. */
export const marksSelector = (topic: string) => `${marks.topic}=${topic},${marks.host}=${thisHost()}`;

/** Another campaign on the same topic may be under way. */
export const isLeftOver = (labels: Readonly<Record<string, string>> = {}) =>
  identityOf(Number(labels[marks.pid])) === undefined;

async function removeLeftovers(session: Session, topic: string): Promise<void> {
  const { items } = await session.kubectl.json(namespacesSchema, [
    "get",
    "namespaces",
    "--selector",
    marksSelector(topic),
  ]);
  const dead = items.filter(({ metadata }) => isLeftOver(metadata.labels));
  for (const { metadata } of dead) await removeNamespace(session, metadata.name);
}

const thisHost = () =>
  hostname()
    .replaceAll(/[^\w.-]/g, "-")
    .slice(0, 63);

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
