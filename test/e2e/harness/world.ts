import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { parseAllDocuments } from "yaml";
import type { KubeObject } from "../../../src/model/kube-object.ts";
import type { ConfigMap } from "../../../src/model/objects.ts";
import { Api } from "./api.ts";
import { collect } from "./artifacts.ts";
import { Cluster, type ClusterOptions } from "./cluster.ts";
import { type Environment, environment } from "./environment.ts";
import { type Kubectl, newKubectl } from "./kubectl.ts";
import { operatorNamespace } from "./operator-names.ts";
import { newReach, type Reach } from "./reach.ts";
import { until } from "./until.ts";

const DA_MANIFEST = join(import.meta.dirname, "../../../hack/local-cluster/manifests/local-da.yaml");

/** What the tests of one file share: a namespace of their own under the strictest Pod Security level. */
export interface World {
  readonly environment: Environment;
  readonly kubectl: Kubectl;
  readonly api: Api;
  readonly namespace: string;
  readonly reach: Reach;
  cluster(name: string, options?: ClusterOptions): Cluster;
}

/**
 * Opens a world before the tests of a file and takes it down after them, with everything in it. Whatever was said
 * in it is kept until the end of the run.
 */
export function useWorld(topic: string): () => World {
  let world: World | undefined;
  beforeAll(async () => {
    world = await openWorld(topic);
  });
  afterAll(async () => {
    if (world) await closeWorld(world);
  });
  return () => {
    if (!world) throw new Error("the world of this file is not open yet");
    return world;
  };
}

async function openWorld(topic: string): Promise<World> {
  const found = environment();
  const kubectl = newKubectl(found);
  const api = await Api.open(found);
  const namespace = `e2e-${topic}-${randomBytes(2).toString("hex")}`;
  const labels = { "pod-security.kubernetes.io/enforce": "restricted" };
  await kubectl.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace, labels } });
  await kubectl.apply(...dataAvailability(namespace, found.images.da));
  const world: World = {
    environment: found,
    kubectl,
    api,
    namespace,
    reach: newReach(api, found.machine !== undefined),
    cluster: (name, options) => new Cluster(world, name, options),
  };
  return world;
}

function dataAvailability(namespace: string, image: string): KubeObject[] {
  const documents = parseAllDocuments(
    readFileSync(DA_MANIFEST, "utf8").replaceAll("evnode.dev/local-da:1", image),
  );
  return documents.map((document) => {
    const object = document.toJS() as KubeObject;
    return { ...object, metadata: { ...object.metadata, namespace } };
  });
}

const GONE_MS = 180_000;

async function closeWorld(world: World): Promise<void> {
  const { api, kubectl, namespace } = world;
  try {
    await collect(world);
    await kubectl.run(["delete", "namespace", namespace, "--wait=false"]);
    await until(
      `end of namespace ${namespace}`,
      async () => {
        const left = await api.find<NamespaceObject>(`/api/v1/namespaces/${namespace}`);
        return left === undefined ? { found: true } : { missing: whatIsLeft(left) };
      },
      { withinMs: GONE_MS, everyMs: 1_000 },
    );
    await removeLocks(world);
  } finally {
    await api.close();
  }
}

/** A lock outlives its cluster, so that nobody begins the chain again; the chains of tests are over. */
async function removeLocks({ api, namespace }: World): Promise<void> {
  const locks = `/api/v1/namespaces/${operatorNamespace}/configmaps`;
  for (const { data, metadata } of await api.list<ConfigMap>(locks)) {
    if (data?.["namespace"] === namespace) await api.send(`${locks}/${metadata.name}`, { method: "DELETE" });
  }
}

interface NamespaceObject extends KubeObject {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly message: string }[] };
}

function whatIsLeft({ status }: NamespaceObject): string {
  const left = status?.conditions?.filter(({ type }) => type.endsWith("Remaining")) ?? [];
  return left.map(({ message }) => message).join(" ") || "it is still there";
}
