import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { KubeObject } from "../../../src/model/kube-object.ts";
import type { Pod, Secret } from "../../../src/model/objects.ts";
import type { Api } from "./api.ts";
import type { Environment } from "./environment.ts";
import { operatorNamespace } from "./operator-names.ts";
import type { World } from "./world.ts";

/** Where the run keeps what was said in it, and what must not have been said. */
export const textsFolder = ({ runDir }: Pick<Environment, "runDir">): string => join(runDir, "texts");
export const secretsFolder = ({ runDir }: Pick<Environment, "runDir">): string => join(runDir, "secrets");

const shown = [
  "/apis/evnode.dev/v1alpha1/NS/evnodeclusters",
  "/api/v1/NS/pods",
  "/api/v1/NS/services",
  "/api/v1/NS/persistentvolumeclaims",
  "/api/v1/NS/configmaps",
  "/apis/apps/v1/NS/statefulsets",
  "/apis/policy/v1/NS/poddisruptionbudgets",
  "/apis/events.k8s.io/v1/NS/events",
];

/** Keeps logs, events and objects of a world, and the secrets that are in it. */
export async function collect({ api, environment, namespace }: World): Promise<void> {
  await collectTexts(api, environment, namespace, namespace);
  await collectTexts(api, environment, operatorNamespace, join(namespace, "operator"));
  const secrets = await api.list<Secret>(`/api/v1/namespaces/${namespace}/secrets`);
  await mkdir(secretsFolder(environment), { recursive: true, mode: 0o700 });
  const file = join(secretsFolder(environment), `${namespace}.json`);
  await writeFile(file, JSON.stringify(secrets), { mode: 0o600 });
}

async function collectTexts(
  api: Api,
  environment: Environment,
  namespace: string,
  into: string,
): Promise<void> {
  const folder = join(textsFolder(environment), into);
  await mkdir(folder, { recursive: true });
  for (const path of shown) {
    const objects = await api.list<KubeObject>(path.replace("NS", `namespaces/${namespace}`));
    await writeFile(join(folder, `${path.split("/").at(-1)}.json`), JSON.stringify(objects, null, 1));
  }
  for (const pod of await api.list<Pod>(`/api/v1/namespaces/${namespace}/pods`)) {
    await collectLogs(api, pod, folder);
  }
}

/** Logs of the containers as they are, and of those before them, as far as kubelet has kept them. */
export async function collectLogs(api: Api, { metadata, spec }: Pod, folder: string): Promise<void> {
  const path = `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}/log`;
  for (const { name } of [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])]) {
    for (const previous of [true, false]) {
      const { status, text } = await api.send(`${path}?container=${name}&previous=${previous}`);
      const file = `${metadata.name}.${metadata.uid?.slice(0, 8)}.${name}${previous ? ".previous" : ""}.log`;
      if (status === 200) await writeFile(join(folder, file), text);
    }
  }
}
