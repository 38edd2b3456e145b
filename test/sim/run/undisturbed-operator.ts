import { SimulatedOperator, type SimulatedOperatorOptions } from "./simulated-operator.ts";
import type { Universe } from "./universe.ts";

/** The operator as it is, with a fast network and nothing that goes wrong, but for what is given. */
export function undisturbedOperator(
  universe: Universe,
  more: Partial<Pick<SimulatedOperatorOptions, "faults" | "onBug">> = {},
): SimulatedOperator {
  return new SimulatedOperator({
    name: "operator",
    server: universe.server,
    clock: universe.clock,
    chance: universe.chance,
    ask: universe.network.ask,
    askBlock: universe.network.askBlock,
    faults: {},
    latencyMs: () => 1,
    variant: { name: "as it is", isSeen: "inTheEnd" },
    note: () => {},
    onBug: (what) => universe.violate(what),
    ...more,
  });
}
