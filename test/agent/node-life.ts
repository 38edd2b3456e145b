import type { NodeLife } from "../../src/agent/volume-keeper.ts";

/** An ev-node as the agent finds it: there is none, if nothing is said. */
export function nodeLife({
  isUp = false,
  runs = isUp,
  isHeld = false,
  height,
  leads = false,
  end = async () => {},
}: LifeShape = {}): NodeLife {
  return {
    runs: async () => runs,
    isUp: async () => isUp,
    isHeld: async () => isHeld,
    height: () => height,
    leads: () => leads,
    end,
  };
}

interface LifeShape {
  /** As a rule it runs as long as it is up. */
  readonly runs?: boolean;
  readonly isUp?: boolean;
  readonly isHeld?: boolean;
  readonly height?: number;
  readonly leads?: boolean;
  readonly end?: () => Promise<void>;
}
