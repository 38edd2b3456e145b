import { join } from "node:path";
import { runsInRaft } from "../evnode/config.ts";
import { CorruptFile } from "../evnode/corrupt-file.ts";
import type { AgentAnswer } from "../model/agent-protocol.ts";
import { majorityOf } from "../model/majority.ts";
import { type MemberTexts, ownText } from "./check-config.ts";
import { readIfPresent } from "./disk.ts";
import { heightOf } from "./findings.ts";
import { CONFIG_FILE, installConfig } from "./install.ts";
import type { Keeper, KeeperDependencies } from "./keeper.ts";
import { judgeLevel, lacksBlocks, type PeerLevel } from "./levelling.ts";
import type { MemberFacts } from "./member-facts.ts";
import { isRaftPortOpen } from "./node-watch.ts";
import { isFresh, levelOf } from "./peer-level.ts";
import { lookAtRaftFolder } from "./raft-folder.ts";
import { dropAbove, loggedHeight } from "./raft-log.ts";
import type { Resolve } from "./resolve.ts";
import { Restarter } from "./restarter.ts";
import type { Settings } from "./settings.ts";

type Mode = Exclude<NonNullable<AgentAnswer["mode"]>["kind"], "single">;

/** The text of ev-node's config in each mode. */
export type ModeConfigs = Readonly<Record<Mode, string>>;

/**
 * How long members in Raft may be without a leader before they come back for one that lacks blocks: when they are no
 * majority without it, and when they are, but kubelet holds some of them back.
 */
const LEADERLESS_MS = 5_000;
const LEADERLESS_MAJORITY_MS = 60_000;

export interface ModeKeeperDependencies extends KeeperDependencies {
  readonly raftFolder: string;
  /** What this member held when the epoch began: no fewer blocks than if its Raft log had them. */
  readonly beganAt: number;
  readonly facts: MemberFacts;
  readonly configs: ModeConfigs;
  readonly resolve: Resolve;
  /** `Start` leaves it to Raft alone which blocks survive when all members stopped, as ev-node does by itself. */
  readonly afterOutage: Settings["afterOutage"];
  /** Looks at the chain and at every peer anew. */
  readonly look: () => Promise<void>;
}

/**
 * Keeps ev-node in the mode that is safe: in Raft, or as a full node until its blocks are level with its Raft log (see
 * `levelling.ts`). What ev-node runs is what its config says when its container starts, so a change of the mode is a
 * new config and a restart in place.
 */
export class ModeKeeper implements Keeper {
  readonly #given: ModeKeeperDependencies;
  readonly #restarter: Restarter;
  #configs: ModeConfigs;
  #beganAt: number;
  #movedAtMs = 0;
  #picture = "";
  #leaderlessSinceMs: number | undefined;
  /** Whether ev-node was seen running since it went to Raft. */
  #ranInRaft = false;
  #why = "";

  constructor(given: ModeKeeperDependencies) {
    this.#given = given;
    this.#restarter = new Restarter(given.clock, given.stopNode);
    this.#configs = given.configs;
    this.#beganAt = given.beganAt;
  }

