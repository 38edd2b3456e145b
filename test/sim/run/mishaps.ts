import { labels } from "../../../src/model/annotations.ts";
import { kinds } from "../../../src/model/kinds.ts";
import { claimName, memberName } from "../../../src/model/names.ts";
import type { Pod } from "../../../src/model/objects.ts";
import type { PodRun } from "../member/pod-run.ts";
import { NODES, nodeName } from "../node/nodes.ts";
import type { Drain } from "./drain.ts";
import type { Owner } from "./owner.ts";
import type { SimulatedOperator } from "./simulated-operator.ts";
import { meddle } from "./third-parties.ts";
import type { Universe } from "./universe.ts";
import { MAIN, TWIN } from "./wanted.ts";

export interface Stage {
  readonly universe: Universe;
  readonly owner: Owner;
  readonly operators: readonly SimulatedOperator[];
  readonly drain: Drain;
  /** Half of the owners never delete their cluster, and less happens to it. */
  readonly keepsCluster: boolean;
}

/** One thing that goes wrong. True when it really happened. */
type Mishap = (stage: Stage) => boolean;

/** With how often each is drawn, and under which name it is counted; without a name it counts itself. */
type Menu = readonly (readonly [weight: number, name: string | undefined, mishap: Mishap])[];

const menu: Menu = [
  [3, "member process killed", killProcess],
  [3, "pod deleted", (stage) => deletePod(stage, undefined)],
  [3, "pod deleted by force", (stage) => deletePod(stage, 0)],
  [2, "claim and pod deleted", deleteClaim],
  [1, "raft log overwritten", spoilRaft],
  [3, "agent silent", silenceAgent],
  [1, "node restarted", restartNode],
  [1, "image not to be had", withholdImage],
  [2, "leader killed", killLeader],
  [4, "raft port cut", cutRaftPort],
  [1, "node lost", loseNode],
  [1, "kubelet slow", slowKubelet],
  [1, "drain of all nodes begun", ({ drain }) => drain.begin()],
  [3, undefined, ({ universe }) => meddle(universe)],
  [3, "cluster deleted", deleteCluster],
  [2, "watches cut", cutWatches],
  [1, "history forgotten, watches cut", forgetHistory],
  [2, "operator killed", killOperator],
  [1, "operator stands still", stopOperator],
];

/** What a rollout has to wait for, or is surprised by. */
const rolloutMenu: Menu = [
  [6, "raft port cut", cutRaftPort],
  [2, "node lost", loseNode],
  [2, "leader killed", killLeader],
  [2, "member process killed", killProcess],
  [2, "agent silent", silenceAgent],
  [2, "pod deleted", (stage) => deletePod(stage, undefined)],
  [1, "drain of all nodes begun", ({ drain }) => drain.begin()],
];

export const mishap = (stage: Stage) => drawFrom(menu, stage);

/** One that comes in the middle of a rollout. */
export const rolloutMishap = (stage: Stage) => drawFrom(rolloutMenu, stage);

function drawFrom(items: Menu, stage: Stage): void {
  const { chance, counts } = stage.universe;
  const sum = items.reduce((total, [weight]) => total + weight, 0);
  let drawn = chance.between(1, sum);
  for (const [weight, name, happen] of items) {
    drawn -= weight;
    if (drawn > 0) continue;
    if (happen(stage) && name !== undefined) counts.add(name);
    return;
  }
}

function deleteCluster({ universe, owner, keepsCluster }: Stage): boolean {
  const ref = universe.chance.is(0.7) ? MAIN : TWIN;
  return (ref === TWIN || !keepsCluster) && owner.delete(ref);
}

function runOf({ chance, runs }: Universe, which: (run: PodRun) => boolean): PodRun | undefined {
  return chance.pick([...runs.values()].filter(which));
}

function killProcess({ universe }: Stage): boolean {
  const run = runOf(universe, ({ process }) => process !== undefined);
  if (run !== undefined) universe.kubelet.containers.exit(run, 137, "killed");
  return run !== undefined;
}

function killLeader({ universe }: Stage): boolean {
  const run = runOf(universe, ({ process }) => process?.role === "leader");
  if (run !== undefined) universe.kubelet.containers.exit(run, 137, "killed while it leads");
  return run !== undefined;
}

/** Between two members, or between one and all others. Blocks still come over the other port. */
function cutRaftPort({ universe }: Stage): boolean {
  const { chance, links, history } = universe;
  const isAny = chance.is(0.5);
  const one = runOf(
    universe,
    ({ process }) => process?.mode === "raft" && (isAny || process.role === "leader"),
  );
  if (one === undefined) return false;
  const others = universe.groupOf(one).filter((run) => run !== one);
  const picked = chance.pick(others);
  const cut = chance.is(0.5) ? others : picked === undefined ? [] : [picked];
  const forMs = chance.between(3_000, 40_000);
  history.note(
    `the raft port of ${one.name} is cut from ${cut.map(({ name }) => name).join()} for ${forMs} ms`,
  );
  for (const other of cut) links.cut(one, other, forMs);
  return cut.length > 0;
}

