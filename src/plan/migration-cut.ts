import type { MigrationPolicy } from "../api/migration-policy.ts";
import { answerOf } from "../model/member.ts";
import type { ToldBlock } from "../model/old-sequencer.ts";
import { markAll, waitForPaths } from "./bootstrap.ts";
import { headOf, inequalityOf } from "./last-block.ts";
import { prepareNext } from "./membership-steps.ts";
import type { MigrationScene } from "./migration-scene.ts";
import { allFollow, held, waits, whatAnswers } from "./migration-view.ts";
import { joiningOf } from "./own-volume.ts";
import type { Step } from "./step.ts";

/** The RPC has to be silent for so long, at each of the looks, which come every two seconds. */
const SILENT_MS = 30_000;
/** The members' blocks have to be the same for so long, and on a slow chain for some blocks. */
const STILL_MS = 15_000;
const STILL_BLOCKS = 3;

/**
 * From the owner's word that the old sequencer is stopped for good to the leave to start. The word alone is not enough,
 * nor is silence: whatever speaks against the one or the other holds the start, for ever if need be.
 *
 * | seen | then |
 * | --- | --- |
 * | it never told a block: nobody knows what the silence means | hold |
 * | something answers at its address | hold |
 * | a member does not follow, or members do not hold the same last block | wait |
 * | they hold another block than it told, at the height of its last one | hold |
 * | they lack blocks that it told | wait; when nothing moves any more, hold |
 * | its silence is young, or the members' blocks moved lately | wait |
 * | a Raft path that is not open | wait |
 * | a member is not prepared | order `bootstrap` |
 * | any of it was not looked at anew | look again |
 * | anything else | mark every claim, then the identity: members may start, and the old sequencer never again |
 */
export function cut(scene: MigrationScene, wanted: MigrationPolicy): Step {
  const { snapshot, identity, told, old } = scene;
  const where = wanted.rpcAddress;
  if (!told)
    return held(
      `no sequencer ever answered at ${where} (${whatAnswers(old)}), so its last block is not known, and its silence says nothing. Correct spec.migration.rpcAddress; or start it once more, and set spec.migration.oldSequencer to Running`,
    );
  if (old?.last.kind === "told" || old?.last.kind === "listens")
    return held(
      `spec.migration.oldSequencer says that it is stopped, but at ${where} something answers: ${whatAnswers(old)}. Stop it for good, or set the field to Running`,
    );
  const obstacle = allFollow(scene) ?? inequalityOf(snapshot.members);
  if (obstacle !== undefined) return waits(`it is silent, and ${obstacle}`);
  const paths = waitForPaths(snapshot);
  const path = paths && waits("a Raft path between the members is not known to be open", paths);
  return judgeBlocks(scene, told) ?? judgeTime(scene) ?? path ?? prepare(scene) ?? decide();

  function decide(): Step {
    if (!snapshot.isCertain) return waits("all is looked at once more", { needsCertainty: true });
    const marks = markAll(snapshot.members, snapshot, identity);
    return waits("the members get leave to start", marks);
  }
}

function judgeBlocks(scene: MigrationScene, told: ToldBlock): Step | undefined {
  const head = headOf(scene.snapshot.members[0]);
  if (!head || head.height < told.height) {
    const why = `the old sequencer told block ${told.height}, and the members hold the chain up to ${head?.height ?? 0}`;
    if (!isStill(scene)) return waits(`they get its last blocks`);
    return held(
      `${why}. Started now, they would make other blocks in place of those that are missing. Start the old sequencer once more, reachable under spec.migration.peer, set spec.migration.oldSequencer to Running, and stop it when they have them`,
    );
  }
  if (head.height > told.height || told.hash === undefined || told.hash === head.hash) return undefined;
  return held(
    `the members hold block ${head.height} with hash ${head.hash}, and the old sequencer told ${told.hash}. Find out which chain is the right one; to get it anew, delete the cluster and its volume claims, and apply it again`,
  );
}

/** Blocks that a sequencer makes whose RPC nobody reaches are seen at the members, which still have it as a peer. */
function judgeTime(scene: MigrationScene): Step | undefined {
  if ((scene.old?.silentMs ?? 0) >= SILENT_MS && isStill(scene)) return undefined;
  return waits(`its silence is watched for ${SILENT_MS / 1_000} s, and whether no block comes from anywhere`);
}

function isStill({ old, intents }: MigrationScene): boolean {
  const { blockTimeMs, lazy } = intents.current.spec.chain;
  const needed = Math.max(STILL_MS, STILL_BLOCKS * Math.max(blockTimeMs, lazy?.intervalMs ?? 0));
  return (old?.membersStillMs ?? 0) >= needed;
}

function prepare(scene: MigrationScene): Step | undefined {
  const { snapshot, identity } = scene;
  const unprepared = snapshot.members.filter((member) => !joiningOf(member, identity)?.prepared);
  if (unprepared.length === 0) return undefined;
  const id = `bootstrap-${identity.epoch}`;
  const refusing = unprepared.find((member) => answerOf(member)?.refusedOrder?.id === id);
  if (refusing) return held(`${refusing.name} refuses: ${answerOf(refusing)?.refusedOrder?.message}`);
  const to = { epoch: identity.epoch, replicas: snapshot.members.length };
  const orders = unprepared.flatMap((member) => prepareNext(scene, { to }, member));
  return waits("they prepare for their start", { stages: [orders].filter((stage) => stage.length > 0) });
}
