import type { KubeObject } from "../../src/model/kube-object.ts";
import type { ConfigMap, Pod, Secret } from "../../src/model/objects.ts";

/** A uid that no server gives to an object. */
export const strangeUid = "00000000-0000-4000-8000-000000000000";

export function configMap(namespace: string, name: string, extra: Partial<ConfigMap> = {}): ConfigMap {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { namespace, name }, ...extra };
}

export function labelled(namespace: string, name: string, labels: Record<string, string>): ConfigMap {
  return configMap(namespace, name, { metadata: { namespace, name, labels } });
}

export function frozenSecret(namespace: string, name: string): Secret {
  const metadata = { namespace, name };
  return { apiVersion: "v1", kind: "Secret", metadata, immutable: true, data: { key: "b25l" } };
}

/** A pod that no scheduler may place, so that nobody but the test writes its status. */
export function gatedPod(namespace: string, name: string): Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { namespace, name },
    spec: {
      schedulingGates: [{ name: "example.com/not-yet" }],
      containers: [{ name: "main", image: "registry.example.com/nothing:1" }],
    },
  };
}

/** What a server always gives to an object; fails instead of guessing. */
export function identityOf(object: KubeObject): { readonly uid: string; readonly resourceVersion: string } {
  const { uid, resourceVersion } = object.metadata;
  if (uid === undefined || resourceVersion === undefined) {
    throw new Error(`${object.kind} ${object.metadata.name} came without uid or resourceVersion`);
  }
  return { uid, resourceVersion };
}
