import { readFile, writeFile } from "node:fs/promises";
import { parse, stringify } from "yaml";
import { z } from "zod";
import type { Session } from "./session.ts";

const kubeconfigSchema = z.looseObject({
  clusters: z.array(z.looseObject({ name: z.string() })),
  contexts: z.array(z.looseObject({ name: z.string(), context: z.looseObject({ cluster: z.string() }) })),
  "current-context": z.string(),
});

/** The session's server with a token of this service account. */
export async function writeKubeconfigOf(
  { namespace, name }: { readonly namespace: string; readonly name: string },
  { kubectl, kubeconfig }: Session,
  file: string,
): Promise<void> {
  const asked = ["create", "token", name, "--namespace", namespace, "--duration=8h"];
  const token = (await kubectl.run(asked)).trim();
  const given = kubeconfigSchema.parse(parse(await readFile(kubeconfig, "utf8")));
  const context = given.contexts.find(({ name }) => name === given["current-context"])?.context;
  if (!context) throw new Error(`${kubeconfig} has no current context`);
  const content = stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: given.clusters.filter(({ name }) => name === context.cluster),
    users: [{ name: "operator", user: { token } }],
    contexts: [{ name: "operator", context: { cluster: context.cluster, user: "operator" } }],
    "current-context": "operator",
  });
  await writeFile(file, content, { mode: 0o600 });
}
