import { annotations } from "../../../src/model/annotations.ts";
import { kinds } from "../../../src/model/kinds.ts";
import { disruptionBudgetName } from "../../../src/model/names.ts";
import type { Pod } from "../../../src/model/objects.ts";
import { readPodUpdate } from "../../../src/model/pod-update.ts";
import type { Request } from "../faults.ts";
import { type TrueGroup, takesPart, trueLeader } from "../member/participation.ts";
import type { PodRun } from "../member/pod-run.ts";
import { mergePatched } from "../merge-patch.ts";
import { Rehearsals } from "../node/rehearsals.ts";
import { drillOf } from "./drills.ts";
import { nodeImage, podOfRun, runsTarget, setOfRun } from "./target.ts";
import type { Universe } from "./universe.ts";

/**
 * The look and the act cannot be one instant. What changed less than this long before a write was sent could not be
 * known to whoever sent it; such writes are counted, and are no mistakes.
 */
const UNKNOWABLE_MS = 1_000;

/** Members that could have elected a leader for so long and did not have no quorum that could be lost. */
const STUCK_MS = 29_000;

/** A write that takes a member away, and what is wrong with it. */
interface Disruption {
  readonly victim: PodRun;
  readonly isHealthy: boolean;
  readonly problems: readonly string[];
  readonly nearMisses: readonly string[];
}

/** Everything that the rules look at; true as it is, and not as anybody was told. */
interface Scene {
  readonly universe: Universe;
  readonly victim: PodRun;
  readonly group: TrueGroup;
  readonly others: readonly PodRun[];
  /** Whether that may be known to the sender of the write. */
  readonly isKnowable: (sinceMs: number | undefined) => boolean;
}

type Verdict = { readonly kind: "fine" } | { readonly kind: "wrong" | "nearMiss"; readonly what: string };
type Rule = (scene: Scene) => Verdict;

const fine: Verdict = { kind: "fine" };
const found = (isKnowable: boolean, what: string): Verdict => ({
  kind: isKnowable ? "wrong" : "nearMiss",
  what,
});

/** What must hold of every write of an operator that takes a member away, judged on the true state. */
export class DisruptionRules {
  readonly #universe: Universe;
  readonly #judged = new Map<Request, Disruption>();
  /** Members that an operator took away, until they take part again: names by `namespace/name`. */
  readonly #away = new Set<string>();
  readonly #drilled = new Map<string, PodRun["process"]>();

  constructor(universe: Universe) {
    this.#universe = universe;
  }

