import type { Blocker } from "../api/conditions.ts";
import type { OldSequencer } from "../model/old-sequencer.ts";
import type { MigrationScene } from "./migration-scene.ts";
import { joiningOf } from "./own-volume.ts";
import { heightOf } from "./quorum.ts";
import { isPresent } from "./rollout-scene.ts";
import type { Step } from "./step.ts";

const RECHECK_MS = 1_000;

/** Nothing else is done to the members meanwhile, unless `step` says so. */
export const waits = (why: string, step: Step = {}): Step => ({
  stop: true,
  recheckAfterMs: RECHECK_MS,
  membership: { reason: "Migrating", message: `The members follow the old sequencer: ${why}.` },
  ...step,
});

/** It takes a person. */
export function held(why: string): Step {
  const message = `No member starts: ${why}.`;
  const blocker: Blocker = { type: "MembershipComplete", reason: "MigrationHeld", message };
  return { stop: true, recheckAfterMs: RECHECK_MS, membership: blocker, blockers: [blocker] };
}

/** What was found at its address last; says nothing that moves. */
export function whatAnswers(old: OldSequencer | undefined): string {
  switch (old?.last.kind) {
    case "told":
      return "a sequencer tells its blocks";
    case "listens":
      return old.last.what;
    case "silent":
      return old.last.why;
    case "notYet":
    case undefined:
      return "it was not asked yet";
  }
}

/** Why not every member follows, with nobody among them that could make a block; undefined when all do. */
export function allFollow({ snapshot, identity }: MigrationScene): string | undefined {
  for (const member of snapshot.members) {
    const { name } = member;
    if (!isPresent(member)) return `${name} has no pod`;
    const found = joiningOf(member, identity);
    if (!found) return `${name} has not told that it follows`;
    if (found.copy && !found.copy.proven) return `the copy on the volume of ${name} is not proven`;
    if (!found.settled) return `ev-node of ${name} does not run as a full node yet`;
    if (heightOf(member) === undefined) return `${name} does not tell its last block`;
  }
  return undefined;
}
