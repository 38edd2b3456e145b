import { setTimeout } from "node:timers/promises";
import { describe } from "vitest";
import { findCredentials } from "../../src/kube/credentials.ts";
import { createKubeApi } from "../../src/kube/node-client.ts";
import { kinds } from "../../src/model/kinds.ts";
import { systemClock as clock } from "../../src/runtime/clock.ts";
import { systemRandom as random } from "../../src/runtime/random.ts";
import { type Environment, eventually } from "../conformance/environment.ts";
import { kubeApiConformance } from "../conformance/kube-api.e2e-suite.ts";
import { identityOf } from "../conformance/objects.ts";
import { namespaceKind } from "../namespace-kind.ts";

/** A namespace of its own on the server of the kubeconfig, which is deleted afterwards. */
async function realServer(): Promise<Environment> {
  const credentials = findCredentials({ clock, env: process.env });
  const api = createKubeApi({ credentials, clock, version: "conformance" });
  const name = `conformance-${process.pid}-${Date.now()}`;
  const namespace = await api.create(namespaceKind, {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name },
  });
  const environment: Environment = {
    api,
    namespace: name,
    clock,
    random,
    pass: (ms) => setTimeout(ms),
    async close() {
      const { uid } = identityOf(namespace);
      await api.delete(namespaceKind, { name }, { preconditions: { uid }, propagation: "Background" });
      api.close();
    },
  };
  // A controller makes it, and no pod is taken before.
  const account = { namespace: name, name: "default" };
  const hasAccount = async () => (await api.get(kinds.serviceAccount, account)) !== undefined;
  await eventually(environment, "the namespace has its service account", hasAccount);
  return environment;
}

describe("the client against a real API server", () => {
  kubeApiConformance(realServer);
});
