import { describe } from "vitest";
import { kinds } from "../../src/model/kinds.ts";
import type { Environment } from "../conformance/environment.ts";
import { kubeApiConformance } from "../conformance/kube-api.e2e-suite.ts";
import { configMap } from "../conformance/objects.ts";
import { namespaceKind } from "../namespace-kind.ts";
import { seededRandom } from "../runtime/seeded-random.ts";
import { VirtualClock } from "../runtime/virtual-clock.ts";
import { updateBudgets } from "./disruption-controller.ts";
import { collectGarbage } from "./garbage-collector.ts";
import { tendStatefulSets } from "./node/stateful-sets.ts";
import { SimulatedServer } from "./simulated-server.ts";

/** Virtual time passes in steps, after each of which every controller of Kubernetes takes a look. */
const STEP_MS = 100;

async function simulatedServer(): Promise<Environment> {
  const clock = new VirtualClock();
  const random = seededRandom(1);
  const server = new SimulatedServer({ clock, random });
  const { registry } = server;
  const name = "conformance";
  // A real server has other namespaces with objects of their own, in front and behind.
  for (const other of ["another", name, "kube-system"]) {
    registry.create(namespaceKind, { apiVersion: "v1", kind: "Namespace", metadata: { name: other } });
    registry.create(kinds.configMap, configMap(other, "kube-root-ca.crt"));
  }
  const pass = async (ms: number) => {
    for (let passedMs = 0; passedMs < ms; passedMs += STEP_MS) {
      for (const look of [tendStatefulSets, updateBudgets, collectGarbage]) look(registry);
      await clock.advance(Math.min(STEP_MS, ms - passedMs));
    }
  };
  const api = server.client({ name: "conformance" });
  const command = { compact: () => registry.store.compact() };
  return { api, namespace: name, clock, random, pass, close: () => Promise.resolve(), command };
}

describe("the simulated API server", () => {
  kubeApiConformance(simulatedServer);
});
