import type { Blocker } from "../api/conditions.ts";
import type { MigrationPolicy } from "../api/migration-policy.ts";
import { isBootstrapped } from "../model/identity.ts";
import { answerOf, type Member } from "../model/member.ts";
import { commonLabels } from "../model/names.ts";
import type { Action } from "./actions.ts";
import { lacksConfigs } from "./config-entries.ts";
import { isAcceptedCopy } from "./copied-volumes.ts";
import { changeOf } from "./membership-state.ts";
import { moveMember } from "./membership-steps.ts";
import { judgeCopies } from "./migration-copies.ts";
import { cut } from "./migration-cut.ts";
import {
  followingConfigs,
  isMigrating,
  type MigrationScene,
  migrationScene,
  noteTold,
} from "./migration-scene.ts";
import { allFollow, held, waits, whatAnswers } from "./migration-view.ts";
import { isAnyStarted, joiningOf, volumeIn } from "./own-volume.ts";
import { heightOf } from "./quorum.ts";
import { isOutdated, isPresent, sceneOf } from "./rollout-scene.ts";
import type { Snapshot } from "./snapshot.ts";
import { type Decider, NOTHING, type Step } from "./step.ts";
import { volumeProblems } from "./volumes.ts";

/** The old sequencer is asked this often after the start. */
const WATCH_MS = 30_000;

/**
 * Takes over the chain of a sequencer outside the cluster. The members follow it as full nodes of the first epoch, as
 * members to come do in a change of their number, and nothing but this decider lets them start.
 *
 * | identity says | seen | then |
 * | --- | --- | --- |
 * | not bootstrapped | a volume that was started: the identity is an older copy | nothing, as `bootstrap.ts` sees to it |
 * | not bootstrapped | this chain comes from outside, and the spec does not say from where any more | hold |
 * | not bootstrapped | the old sequencer told another chain id or proposer than the identity has | hold, and note nothing of it |
 * | not bootstrapped | it told something that is not noted, and tells no more | note it |
 * | not bootstrapped | a volume that cannot be used, or was prepared for a chain to begin | hold |
 * | not bootstrapped | a change of the spec is on its way to the pods | wait for it, and let it |
 * | not bootstrapped | a member's blocks came with a copy, and are not proven | see `migration-copies.ts` |
 * | not bootstrapped | every agent answers, and a member does not follow | order `join`, with the old sequencer as a peer |
 * | not bootstrapped | its owner says Running | tell how far the members are, and when it may be stopped |
 * | not bootstrapped | its owner says Stopped | see `migration-cut.ts` |
 * | bootstrapped | a member that follows, and whose claim is marked | order `start`, with its own config |
 * | bootstrapped | the old sequencer is named, and answers | alarm |
 */
export const migration: Decider = (snapshot) => {
  const scene = migrationScene(snapshot);
  if (!scene) return NOTHING;
  if (isBootstrapped(scene.identity)) return { ...watch(scene), ...start(scene) };
  if (!isMigrating(snapshot, scene.identity)) return NOTHING;
  if (isAnyStarted(snapshot.members, scene.identity)) return NOTHING;
  return follow(scene);
};

function follow(scene: MigrationScene): Step {
  const { snapshot, identity, wanted } = scene;
  if (snapshot.parsed.kind !== "valid") return waits("the spec is not valid");
  if (!wanted)
    return held(
      "this cluster was to go on with the chain of a sequencer outside, and spec.migration is gone. Set it again; or, to begin a chain of its own, delete the cluster and its volume claims, and apply it anew",
    );
  const other = mismatch(scene);
  if (other !== undefined) return held(other);
  const notes = noteTold(scene);
  if (notes.length > 0) return waits("what the old sequencer told is noted", { stages: [notes] });
  const obstacle = unusable(scene);
  if (obstacle !== undefined) return held(obstacle);
  const blockers = volumeProblems(snapshot, identity);
  if (blockers.length > 0) return waits("a volume cannot be used", { blockers });
  const change = changeUnderWay(scene);
  if (change !== undefined) return waits(`${change} is taken to the members first`, { stop: false });
  const copies = judgeCopies(scene, wanted);
  if (copies) return copies;
  return join(scene) ?? (wanted.oldSequencer === "Stopped" ? cut(scene, wanted) : accompany(scene, wanted));
}

/** As far as it can be seen from outside; nobody tells a genesis. */
function mismatch({ old, identity }: MigrationScene): string | undefined {
  if (!old?.chain) return undefined;
  const { chainId, proposer } = old.chain;
  if (chainId !== identity.chainId)
    return `the old sequencer runs chain ${shown(chainId)}, and this cluster is for ${identity.chainId}. Correct spec.migration, or spec.chain in a new cluster`;
  if (proposer !== undefined && proposer !== identity.proposer)
    return `the proposer of the old sequencer's genesis is ${shown(proposer)}, and that of spec.chain.genesis is ${identity.proposer}. Make the cluster anew with the genesis and the signer of the old sequencer`;
  return undefined;
}

/** Whoever answers there may say anything. */
const shown = (text: string) => JSON.stringify(text.slice(0, 64));

/** Before this was asked for, a chain of its own was about to begin. */
function unusable({ snapshot, identity }: MigrationScene): string | undefined {
  const fresh = snapshot.members.find((member) => {
    const volume = volumeIn(member, identity);
    return volume && !volume.change;
  });
  const { name, claimName } = fresh ?? {};
  if (name !== undefined)
    return `the volume of ${name} was prepared to begin a chain. Delete claim ${claimName} and pod ${name}; no member has started yet`;
  const refused = snapshot.members.find((member) => {
    const id = answerOf(member)?.refusedOrder?.id;
    return id === joinId(identity) || id?.startsWith(`${joinId(identity)}-copy`);
  });
  return refused && `${refused.name} refuses: ${answerOf(refused)?.refusedOrder?.message}`;
}

