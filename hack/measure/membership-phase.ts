import type { Status } from "../../src/api/evnodecluster.ts";

/** How far a change of the number of members is, as the status tells it. */
export type Phase = "joining" | "stopped" | "level" | "decided" | "taking back" | "over";

/** After the stop it comes to a decision, or is taken back. */
const ranks: Readonly<Record<Phase, number>> = {
  joining: 0,
  stopped: 1,
  level: 2,
  decided: 3,
  "taking back": 3,
  over: 4,
};

/** Undefined as long as the change to this epoch has not begun. */
export function phaseOf({ membership }: Status, epoch: number): Phase | undefined {
  const { lastChange } = membership ?? {};
  if (lastChange?.epoch !== epoch) return undefined;
  if (lastChange.result === "TakingBack") return "taking back";
  if (lastChange.result !== "UnderWay") return "over";
  if (membership?.epoch === epoch) return "decided";
  if (lastChange.height !== undefined) return "level";
  return lastChange.stoppedAt === undefined ? "joining" : "stopped";
}

/** Whether it cannot come to this phase any more. */
export function hasPassed(seen: Phase, wanted: Phase): boolean {
  return seen !== wanted && ranks[seen] >= ranks[wanted];
}