/** The machine is gone for a while; its pods stay as they were said to be, also when they are deleted. */
function loseNode({ universe }: Stage): boolean {
  const { chance, kubelet, network, runs, history } = universe;
  const node = nodeName(chance.between(0, NODES - 1));
  const forMs = chance.between(5_000, 80_000);
  history.note(`${node} is lost for ${forMs} ms`);
  for (const run of runs.values()) if (run.node === node) network.silence(run.ip, forMs);
  kubelet.lose(node, forMs);
  return true;
}

function slowKubelet({ universe }: Stage): boolean {
  const { chance, troubles, history } = universe;
  const node = nodeName(chance.between(0, NODES - 1));
  const forMs = chance.between(5_000, 40_000);
  history.note(`kubelet of ${node} is slow for ${forMs} ms`);
  troubles.slow(node, forMs);
  return true;
}

/** Half of the time one whose role is not told yet: then the operator is about to write to it. */
function podOf({ chance, registry }: Universe): Pod | undefined {
  const pods = registry.store.all(kinds.pod);
  const untold = pods.filter(({ metadata }) => metadata.labels?.[labels.role] === undefined);
  return chance.pick(untold.length > 0 && chance.is(0.5) ? untold : pods);
}

function deletePod({ universe }: Stage, gracePeriodSeconds: number | undefined): boolean {
  const pod = podOf(universe);
  if (pod === undefined) return false;
  universe.history.note(
    `somebody deletes pod ${pod.metadata.name}, grace ${gracePeriodSeconds ?? "as it is"}`,
  );
  universe.registry.delete(
    kinds.pod,
    pod.metadata,
    gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds },
  );
  return true;
}

/** Of one member at a time: more than the others can bring back is no matter of the operator. */
function deleteClaim({ universe, owner }: Stage): boolean {
  const { chance, registry, history } = universe;
  const ordinal = chance.between(0, owner.replicas - 1);
  const ref = { namespace: MAIN.namespace, name: claimName(MAIN.name, ordinal) };
  if (registry.store.get(kinds.claim, ref) === undefined || !owner.mayLose(MAIN, ordinal)) return false;
  history.note(`somebody deletes claim ${ref.name} and its pod`);
  registry.delete(kinds.claim, ref);
  const pod = { namespace: MAIN.namespace, name: memberName(MAIN.name, ordinal) };
  if (registry.store.get(kinds.pod, pod) !== undefined) registry.delete(kinds.pod, pod);
  return true;
}

/** Its process goes on with what it has in memory, so it is killed, too. */
function spoilRaft({ universe, owner }: Stage): boolean {
  const { chance, kubelet, history } = universe;
  const ordinal = chance.between(0, owner.replicas - 1);
  const name = memberName(MAIN.name, ordinal);
  const run = runOf(universe, (one) => one.name === name && one.namespace === MAIN.namespace);
  const raft = run?.volume.raft;
  if (run?.process === undefined || raft === undefined || !owner.mayLose(MAIN, ordinal)) return false;
  history.note(`somebody overwrites the Raft log of ${name}, and kills it`);
  raft.isSpoilt = true;
  kubelet.containers.exit(run, 137, "killed");
  return true;
}

function silenceAgent({ universe }: Stage): boolean {
  const { chance, network, history } = universe;
  const run = runOf(universe, () => true);
  if (run === undefined) return false;
  const forMs = chance.between(2_000, 60_000);
  history.note(`the agent of ${run.name} is silent for ${forMs} ms`);
  network.silence(run.ip, forMs);
  return true;
}

/** Every container of a node ends at once; pods and volumes stay. */
function restartNode({ universe }: Stage): boolean {
  const { kubelet, history, runs } = universe;
  const node = runOf(universe, () => true)?.node;
  if (node === undefined) return false;
  history.note(`${node} restarts`);
  for (const run of runs.values()) if (run.node === node) kubelet.reboot(run);
  return true;
}

function withholdImage({ universe }: Stage): boolean {
  const { chance, nowMs } = universe;
  const run = runOf(universe, ({ process }) => process === undefined);
  if (run !== undefined) run.container.noImageUntilMs = nowMs + chance.between(2_000, 20_000);
  return run !== undefined;
}

function cutWatches({ universe, operators }: Stage): boolean {
  const { chance } = universe;
  const end = chance.pick(["closed", "broken", "mute"] as const) ?? "closed";
  const kind = chance.pick([kinds.pod, kinds.claim, kinds.cluster, kinds.statefulSet, undefined]);
  for (const { client } of operators) client.endWatches(end, kind);
  if (end === "mute") universe.muteSinceMs = universe.nowMs;
  return true;
}

function forgetHistory({ universe, operators }: Stage): boolean {
  universe.registry.store.compact();
  for (const { client } of operators) client.endWatches("closed");
  return true;
}

function killOperator({ universe, operators }: Stage): boolean {
  const { chance } = universe;
  const operator = chance.pick(operators.filter(({ isRunning }) => isRunning));
  operator?.kill(chance.between(500, 40_000));
  return operator !== undefined;
}

/** Longer than the Lease lasts, so that another one leads when it goes on. */
function stopOperator({ universe, operators }: Stage): boolean {
  const { chance } = universe;
  const operator = chance.pick(operators.filter(({ isRunning }) => isRunning));
  operator?.stop(chance.between(3_000, 30_000));
  return operator !== undefined;
}
