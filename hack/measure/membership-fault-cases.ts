import {
  cutOff,
  type Fault,
  memberKilled,
  noNodeForNew,
  operatorKilled,
  podDeleted,
  volumeFull,
} from "./membership-faults.ts";
import type { Phase } from "./membership-phase.ts";
import type { Size } from "./membership-side.ts";

export type Outcome = "Completed" | "TakenBack";

/** A fault and the phase that it falls into. */
export interface Moment {
  readonly phase: Phase;
  readonly fault: Fault;
}

/** A change of the number of members, and what happens meanwhile. */
export interface FaultCase {
  readonly from: Size;
  readonly to: Size;
  readonly moments: readonly Moment[];
  /** For how long blocks may stop before the change is taken back. */
  readonly stopWithinSeconds: number;
  /** The only end that is right; without it both are. */
  readonly ends?: Outcome;
  /** It is asked for together with the end of a suspension. */
  readonly isSuspended?: true;
}

/** The shortest that the API takes, and one that a busy machine keeps. */
const SHORT = 30;
const LONG = 90;
/** Longer than the shortest deadline. */
const PAST = 45;

const oneFault = (
  from: Size,
  to: Size,
  phase: Phase,
  fault: Fault,
  more: Partial<FaultCase> = {},
): FaultCase => ({ from, to, moments: [{ phase, fault }], stopWithinSeconds: LONG, ...more });

/** The first way to have a change taken back is a deadline that passes. */
const takenBack = (from: Size, to: Size, fault: Fault): FaultCase => ({
  from,
  to,
  moments: [
    { phase: "stopped", fault: cutOff("a new member", PAST) },
    { phase: "taking back", fault },
  ],
  stopWithinSeconds: SHORT,
  ends: "TakenBack",
});

const late = { stopWithinSeconds: SHORT } as const;

/** The first two are the short form. Faults that other clusters feel come last, one after another. */
export const faultCases: readonly FaultCase[] = [
  oneFault(1, 3, "joining", podDeleted("a new member")),
  oneFault(1, 3, "decided", memberKilled("a new member")),
  oneFault(1, 3, "joining", memberKilled("the leader")),
  oneFault(1, 3, "stopped", memberKilled("the leader")),
  oneFault(1, 3, "stopped", cutOff("a new member", PAST), { ...late, ends: "TakenBack" }),
  oneFault(1, 3, "level", podDeleted("a new member")),
  oneFault(1, 3, "decided", podDeleted("a member that stays")),
  oneFault(1, 3, "joining", volumeFull("a new member", 20)),
  oneFault(1, 3, "stopped", volumeFull("the leader", PAST), late),
  oneFault(1, 3, "joining", noNodeForNew, { ends: "TakenBack" }),
  oneFault(3, 1, "stopped", cutOff("a member that stays", 20)),
  oneFault(3, 1, "level", memberKilled("the leader")),
  oneFault(3, 1, "decided", podDeleted("a member that stays"), { ends: "Completed" }),
  oneFault(3, 1, "stopped", cutOff("a member that leaves", PAST), { ...late, ends: "TakenBack" }),
  oneFault(3, 5, "joining", memberKilled("the leader")),
  oneFault(3, 5, "stopped", podDeleted("a member that stays")),
  oneFault(3, 5, "level", cutOff("a member that stays", PAST), late),
  oneFault(3, 5, "decided", volumeFull("a new member", 30), { ends: "Completed" }),
  takenBack(3, 5, memberKilled("the leader")),
  oneFault(5, 3, "stopped", memberKilled("the leader")),
  oneFault(5, 3, "level", podDeleted("a member that leaves")),
  oneFault(5, 3, "decided", cutOff("a member that stays", 40), { ends: "Completed" }),
  oneFault(3, 5, "joining", podDeleted("a new member"), { isSuspended: true }),
  oneFault(1, 3, "joining", operatorKilled),
  oneFault(3, 5, "stopped", operatorKilled),
  oneFault(3, 1, "level", operatorKilled),
  oneFault(5, 3, "decided", operatorKilled, { ends: "Completed" }),
  takenBack(1, 3, operatorKilled),
];
