import { FIRST_EPOCH } from "../../../src/model/identity.ts";
import type { Chance } from "../chance.ts";
import { blockAt, type Head, heightOf, isPartOf, nextBlock } from "./block.ts";
import type { Chains } from "./chain.ts";
import type { NodeProcess, PodRun } from "./pod-run.ts";
import type { RaftState, Volume } from "./volume.ts";

/** A member whose process runs and was not asked to end, or leads until it has handed over. */
interface Running {
  readonly run: PodRun;
  readonly process: NodeProcess;
  readonly raft: RaftState;
}

export interface RaftDependencies {
  readonly chance: Chance;
  readonly chains: Chains;
  readonly nowMs: () => number;
  readonly note: (what: string) => void;
  readonly onFork: (what: string) => void;
  /** A majority of this epoch agreed on a block. */
  readonly onCommit: (run: PodRun, epoch: number) => void;
  /** A process that leads ends when it cannot lead any more. */
  readonly exit: (run: PodRun, code: number, why: string) => void;
  /** Whether two members are out of each other's reach on the raft port. */
  readonly isCut: (one: PodRun, other: PodRun) => boolean;
}

/** Members that start without a leader look around for this long before they go to Raft. */
const LEVEL_MS = 1_000;
/** A leader goes on for so long without a majority, and tries for so long to hand over. */
const LEASE_MS = 1_000;
/** Who was led looks for another leader when nothing was heard for so long. */
const ELECTION_MS = 1_500;
const RESIGN_MS = 3_000;

export const chainKey = ({ agent }: PodRun): string =>
  `${agent.mounted.owner.chainId} signed by ${agent.mounted.proposer.slice(0, 8)}`;

/** One look at the processes of one cluster: who leads, and the next block. Who is of another epoch is no voter. */
export function tendGroup(deps: RaftDependencies, runs: readonly PodRun[]): void {
  const nowMs = deps.nowMs();
  const running = runs.flatMap((run): Running[] => {
    const { process, volume } = run;
    if (process === undefined || process.isHeld || process.upAtMs > nowMs) return [];
    const raft = volume.rafts.get(process.epoch);
    if (raft === undefined || (process.stopping !== undefined && process.role !== "leader")) return [];
    return [{ run, process, raft }];
  });
  const epochs = new Set(running.map(({ process }) => process.epoch));
  // Also where nobody runs, as chance is asked in any case.
  if (epochs.size === 0) epochs.add(FIRST_EPOCH);
  for (const epoch of epochs)
    tendEpoch(
      deps,
      running.filter(({ process }) => process.epoch === epoch),
    );
  tendFullNodes(deps, runs);
}

function tendEpoch(deps: RaftDependencies, running: readonly Running[]): void {
  const leader = running.find(({ process }) => process.role === "leader");
  if (leader !== undefined && isLost(deps, leader, running)) {
    deps.exit(leader.run, 1, "leader lock lost");
    return;
  }
  level(deps, running, leader);
  if (leader === undefined) elect(deps, running);
  else if (leader.process.stopping === undefined) lead(deps, running, leader);
  else resign(deps, running, leader, leader.process.stopping.sinceMs);
}

function isLost(deps: RaftDependencies, leader: Running, running: readonly Running[]): boolean {
  if (hasMajority(deps, leader, running)) leader.process.quorumAtMs = deps.nowMs();
  return deps.nowMs() - leader.process.quorumAtMs >= LEASE_MS;
}

/** Who may vote for this member, by its own membership, and hears it. */
function votersOf({ isCut }: RaftDependencies, one: Running, running: readonly Running[]) {
  const ids = one.raft.voters.map(({ id }) => id);
  return running.filter(
    ({ run, process }) => process.mode === "raft" && ids.includes(run.name) && !isCut(one.run, run),
  );
}

const majority = ({ raft }: Running) => Math.floor(raft.voters.length / 2) + 1;
const hasMajority = (deps: RaftDependencies, one: Running, running: readonly Running[]) =>
  votersOf(deps, one, running).length >= majority(one);

/** A full node goes to Raft beside a leader, or when a majority is there to compare with. */
function level({ nowMs }: RaftDependencies, running: readonly Running[], leader: Running | undefined): void {
  for (const one of running.filter(({ process }) => process.mode === "level")) {
    const isOld = nowMs() - one.process.startedMs >= LEVEL_MS;
    if (leader !== undefined || (isOld && running.length >= majority(one))) one.process.mode = "raft";
  }
}

function elect(deps: RaftDependencies, running: readonly Running[]): void {
  const nowMs = deps.nowMs();
  for (const { process } of running) {
    if (process.role !== "waiting") process.waitingSinceMs = nowMs;
    process.role = "waiting";
  }
  const able = running.filter(
    (one) =>
      one.process.mode === "raft" &&
      one.process.catchUp > 0 &&
      nowMs - one.process.waitingSinceMs >= ELECTION_MS &&
      hasMajority(deps, one, running),
  );
  const candidate = deps.chance.is(0.4) ? deps.chance.pick(able) : undefined;
  if (candidate === undefined) return;
  const granted = votersOf(deps, candidate, running).filter(({ raft }) => isUpToDate(candidate.raft, raft));
  const term = 1 + Math.max(...running.map(({ raft }) => raft.term));
  for (const { raft } of granted) raft.term = term;
  if (granted.length >= majority(candidate)) take(deps, candidate, term);
}

