import { hasMorePeers } from "../evnode/config.ts";
import { CorruptFile } from "../evnode/corrupt-file.ts";
import type { MemberTexts } from "./check-config.ts";
import { heldText } from "./copied-blocks.ts";
import { closedSince, current, heightOf } from "./findings.ts";
import { installConfig } from "./install.ts";
import type { Keeper, KeeperDependencies } from "./keeper.ts";
import { judgeHeld } from "./levelling.ts";
import { levelOf } from "./peer-level.ts";
import { dropAbove, loggedHeight } from "./raft-log.ts";
import { Restarter } from "./restarter.ts";
import { beginAs, processesBefore, type RunKind } from "./run-kind.ts";

/** Since when something is as it is. */
class Since {
  #value: string | undefined;
  #atMs = 0;

  since(value: string, nowMs: number): number {
    if (value !== this.#value) this.#atMs = nowMs;
    this.#value = value;
    return this.#atMs;
  }
}

export interface HeldKeeperDependencies extends KeeperDependencies {
  /** Of the epoch that ends; undefined for a member that joins. */
  readonly raftFolder: string | undefined;
  readonly configs: MemberTexts;
  /** Its blocks came with a copy that nobody has proven: it has no peers. */
  readonly isAlone?: boolean;
  /** The processes of ev-node that run now. */
  readonly nodeProcesses: () => Promise<readonly string[]>;
  /** Looks at the chain and at every peer anew. */
  readonly look: () => Promise<void>;
}

/**
 * Keeps ev-node a full node while the volume is on its way to another membership. The volume's record comes first, so
 * that no restart of anything leads back, and then, in this order:
 *
 * | step | cut off after it |
 * | --- | --- |
 * | run kind: a full node, nothing known of any process | begun anew |
 * | the config of a full node | begun anew; what kubelet starts is a full node |
 * | run kind: the processes that run, each of which may be another | they are ended by the next agent |
 * | those end | settled, as soon as one runs |
 */
export class HeldKeeper implements Keeper {
  readonly #given: HeldKeeperDependencies;
  readonly #restarter: Restarter;
  readonly #kind: RunKind;
  #level: string;
  #loggedHeight: number | undefined;
  readonly #still = new Since();
  readonly #stuck = new Since();
  /** The most blocks that ev-node ever told to have, and how often it was started anew to get more. */
  #most = 0;
  #asked = 0;
  /** Processes that started before their config named another source of blocks. */
  #unaware: readonly string[] = [];
  #why = "";

  constructor(given: HeldKeeperDependencies) {
    this.#given = given;
    this.#restarter = new Restarter(given.clock, given.stopNode);
    this.#kind = given.isAlone ? "alone" : "fullNode";
    this.#level = heldText(given.configs, this.#kind === "alone");
  }

  async begin(): Promise<void> {
    const { disk, configFolder, board } = this.#given;
    await beginAs(disk, configFolder, this.#kind);
    await this.#install();
    await this.#processes();
    board.update({ mode: { kind: "level" } });
  }

  async tend(): Promise<void> {
    const { board } = this.#given;
    await this.#install();
    const { running, before } = await this.#processes();
    const isSettled = before.length === 0 && running.length > 0;
    if (isSettled !== board.findings().isSettled) {
      // Told as settled, it would pass for what the new process said.
      if (isSettled) this.#forget();
      board.update({ isSettled });
    }
    const mustEnd = before.length > 0 || running.some((process) => this.#unaware.includes(process));
    if (mustEnd) return this.restart();
    if (isSettled) await (this.#kind === "alone" ? this.#given.look() : this.#tendBlocks());
  }

  /** A process that waits for blocks knows the sources alone that its config named when it started. */
  async use(texts: MemberTexts): Promise<void> {
    const level = heldText(texts, this.#kind === "alone");
    const hasMore = hasMorePeers(this.#level, level);
    this.#level = level;
    await this.#install();
    if (hasMore) this.#unaware = await this.#given.nodeProcesses();
  }

  async restart(): Promise<void> {
    await this.#restarter.restart();
  }

  async #install(): Promise<void> {
    const { disk, configFolder } = this.#given;
    await installConfig(disk, configFolder, this.#level);
  }

  async #processes() {
    const { disk, configFolder, nodeProcesses } = this.#given;
    const running = await nodeProcesses();
    return { running, before: await processesBefore(disk, configFolder, this.#kind, running) };
  }

  async #tendBlocks(): Promise<void> {
    const { board, clock, look, raftFolder, log } = this.#given;
    await look();
    const nowMs = clock.monotonicMs();
    const { node, peers } = board.findings();
    const height = heightOf(node, nowMs);
    const heights = peers.map((peer) => current(peer.height, nowMs) ?? 0);
    const highest = Math.max(0, ...heights);
    if (height !== undefined && height > this.#most) this.#asked = 0;
    this.#most = Math.max(this.#most, height ?? 0);
    const verdict = judgeHeld({
      own: { height, loggedHeight: await this.#logged() },
      peers: peers.map((peer) => levelOf(peer, nowMs)),
      highest,
      stillMs: nowMs - this.#still.since([this.#asked, height, ...heights].join(), nowMs),
      stuckMs: nowMs - this.#stuck.since([this.#asked, height, highest > (height ?? 0)].join(), nowMs),
      asked: this.#asked,
    });
    if (verdict.kind !== "dropAbove") this.#say(verdict.why);
    if (verdict.kind === "askAgain") return this.#askAgain();
    if (verdict.kind === "stay" || raftFolder === undefined) return;
    log.warn({ height: verdict.height }, "no member holds the last blocks of the Raft log: they are dropped");
    dropAbove(raftFolder, verdict.height);
    this.#loggedHeight = undefined;
  }

  async #askAgain(): Promise<void> {
    this.#asked += 1;
    this.#forget();
    await this.restart();
  }

  /** What was heard so far may be of a process that is gone. */
  #forget(): void {
    const { board, clock } = this.#given;
    this.#restarter.forget();
    if (board.findings().node.kind === "open") board.update({ node: closedSince(clock.monotonicMs()) });
  }

  /** No process has the log open, so it does not change. */
  async #logged(): Promise<number | undefined> {
    const { board, raftFolder } = this.#given;
    try {
      this.#loggedHeight ??= raftFolder === undefined ? 0 : await loggedHeight(raftFolder);
      board.update({ mode: { kind: "level", loggedHeight: this.#loggedHeight } });
      return this.#loggedHeight;
    } catch (error) {
      if (!(error instanceof CorruptFile)) throw error;
      this.#say(`cannot read its Raft log: ${error.message}`);
      return undefined;
    }
  }

  #say(why: string): void {
    if (why === this.#why) return;
    this.#why = why;
    this.#given.log.info({ mode: "level", why }, "mode");
  }
}