  /**
   * Decides the first mode. An agent that was restarted beside a running ev-node leaves it as it is: that stands in the
   * config that is installed, also when it is of another revision. Where an epoch begins, the full node of the one
   * before runs, and is known to hold what the others hold.
   */
  async begin(): Promise<void> {
    const { configFolder, raftFolder } = this.#given;
    const text = (await readIfPresent(join(configFolder, CONFIG_FILE)))?.toString("utf8");
    const isInRaft = text === undefined ? undefined : runsInRaft(text);
    if (isInRaft === true) return this.#set("raft", "ev-node was started in Raft before");
    if (isInRaft === false) {
      const isNew = (await lookAtRaftFolder(raftFolder)).kind === "fresh";
      if (isNew && (this.#height() ?? -1) >= this.#beganAt) return this.#set("raft", "the epoch begins");
      return this.#set("level", "ev-node levelled before");
    }

    if (await this.#startsAsItIs())
      return this.#set("raft", "it starts at once, as spec.raft.afterOutage has it");
    if ((await this.#logged()) === 0) return this.#set("raft", "its Raft log has no block");
    const leader = this.#peers().find(({ kind }) => kind === "leads");
    if (leader !== undefined) return this.#set("raft", `${leader.name} leads`);
    return this.#set("level", "no member leads");
  }

  /** Only a log that goes on behind where the epoch began says by itself which blocks there are. */
  async #startsAsItIs(): Promise<boolean> {
    const { afterOutage, raftFolder } = this.#given;
    return afterOutage === "Start" && (await loggedHeight(raftFolder)) >= this.#beganAt;
  }

  /** To be called several times a second. A quiet member in Raft costs nothing. */
  async tend(): Promise<void> {
    const mode = this.#mode();
    if (mode === undefined) return;
    // ev-node ignores a config that was cut off, and would run by its defaults after its next restart.
    await this.#install(mode);
    if (mode === "level") return this.#tendLevel();
    return this.#tendRaft();
  }

  async use(texts: MemberTexts): Promise<void> {
    this.#configs = { raft: ownText(texts), level: texts.level };
    const mode = this.#mode();
    if (mode !== undefined) await this.#install(mode);
  }

  /**
   * Ends the process of ev-node for another reason than its mode. A process that was asked to end a moment ago is not
   * asked again, whoever asked: this may have to be called more than once.
   */
  async restart(): Promise<void> {
    await this.#restarter.restart();
  }

  #mode(): Mode | undefined {
    const mode = this.#given.board.findings().mode?.kind;
    return mode === "single" ? undefined : mode;
  }

  async #install(mode: Mode): Promise<void> {
    const { disk, configFolder } = this.#given;
    await installConfig(disk, configFolder, this.#configs[mode]);
  }

  async #tendLevel(): Promise<void> {
    const { board, clock, look, facts, resolve, raftFolder, log } = this.#given;
    // A process that was started with the other config: it has the Raft log open.
    if (await isRaftPortOpen(facts, resolve, clock)) return this.restart();
    await look();
    const own = await this.#own();
    const peers = this.#peers();
    const nowMs = clock.monotonicMs();
    const picture = JSON.stringify([own, peers]);
    if (picture !== this.#picture) this.#movedAtMs = nowMs;
    this.#picture = picture;

    const verdict = judgeLevel({ own, peers, stillMs: nowMs - this.#movedAtMs });
    if (verdict.kind === "raft") return this.#switch("raft", verdict.why);
    if (verdict.kind !== "dropAbove") this.#say(verdict.why);
    if (verdict.kind === "askAgain") return this.restart();
    if (verdict.kind === "stay") return;
    log.warn({ height: verdict.height }, "no member holds the last blocks of the Raft log: they are dropped");
    dropAbove(raftFolder, verdict.height);
    this.#beganAt = Math.min(this.#beganAt, verdict.height);
    board.update({ mode: { kind: "level" } });
  }

  /** The Raft log does not change while ev-node runs without it, so it is read once. */
  async #own() {
    const { board } = this.#given;
    const { mode } = board.findings();
    const height = this.#height();
    if (mode?.kind === "level" && mode.loggedHeight !== undefined)
      return { height, loggedHeight: mode.loggedHeight };
    try {
      const logged = await this.#logged();
      board.update({ mode: { kind: "level", loggedHeight: logged } });
      return { height, loggedHeight: logged };
    } catch (error) {
      if (!(error instanceof CorruptFile)) throw error;
      this.#say(`cannot read its Raft log: ${error.message}`);
      return { height, loggedHeight: undefined };
    }
  }

  #height(): number | undefined {
    const { board, clock } = this.#given;
    const { node } = board.findings();
    return heightOf(node, clock.monotonicMs());
  }

  async #logged(): Promise<number> {
    return Math.max(await loggedHeight(this.#given.raftFolder), this.#beganAt);
  }

  /**
   * Members that start in Raft wait for each other with their HTTP server closed. One that lacks blocks cannot get
   * them from those, and without its vote there may be no majority: then all level again. The same when all processes
   * ended at once while their pods stayed, if that is seen before kubelet starts them again.
   */
  async #tendRaft(): Promise<void> {
    const { board, facts, resolve, clock } = this.#given;
    const { node } = board.findings();
    // A process that was started with another config answers, and knows nothing of Raft.
    if (node.kind === "open" && node.isLeader === undefined && !(await isRaftPortOpen(facts, resolve, clock)))
      return this.restart();
    const isUp = node.kind === "open" || node.metricsPortOpen || node.raftPortOpen;
    // The process that levelled may still be there, and soon everywhere on its way down.
    this.#ranInRaft ||= node.kind === "open" ? node.isLeader !== undefined : node.raftPortOpen;
    const comesBack = this.#given.afterOutage === "Level";
    if (comesBack && !isUp && this.#ranInRaft && (await this.#isEverybodyDown())) {
      return this.#set("level", "ev-node stopped everywhere at once");
    }
    const mode = board.findings().mode;
    const knowsLeader = node.kind === "open" && node.isLeader !== undefined;
    if (knowsLeader && mode?.kind === "raft" && mode.levelled) board.update({ mode: { kind: "raft" } });
    if (comesBack) await this.#comeBackForShort(node.kind === "closed" && node.raftPortOpen);
  }

  async #comeBackForShort(isWaiting: boolean): Promise<void> {
    const peers = this.#peers();
    const nowMs = this.#given.clock.monotonicMs();
    const isLeaderless = isWaiting && !peers.some(({ kind }) => kind === "leads");
    this.#leaderlessSinceMs = isLeaderless ? (this.#leaderlessSinceMs ?? nowMs) : undefined;
    const short = peers.find((peer) => peer.kind === "level" && lacksBlocks(peer));
    if (this.#leaderlessSinceMs === undefined || short === undefined) return;

    const inRaft = 1 + peers.filter(({ kind }) => kind === "raft").length;
    const patienceMs = inRaft < majorityOf(peers.length + 1) ? LEADERLESS_MS : LEADERLESS_MAJORITY_MS;
    if (nowMs - this.#leaderlessSinceMs < patienceMs) return;
    await this.#switch("level", `nobody leads, and ${short.name} lacks blocks`);
  }

  async #isEverybodyDown(): Promise<boolean> {
    const { board, clock, look } = this.#given;
    await look();
    const nowMs = clock.monotonicMs();
    const { peers } = board.findings();
    return (
      peers.length > 0 && peers.every(({ stance }) => isFresh(stance, nowMs) && stance?.value.isUp === false)
    );
  }

  async #switch(mode: Mode, why: string): Promise<void> {
    this.#restarter.forget();
    await this.#set(mode, why);
    if (mode === "raft") this.#given.board.update({ mode: { kind: "raft", levelled: true } });
    await this.restart();
  }

  async #set(mode: Mode, why: string): Promise<void> {
    const { board, clock } = this.#given;
    await this.#install(mode);
    this.#movedAtMs = clock.monotonicMs();
    this.#leaderlessSinceMs = undefined;
    this.#ranInRaft = false;
    board.update({ mode: { kind: mode } });
    this.#say(why);
  }

  #peers(): readonly PeerLevel[] {
    const { board, clock } = this.#given;
    const nowMs = clock.monotonicMs();
    return board.findings().peers.map((peer) => levelOf(peer, nowMs));
  }

  #say(why: string): void {
    if (why === this.#why) return;
    this.#why = why;
    this.#given.log.info({ mode: this.#given.board.findings().mode?.kind, why }, "mode");
  }
}