function take({ nowMs, note }: RaftDependencies, { run, process, raft }: Running, term: number): void {
  raft.term = term;
  process.role = "leader";
  process.ledSinceMs = nowMs();
  process.quorumAtMs = nowMs();
  process.firstBlock = undefined;
  note(`${run.name} leads in term ${term} at height ${heightOf(endOf({ run, process, raft }))}`);
}

/** Raft's rule: the last term counts, and then the length. */
function isUpToDate(candidate: RaftState, voter: RaftState): boolean {
  const [own, other] = [candidate.log?.term ?? 1, voter.log?.term ?? 1];
  return own === other ? heightOf(candidate.log) >= heightOf(voter.log) : own > other;
}

/** What the next block comes after: an epoch after the first one begins on what lies in the store. */
const endOf = ({ run, process, raft }: Running): Head =>
  raft.log ?? (process.epoch > FIRST_EPOCH ? run.volume.stored : undefined);

/** A new block follows only when a majority has the last one. */
function lead(deps: RaftDependencies, running: readonly Running[], leader: Running): void {
  const { chance, chains, nowMs } = deps;
  const { raft, process } = leader;
  const { volume } = leader.run;
  const end = endOf(leader);
  if (!process.isIdle && isPartOf(end, volume.stored)) {
    raft.log = nextBlock(end, { term: raft.term, id: chains.newBlock(), timeMs: nowMs() });
    process.firstBlock ??= raft.log;
  }
  const others = votersOf(deps, leader, running).filter((one) => one !== leader);
  const level = others.filter((one) => chance.is(0.9) && follow(leader, one));
  for (const one of running.filter(({ run }) => run !== leader.run && deps.isCut(leader.run, run)))
    one.run.volume.stored = caughtUp(one, one.run.volume.stored, volume.stored);
  if (1 + level.length < majority(leader)) return;
  for (const one of [leader, ...level]) store(one);
  commit(deps, leader);
}

/**
 * The follower takes over what it lacks, some blocks at a time. True when it has all that the leader has. One that
 * never catches up has the log all the same, as Raft is not what is wrong with it: its vote counts, its store lags.
 */
function follow(leader: Running, one: Running): boolean {
  const { raft, process } = one;
  const { volume } = one.run;
  process.role = "follower";
  raft.term = leader.raft.term;
  if (process.catchUp === 0) {
    raft.log = leader.raft.log;
    return true;
  }
  const end = endOf(one);
  const common = isPartOf(end, leader.raft.log) ? end : volume.stored;
  raft.log = caughtUp(one, common, leader.raft.log);
  if (raft.log === leader.raft.log) return true;
  if (heightOf(raft.log) > heightOf(volume.stored)) volume.stored = raft.log;
  return false;
}

function caughtUp({ process: { catchUp } }: Pick<Running, "process">, own: Head, wanted: Head): Head {
  const heights = [heightOf(own), heightOf(wanted)] as const;
  return heights[1] <= heights[0] ? own : blockAt(wanted, Math.min(heights[0] + catchUp, heights[1]));
}

/** From the first block on, missing block data is a loss. */
function store({ run: { volume }, raft, process }: Running): void {
  if (process.catchUp === 0) return;
  keep(volume, raft.log);
}

function keep(volume: Volume, head: Head): void {
  volume.stored = head;
  if (volume.record && !volume.record.hadBlocks) volume.record = { ...volume.record, hadBlocks: true };
}

/**
 * They hear of the blocks that are made while they run, and of those before from the members that are up when they
 * start. Whoever missed one then has to start again.
 */
function tendFullNodes({ nowMs, chance }: RaftDependencies, runs: readonly PodRun[]): void {
  const up = runs.filter(({ process }) => process !== undefined && process.upAtMs <= nowMs());
  for (const { process, volume } of up) {
    if (!process?.isHeld || process.stopping !== undefined) continue;
    const sources = process.known === undefined ? up : up.filter((one) => one.process?.role === "leader");
    const heads = sources.map((one) => one.volume.stored).filter(() => chance.is(0.9));
    process.known = [process.known, ...heads].reduce(higher, volume.stored);
    if (process.catchUp === 0 || !isPartOf(volume.stored, process.known)) continue;
    const next = caughtUp({ process }, volume.stored, process.known);
    if (next !== volume.stored) keep(volume, next);
  }
}

const higher = (one: Head, other: Head): Head => (heightOf(other) > heightOf(one) ? other : one);

/** All that the leader has is decided now; what was decided before must be in it. */
function commit({ chains, onFork, onCommit }: RaftDependencies, { run, raft, process }: Running): void {
  if (raft.log === undefined) return;
  const key = chainKey(run);
  const height = chains.commit(key, raft.log);
  onCommit(run, process.epoch);
  if (height !== undefined)
    onFork(`block ${height} of ${key} was made a second time, by ${run.namespace}/${run.name}`);
}

/** A leader that was asked to end hands over to one that has all its blocks, and ends with 1 in any case. */
function resign(deps: RaftDependencies, running: readonly Running[], leader: Running, sinceMs: number): void {
  if (leader.process.isSingle) return deps.exit(leader.run, 0, "asked to end");
  const others = votersOf(deps, leader, running).filter((one) => one !== leader);
  const heir = others.find((one) => follow(leader, one) && one.process.catchUp > 0);
  if (heir === undefined && deps.nowMs() - sinceMs < RESIGN_MS) return;
  const { term } = leader.raft;
  deps.exit(leader.run, 1, "leader lock lost");
  if (heir !== undefined) take(deps, heir, term + 1);
}
