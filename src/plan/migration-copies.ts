import type { MigrationPolicy } from "../api/migration-policy.ts";
import type { Action } from "./actions.ts";
import { lacksConfigs } from "./config-entries.ts";
import { type UnprovenCopy, unprovenCopies } from "./copied-volumes.ts";
import { moveMember } from "./membership-steps.ts";
import { followingConfigs, type MigrationScene } from "./migration-scene.ts";
import { held, waits, whatAnswers } from "./migration-view.ts";
import type { Step } from "./step.ts";

/**
 * Members whose blocks came with a copy of the old sequencer's data. Until their last block is proven they run alone,
 * so that the blocks of a fork, or of another chain, reach nobody, and nothing covers them.
 *
 * | last block of the copy | the old sequencer | then |
 * | --- | --- | --- |
 * | any, and the spec does not accept copies any more | any | hold |
 * | not read yet | any | wait |
 * | none | any | order `join` with it as proven |
 * | any | told the same one | order `join` with it as proven |
 * | any | told another one at its height | hold: of a fork, or of another chain |
 * | any | has not come so far | hold: the copy is ahead of it |
 * | any | did not tell | wait; when its owner says Stopped, hold |
 */
export function judgeCopies(scene: MigrationScene, wanted: MigrationPolicy): Step | undefined {
  const { snapshot, identity } = scene;
  const copies = unprovenCopies(snapshot.members, identity);
  if (copies.length === 0) return undefined;
  const verdicts = copies.map((copy) => judgeCopy(scene, wanted, copy));
  const problem = verdicts.find(({ kind }) => kind === "held");
  if (problem?.kind === "held") return held(problem.why);
  const orders = verdicts.flatMap((verdict) =>
    verdict.kind === "proven" ? accept(scene, verdict.copy) : [],
  );
  const open = verdicts.find(({ kind }) => kind === "open");
  return waits(open?.kind === "open" ? open.why : "they get leave to go on from copies", {
    stages: [orders].filter((stage) => stage.length > 0),
  });
}

type Verdict =
  | { readonly kind: "held" | "open"; readonly why: string }
  | { readonly kind: "proven"; readonly copy: UnprovenCopy };

function judgeCopy({ old }: MigrationScene, wanted: MigrationPolicy, copy: UnprovenCopy): Verdict {
  const { member, head } = copy;
  const { name, claimName } = member;
  const instead = `To have ${name} get the chain from the old sequencer, delete claim ${claimName} and pod ${name}`;
  if (wanted.copies !== "Accept")
    return {
      kind: "held",
      why: `the blocks of ${name} came with a copy, and spec.migration.copies does not say Accept any more. Set it again. ${instead}`,
    };
  if (!head)
    return {
      kind: "open",
      why: `${name} reads the copy on its volume. When that takes longer than a minute, ev-node does not run on it: see its log`,
    };
  if (head.height === 0) return { kind: "proven", copy };
  const what = `the copy on the volume of ${name} ends with block ${head.height}`;
  const told = old?.asked.find(({ height }) => height === head.height);
  if (told?.hash === head.hash) return { kind: "proven", copy };
  if (told?.hash !== undefined)
    return {
      kind: "held",
      why: `${what} with hash ${head.hash}, and the block of the old sequencer there has hash ${told.hash}. The copy is of a fork or of another chain. ${instead}`,
    };
  if (told)
    return {
      kind: "held",
      why: `${what}, and the old sequencer has no such block: the copy is ahead of it. Find out which of the two was served; a sequencer that was put back to an older state makes other blocks in place of those that it lost. ${instead}`,
    };
  const { rpcAddress, oldSequencer } = wanted;
  const missing = `${what}, and the old sequencer has not told that it has it, too: at ${rpcAddress}, ${whatAnswers(old)}`;
  if (oldSequencer === "Running") return { kind: "open", why: `${missing}. Do not stop it yet` };
  return {
    kind: "held",
    why: `${missing}. Start it once more, reachable there, and set spec.migration.oldSequencer to Running. ${instead}`,
  };
}

function accept(scene: MigrationScene, { member, head }: UnprovenCopy): Action[] {
  const { snapshot, identity, intents } = scene;
  const configs = followingConfigs(snapshot, identity, intents);
  if (!configs || !head || lacksConfigs(snapshot, configs)) return [];
  const to = { epoch: identity.epoch, replicas: snapshot.members.length };
  return moveMember(scene, { to, copy: { proven: head } }, member, "join", configs.revision);
}