  /** After every step. */
  tend(): void {
    const { runs, registry } = this.#universe;
    for (const run of runs.values()) {
      if (this.#away.has(nameOf(run)) && isBack(this.#universe, run)) this.#away.delete(nameOf(run));
    }
    if (registry.store.all(kinds.cluster).length === 0) this.#away.clear();
  }

  /** The write arrives; whether it is carried out is not known yet. */
  onArrival(request: Request): void {
    if (request.kind !== kinds.pod.kind || request.name === undefined || request.verb === "create") return;
    const { namespace, name } = request;
    const pod = this.#universe.registry.store.get(kinds.pod, { name, ...(namespace && { namespace }) });
    if (pod === undefined) return;
    const isAct = !Rehearsals.isOne(pod) && isDisruption(request, pod);
    this.#checkEvidence(request, isAct);
    const victim = this.#universe.runs.get(pod.metadata.uid ?? "");
    if (!isAct || victim === undefined || isEnding(this.#universe, victim)) return;
    this.#judged.set(request, this.#judge(request, victim));
  }

  onCarriedOut(request: Request): void {
    const judged = this.#judged.get(request);
    this.#judged.delete(request);
    if (judged === undefined) return;
    const { victim, isHealthy, problems, nearMisses } = judged;
    const { counts, history } = this.#universe;
    if (isHealthy) this.#away.add(nameOf(victim));
    counts.add(`operator took a ${isHealthy ? "healthy" : "failed"} member away: ${wayOf(request)}`);
    history.note(`${request.client} takes ${nameOf(victim)} away: ${wayOf(request)}`);
    for (const what of nearMisses) counts.add(`near miss: ${what}`);
    for (const what of problems) this.#universe.violate(`${nameOf(victim)} was taken away although ${what}`);
  }

  onRefused(request: Request): void {
    this.#judged.delete(request);
  }

  /** Writes to pods carry the uid, and those that take a member away the version that they were decided on. */
  #checkEvidence(request: Request, isAct: boolean): void {
    const { uid, resourceVersion } = evidenceOf(request);
    const what = `${request.client} wrote ${request.verb} Pod ${request.namespace}/${request.name}`;
    if (uid === undefined) this.#universe.violate(`${what} without its uid`);
    if (isAct && resourceVersion === undefined) this.#universe.violate(`${what} without its resourceVersion`);
  }

  #judge(request: Request, victim: PodRun): Disruption {
    const { sentAtMs } = request;
    const universe = this.#universe;
    const group = universe.trueGroupOf(victim);
    const others = group.runs.filter((run) => run.name !== victim.name);
    const isKnowable = (sinceMs: number | undefined) =>
      sinceMs !== undefined && sinceMs < sentAtMs - UNKNOWABLE_MS;
    const isHealthy = takesPart(group, victim);
    const scene: Scene = { universe, victim, group, others, isKnowable };
    // One that does not run cannot be lost: a corrected spec heals it, one after another without waiting.
    const hasQuorum = !isStuck(scene);
    const ofQuorum = hasQuorum ? [keepsMajority, takesLeaderLast] : [];
    const drilled = drillOf(universe.registry, victim);
    // A change of the spec may come to a member whose drill is not over.
    const ofTarget =
      drilled && takesOutdated(scene).kind !== "fine"
        ? [keepsOthersWell, (one: Scene) => this.#drillsOnce(one, drilled)]
        : [takesOutdated];
    const rules = isKnowable(victim.process?.startedMs) ? [...ofQuorum, ...ofTarget] : [];
    const careful =
      isHealthy && hasQuorum ? [(one: Scene) => this.#oneAway(one), waitsForThoseBehind, waitsForLeader] : [];
    if (isHealthy && wayOf(request) !== "evict") careful.push(claimsBudget);
    const verdicts = [...rules, ...careful].map((rule: Rule) => rule(scene));
    const those = (kind: Verdict["kind"]) =>
      verdicts.flatMap((verdict) => (verdict.kind === kind && verdict.kind !== "fine" ? [verdict.what] : []));
    return { victim, isHealthy, problems: those("wrong"), nearMisses: those("nearMiss") };
  }

  /** S10: a drill ends one process, once. */
  #drillsOnce({ victim }: Scene, { request }: { readonly request: string }): Verdict {
    const key = `${nameOf(victim)} ${request}`;
    const process = this.#drilled.get(key) ?? victim.process;
    this.#drilled.set(key, process);
    return process === victim.process ? fine : found(true, `${request} had its restart before`);
  }

  /** S2: one at a time. */
  #oneAway({ others }: Scene): Verdict {
    const away = others.find((run) => this.#away.has(nameOf(run)));
    return away === undefined ? fine : found(true, `${away.name}, which was taken away before, is not back`);
  }
}

/** Nobody has led since the last of them started, and that is long ago. */
function isStuck({ universe: { nowMs }, group, victim }: Scene): boolean {
  const startedMs = group.runs.map(({ process }) => process?.startedMs ?? 0);
  return nowMs - Math.max(victim.leaderlessSinceMs ?? nowMs, ...startedMs) >= STUCK_MS;
}

/** S1: those that take part without the victim are still a majority. */
function keepsMajority({ group, victim, others, isKnowable }: Scene): Verdict {
  const voters = victim.volume.rafts.get(victim.process?.epoch ?? 0)?.voters.length;
  if (voters === undefined) return fine;
  // Whoever has one member accepts that a change of it stops the chain.
  if (voters === 1) return fine;
  const majority = Math.floor(voters / 2) + 1;
  const taking = others.filter((run) => takesPart(group, run)).length;
  if (taking >= majority) return fine;
  const unknowable = others.filter((run) => !takesPart(group, run) && !isKnowable(run.absentSinceMs)).length;
  return found(taking + unknowable < majority, "the others that take part are no majority");
}

/** S3: the leader goes when no other member that runs is outdated. */
function takesLeaderLast({ universe, group, victim, others, isKnowable }: Scene): Verdict {
  if (trueLeader(group) !== victim) return fine;
  const running = others.filter(({ process }) => process !== undefined && process.stopping === undefined);
  const outdated = running.find((run) => !runsTarget(universe.registry, run));
  if (outdated === undefined) return fine;
  return found(isKnowable(victim.process?.ledSinceMs), "it leads, and another member is outdated");
}

/** S10: the leader steps down for a drill only while every other member takes part and runs the target. */
function keepsOthersWell({ universe, group, victim, others, isKnowable }: Scene): Verdict {
  if (trueLeader(group) !== victim) return found(isKnowable(victim.leaderlessSinceMs), "it does not lead");
  const away = others.find((run) => !takesPart(group, run));
  if (away) return found(isKnowable(away.absentSinceMs), `${away.name} takes no part`);
  const outdated = others.find((run) => !runsTarget(universe.registry, run));
  if (!outdated) return fine;
  return found(isKnowable(outdated.process?.startedMs), `${outdated.name} is outdated`);
}

/** S9: what runs the target is not taken away for it again. */
function takesOutdated({ universe, victim, isKnowable }: Scene): Verdict {
  if (!runsTarget(universe.registry, victim)) return fine;
  const isTold = isKnowable(victim.process?.startedMs) && !isAnnounced(universe, victim);
  return found(isTold, "it runs what it has to run");
}

/** Whether a config that was announced was installed before its process started by itself, nobody tells. */
function isAnnounced({ registry }: Universe, run: PodRun): boolean {
  const notes = podOfRun(registry, run)?.metadata.annotations;
  return readPodUpdate(notes?.[annotations.update])?.config !== undefined;
}

/** While nobody leads, or is not heard by a majority, those that start count for nothing yet. */
function waitsForLeader({ victim, others, isKnowable }: Scene): Verdict {
  const { leaderlessSinceMs } = victim;
  if (leaderlessSinceMs === undefined || others.length === 0) return fine;
  return found(isKnowable(leaderlessSinceMs), "nobody leads");
}

/** A member that catches up may be needed before long. */
function waitsForThoseBehind({ others, isKnowable }: Scene): Verdict {
  const behind = others.find((run) => run.process !== undefined && run.behindSinceMs !== undefined);
  if (behind === undefined) return fine;
  return found(isKnowable(behind.behindSinceMs), `${behind.name} is too far behind`);
}

/** The budget hears of what goes without an eviction before it goes, or a drain could take a second member. */
function claimsBudget({ universe, victim, isKnowable }: Scene): Verdict {
  const { registry } = universe;
  const ref = { namespace: victim.namespace, name: disruptionBudgetName(victim.cluster) };
  const budget = registry.store.get(kinds.disruptionBudget, ref);
  if (budget === undefined || budget.status?.disruptedPods?.[victim.name] !== undefined) return fine;
  // One that is not ready is away by the budget's own count.
  const pod = podOfRun(registry, victim);
  const ready = pod?.status?.conditions?.find(({ type }) => type === "Ready");
  if (ready?.status !== "True") return fine;
  const sinceMs = [budget.metadata.creationTimestamp, ready.lastTransitionTime].map((time = "") => {
    return Date.parse(time) - registry.nowMs + universe.nowMs;
  });
  return found(isKnowable(Math.max(...sinceMs)), "the disruption budget does not know that it goes");
}

/** A member is back when it takes part, and nothing is left of what it was taken away for. */
function isBack(universe: Universe, run: PodRun): boolean {
  const pod = podOfRun(universe.registry, run);
  if (pod === undefined || pod.metadata.deletionTimestamp !== undefined) return false;
  const isDone = run.process?.image === nodeImage(pod.spec) && run.agent.memory.token?.text === tokenOf(pod);
  return isDone && takesPart(universe.trueGroupOf(run), run);
}

const tokenOf = ({ metadata }: Pod) => metadata.annotations?.[annotations.restartToken];
const nameOf = ({ namespace, name }: PodRun) => `${namespace}/${name}`;

/** A cluster that is deleted, or whose set is, has nothing to keep. */
function isEnding({ registry }: Universe, run: PodRun): boolean {
  const { namespace, cluster: name } = run;
  const cluster = registry.store.get(kinds.cluster, { namespace, name });
  return cluster?.metadata.deletionTimestamp !== undefined || setOfRun(registry, run) === undefined;
}

/** Whether the write ends the process of a member, now or as soon as kubelet or the agent sees it. */
function isDisruption(request: Request, pod: Pod): boolean {
  if (pod.metadata.deletionTimestamp !== undefined) return false;
  const { verb, body } = request;
  if (verb === "delete" || verb === "evict") return true;
  if (verb !== "replace" && verb !== "patch") return false;
  const next = (verb === "patch" ? mergePatched(pod, body) : body) as Pod;
  return nodeImage(next.spec) !== nodeImage(pod.spec) || tokenOf(next) !== tokenOf(pod);
}

function wayOf({ verb }: Request): string {
  return verb === "delete" || verb === "evict" ? verb : "in place";
}

function evidenceOf({ verb, body, preconditions }: Request): {
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
} {
  if (preconditions !== undefined) return preconditions;
  return verb === "replace" || verb === "replaceStatus" ? (body as Pod).metadata : {};
}
