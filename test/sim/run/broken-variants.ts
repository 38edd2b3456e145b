import { hidesLeaderLabel, releasesLock, sendsNoVersion, withoutUids } from "./broken-clients.ts";
import * as memberships from "./broken-memberships.ts";
import * as planners from "./broken-planners.ts";
import * as rollouts from "./broken-rollouts.ts";
import { sleepingClock } from "./gate.ts";
import type { Variant } from "./simulated-operator.ts";

/**
 * Operators with one mistake each. The simulator has to notice every one of them within a few seeds, or it proves
 * nothing about the one without.
 */
export const brokenVariants: readonly Variant[] = [
  {
    name: "orders bootstrap on every empty volume, whatever the claims say",
    firstSeed: 32,
    isSeen: "underFaults",
    plan: planners.bootstrapsAnything,
  },
  { name: "orders a membership that lacks a member", isSeen: "underFaults", plan: planners.bootstrapsTooFew },
  {
    name: "rebuilds a lost member without the owner's approval",
    firstSeed: 502,
    isSeen: "underFaults",
    plan: planners.rebuildsUnasked,
  },
  {
    name: "runs a chain whose lock another cluster holds",
    firstSeed: 11,
    isSeen: "underFaults",
    plan: planners.ignoresLock,
  },
  {
    name: "gives the lock of a begun chain back with the cluster",
    firstSeed: 144,
    isSeen: "underFaults",
    api: releasesLock,
  },
  {
    name: "deletes the claims of a cluster that is deleted",
    firstSeed: 9,
    isSeen: "underFaults",
    plan: planners.deletesClaims,
  },
  {
    name: "labels the new leader before the old one's label is gone, and asks no server",
    firstSeed: 23,
    isSeen: "underFaults",
    plan: planners.labelsUpFirst,
    api: hidesLeaderLabel,
  },
  {
    name: "writes to pods and claims whatever their uid is",
    firstSeed: 36,
    isSeen: "underFaults",
    api: withoutUids,
  },
  {
    name: "measures its leadership with a clock that sleeps with it",
    firstSeed: 10,
    isSeen: "underFaults",
    clock: sleepingClock,
  },
  { name: "writes to a world in which nothing changed", isSeen: "inTheEnd", plan: planners.touchesAlways },
  {
    name: "does not wait for a member whose pod stops or is missing",
    firstSeed: 32,
    isSeen: "underFaults",
    plan: rollouts.forgetsAbsent,
  },
  {
    name: "takes a silent member for a well one",
    isSeen: "underFaults",
    plan: rollouts.takesSilentForWell,
  },
  {
    name: "goes by ordinals, whoever leads",
    isSeen: "underFaults",
    plan: rollouts.takesHighestFirst,
  },
  {
    name: "takes any member for the leader when not exactly one says that it leads",
    firstSeed: 111,
    isSeen: "underFaults",
    plan: rollouts.guessesLeader,
  },
  {
    name: "restarts members on what it remembers",
    firstSeed: 29,
    isSeen: "underFaults",
    plan: rollouts.trustsMemory(),
  },
  {
    name: "goes by what members said half a minute ago",
    firstSeed: 18,
    isSeen: "underFaults",
    plan: rollouts.remembersAnswers,
  },
  {
    name: "takes a member for well when its pod is ready",
    isSeen: "underFaults",
    plan: rollouts.goesByReadiness,
  },
  {
    name: "does not ask whether members reach each other on the Raft port",
    isSeen: "underFaults",
    plan: rollouts.ignoresRaftPorts,
  },
  {
    name: "does not ask how far the execution layers are",
    firstSeed: 378,
    isSeen: "underFaults",
    plan: rollouts.ignoresLayers,
  },
  {
    name: "does not write a restart into the disruption budget",
    isSeen: "underFaults",
    plan: rollouts.forgetsBudget,
  },
  {
    name: "does not wait until an updated member takes part",
    firstSeed: 17,
    isSeen: "underFaults",
    plan: rollouts.doesNotWaitForUpdated,
  },
  {
    name: "forgets what it began on a pod",
    isSeen: "underFaults",
    plan: rollouts.forgetsBegun,
  },
  {
    name: "forgets the member that it touched before it went back",
    isSeen: "inTheEnd",
    plan: rollouts.forgetsTouched,
  },
  {
    name: "lets the leader step down for a drill whatever the others do",
    firstSeed: 1515,
    isSeen: "underFaults",
    plan: rollouts.drillsAnyhow,
  },
  {
    name: "gives members an image that was not tried",
    firstSeed: 2,
    isSeen: "underFaults",
    plan: rollouts.skipsRehearsal,
  },
  {
    name: "deletes pods that it should ask the budget for",
    firstSeed: 17,
    isSeen: "underFaults",
    plan: rollouts.deletesPods,
  },
  {
    name: "takes members away whatever their version is",
    isSeen: "underFaults",
    api: sendsNoVersion,
  },
  {
    name: "starts the members of an epoch that is not decided",
    profile: "membership",
    isSeen: "inTheEnd",
    plan: memberships.startsUndecided,
  },
  {
    name: "does not wait for the processes that may still make a block",
    firstSeed: 7,
    profile: "membership",
    isSeen: "inTheEnd",
    plan: memberships.takesFrozenForSettled,
  },
  {
    name: "stops the chain for members to come that are far behind",
    firstSeed: 155,
    profile: "membership",
    isSeen: "inTheEnd",
    plan: memberships.stopsForThoseBehind,
  },
  {
    name: "takes a change of the number of members back that was decided",
    profile: "membership",
    isSeen: "inTheEnd",
    plan: memberships.goesBackAfterDecision,
  },
  {
    name: "marks the claims of a decided epoch by what watches showed",
    firstSeed: 20_864,
    profile: "membership",
    isSeen: "underFaults",
    plan: memberships.marksUncertain,
  },
];