const joinId = ({ epoch }: { readonly epoch: number }) => `join-${epoch}`;

function changeUnderWay({ snapshot, intents }: MigrationScene): string | undefined {
  if (intents.wish) return `a change of ${intents.wish.changes.join(", ")}`;
  const target = sceneOf(snapshot, [])?.target;
  const isOnItsWay = snapshot.members
    .filter(isPresent)
    .some((member) => member.pod.update !== undefined || (target && isOutdated(member, target)));
  return isOnItsWay ? "a change of the spec" : undefined;
}

function join(scene: MigrationScene): Step | undefined {
  const { snapshot, identity, intents } = scene;
  const { members } = snapshot;
  const configs = followingConfigs(snapshot, identity, intents);
  if (!configs || lacksConfigs(snapshot, configs))
    return waits("the configurations that name the old sequencer are being written");
  const others = members.filter(
    (member) => !joiningOf(member, identity) || member.pod?.configRevision !== configs.revision,
  );
  if (others.length === 0) return undefined;
  // A claim that was not seen yet may be one of a member that was started. And members look for each other as soon as
  // they follow: a name server that is asked for a pod that has no address yet remembers that for long.
  const strange = members.find((member) => !member.claim && isPresent(member) && isKnown(member));
  if (strange) return waits(unlabelled(strange, snapshot));
  const absent = members.find((member) => !member.claim || !isPresent(member) || !isKnown(member));
  if (absent) return waits(`the agent of ${absent.name} has not told what is on its volume`);
  const to = { epoch: identity.epoch, replicas: members.length };
  const joins = others.flatMap((member) => {
    const way = isAcceptedCopy(snapshot, identity, member) ? { to, copy: {} } : { to };
    return moveMember(scene, way, member, "join", configs.revision);
  });
  return waits("members get leave to follow it", { stages: [joins].filter((stage) => stage.length > 0) });
}

/** Somebody made the claim before the cluster did, and the operator's watches show none but its own. */
function unlabelled({ claimName }: Member, { cluster }: Snapshot): string {
  const wanted = Object.entries(commonLabels(cluster.metadata.name)).map(([key, value]) => `${key}=${value}`);
  return `claim ${claimName} is not seen as one of this cluster. Label it: kubectl label pvc ${claimName} ${wanted.join(" ")}`;
}

function isKnown(member: Member): boolean {
  const answer = answerOf(member);
  return answer?.podUid === member.pod?.uid && answer?.volume.kind !== "unchecked";
}

/** While it makes the blocks. Its owner is told to stop it only when the members need nothing of it any more. */
function accompany(scene: MigrationScene, { rpcAddress }: MigrationPolicy): Step {
  const { snapshot, old, told } = scene;
  const obstacle = allFollow(scene);
  if (obstacle !== undefined) return waits(`${obstacle}. Do not stop it yet`);
  if (old?.last.kind === "told") {
    const { height } = old.last.block;
    const late = snapshot.members.find((member) => height - (heightOf(member) ?? 0) > closeBlocks(scene));
    if (late) return waits(`${late.name} is far behind it. Do not stop it yet`);
    return waits(
      "all members follow it closely. Stop its process for good, so that nothing starts it again, and then set spec.migration.oldSequencer to Stopped. No block is made from its end until the members have started",
    );
  }
  if (told)
    return waits(
      `it does not answer at ${rpcAddress} any more. If it was stopped for good, set spec.migration.oldSequencer to Stopped`,
    );
  return waits(
    `nothing that it says was heard at ${rpcAddress}: ${whatAnswers(old)}. Correct spec.migration.rpcAddress, or let the operator reach it. Do not stop it yet`,
  );
}

/** Heights are some seconds old when they are compared. */
function closeBlocks({ intents }: MigrationScene): number {
  return 10 + Math.ceil(7_000 / intents.current.spec.chain.blockTimeMs);
}

function start(scene: MigrationScene): Step {
  const { snapshot, identity, intents } = scene;
  if (changeOf(snapshot)) return NOTHING;
  const { members } = snapshot;
  const { epoch } = identity;
  const waiting = members.filter((member) => joiningOf(member, identity) && member.claim?.started === epoch);
  if (waiting.length === 0) return NOTHING;
  const to = { epoch, replicas: members.length };
  const { configRevision } = intents.current;
  const starts = waiting.flatMap((member): Action[] =>
    moveMember(scene, { to }, member, "start", configRevision),
  );
  const view = waits("they go on with its chain from here");
  return starts.length > 0 ? { ...view, stages: [starts] } : { ...view, stop: false };
}

function watch({ wanted, old }: MigrationScene): Step {
  if (!wanted || !old) return NOTHING;
  if (old.last.kind !== "told" && old.last.kind !== "listens") return { recheckAfterMs: WATCH_MS };
  const message = `The sequencer that this chain was taken over from answers again at ${wanted.rpcAddress}: ${whatAnswers(old)}. It has the key of this chain, so every block that it makes is another one than the members'. Stop it for good; when something else answers there, remove spec.migration.`;
  const blocker: Blocker = { type: "MembershipComplete", reason: "OldSequencerAnswers", message };
  return { membership: blocker, blockers: [blocker], recheckAfterMs: WATCH_MS };
}
