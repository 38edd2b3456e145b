import type { Chance } from "../chance.ts";
import type { Chains } from "./chain.ts";
import type { NodeProcess, PodRun } from "./pod-run.ts";
import type { RaftState } from "./volume.ts";

/** A member whose process runs. */
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
  /** A process that leads ends when it cannot lead any more. */
  readonly exit: (run: PodRun, code: number, why: string) => void;
}

/** Members that start without a leader look around for this long before they go to Raft. */
const LEVEL_MS = 1_000;

export const chainKey = ({ agent }: PodRun): string =>
  `${agent.mounted.owner.chainId} signed by ${agent.mounted.proposer.slice(0, 8)}`;

/** One look at the processes of one cluster: who leads, and the next block. */
export function tendGroup(deps: RaftDependencies, runs: readonly PodRun[]): void {
  const running = runs.flatMap((run): Running[] => {
    const { process, volume } = run;
    return process && volume.raft ? [{ run, process, raft: volume.raft }] : [];
  });
  const leader = running.find(({ process }) => process.role === "leader");
  if (leader !== undefined && !hasMajority(leader, running)) {
    deps.exit(leader.run, 1, "leader lock lost");
    return;
  }
  level(deps, running, leader);
  if (leader === undefined) elect(deps, running);
  else lead(deps, running, leader);
}

/** Who may vote for this member, by its own membership. */
function votersOf({ raft }: Running, running: readonly Running[]): readonly Running[] {
  const ids = raft.voters.map(({ id }) => id);
  return running.filter(({ run, process }) => process.mode === "raft" && ids.includes(run.name));
}

const majority = ({ raft }: Running) => Math.floor(raft.voters.length / 2) + 1;
const hasMajority = (one: Running, running: readonly Running[]) =>
  votersOf(one, running).length >= majority(one);

/** A full node goes to Raft beside a leader, or when a majority is there to compare with. */
function level({ nowMs }: RaftDependencies, running: readonly Running[], leader: Running | undefined): void {
  for (const one of running.filter(({ process }) => process.mode === "level")) {
    const isOld = nowMs() - one.process.startedMs >= LEVEL_MS;
    if (leader !== undefined || (isOld && running.length >= majority(one))) one.process.mode = "raft";
  }
}

function elect(deps: RaftDependencies, running: readonly Running[]): void {
  for (const { process } of running) process.role = "waiting";
  const able = running.filter((one) => one.process.mode === "raft" && hasMajority(one, running));
  const candidate = deps.chance.is(0.4) ? deps.chance.pick(able) : undefined;
  if (candidate === undefined) return;
  const granted = votersOf(candidate, running).filter(({ raft }) => isUpToDate(candidate.raft, raft));
  const term = 1 + Math.max(...running.map(({ raft }) => raft.term));
  for (const { raft } of granted) raft.term = term;
  if (granted.length < majority(candidate)) return;
  candidate.process.role = "leader";
  deps.note(`${candidate.run.name} leads in term ${term} at height ${candidate.raft.log.length}`);
}

/** Raft's rule: the last term counts, and then the length. */
function isUpToDate(candidate: RaftState, voter: RaftState): boolean {
  const [own, other] = [candidate.log.at(-1)?.term ?? 1, voter.log.at(-1)?.term ?? 1];
  return own === other ? candidate.log.length >= voter.log.length : own > other;
}

function lead(deps: RaftDependencies, running: readonly Running[], leader: Running): void {
  const { chance, chains } = deps;
  leader.raft.log = [...leader.raft.log, { term: leader.raft.term, block: chains.newBlock() }];
  const followers = votersOf(leader, running).filter((one) => one !== leader);
  const reached = followers.filter(() => chance.is(0.9));
  for (const { raft, process, run } of reached) {
    raft.log = leader.raft.log;
    raft.term = leader.raft.term;
    process.role = "follower";
    noteBlocks(run);
  }
  if (1 + reached.length < majority(leader)) return;
  noteBlocks(leader.run);
  for (const { raft } of [leader, ...reached]) raft.stored = raft.log.length;
  commit(deps, leader);
}

/** From the first block on, missing block data is a loss. */
function noteBlocks({ volume }: PodRun): void {
  if (volume.record && !volume.record.hadBlocks) volume.record = { ...volume.record, hadBlocks: true };
}

/** All that the leader has is decided now; what was decided before must be in it. */
function commit({ chains, onFork }: RaftDependencies, { run, raft }: Running): void {
  const key = chainKey(run);
  const { clusterId } = run.agent.mounted.owner;
  const from = Math.max(0, Math.min(chains.height(key), raft.log.length) - RECHECKED);
  for (const [index, { block }] of raft.log.slice(from).entries()) {
    const height = from + index + 1;
    if (chains.commit(key, clusterId, height, block) === "fork")
      onFork(`block ${height} of ${key} was made a second time, by ${run.namespace}/${run.name}`);
  }
}

/** Logs that differ in an old block differ in all that follow. */
const RECHECKED = 3;
