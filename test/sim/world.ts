import { namespaceKind } from "../namespace-kind.ts";
import { seededRandom } from "../runtime/seeded-random.ts";
import { VirtualClock } from "../runtime/virtual-clock.ts";
import { SimulatedServer, type SimulatedServerOptions } from "./simulated-server.ts";

export const namespace = "rollup";

/** A server with one namespace, for the tests of the server itself. */
export function newWorld(options: Partial<SimulatedServerOptions> = {}) {
  const clock = new VirtualClock();
  const server = new SimulatedServer({ clock, random: seededRandom(1), ...options });
  const { registry } = server;
  registry.create(namespaceKind, { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
  return { clock, server, registry, store: registry.store };
}
