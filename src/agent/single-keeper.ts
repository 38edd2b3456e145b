import { join } from "node:path";
import { parseConfig } from "../evnode/config.ts";
import { type MemberTexts, ownText } from "./check-config.ts";
import { type Disk, readIfPresent } from "./disk.ts";
import { closedSince } from "./findings.ts";
import { CONFIG_FILE, installConfig } from "./install.ts";
import type { Keeper, KeeperDependencies } from "./keeper.ts";
import { Restarter } from "./restarter.ts";
import { processesBefore } from "./run-kind.ts";

/** The text of a single sequencer's config, and the same as a full node, which makes no block. */
export type SingleConfigs = Readonly<Record<"single" | "level", string>>;

export interface SingleKeeperDependencies extends KeeperDependencies {
  readonly configs: SingleConfigs;
  /** The processes of ev-node that run now. */
  readonly nodeProcesses: () => Promise<readonly string[]>;
}

/**
 * Keeps the ev-node of a single sequencer producing, and from producing on a volume that is no longer the one it was
 * started on. Without Raft nothing in ev-node objects to an empty block store: it would begin the chain again when its
 * container restarts in place, which prepare does not see. So as soon as the volume is found changed, what is installed
 * is the config of a full node. A process that runs already has its files open, and goes on.
 *
 * | the volume, as it was seen last | then ev-node has |
 * | --- | --- |
 * | intact, and started | its own config |
 * | anything else | that of a full node |
 */
export class SingleKeeper implements Keeper {
  readonly #given: SingleKeeperDependencies;
  #texts: MemberTexts;
  readonly #restarter: Restarter;
  #isHeld = false;
  /** Whether a full node may still run that was started on the way to another membership. */
  #mayBeFullNode = true;

  constructor(given: SingleKeeperDependencies) {
    this.#given = given;
    this.#restarter = new Restarter(given.clock, given.stopNode);
    this.#texts = given.configs;
  }

  async begin(): Promise<void> {
    await this.tend();
    if (this.#mayBeFullNode) this.#given.board.update({ mode: { kind: "level", loggedHeight: 0 } });
  }

  async tend(): Promise<void> {
    const { board, log } = this.#given;
    const { volume } = board.findings();
    const isHeld = volume.kind !== "intact" || !volume.started;
    await this.#install(isHeld);
    if (this.#mayBeFullNode) await this.#endFullNode();
    if (isHeld === this.#isHeld) return;
    this.#isHeld = isHeld;
    if (isHeld)
      return log.warn(
        { volume },
        "the volume is not as it was: ev-node makes no block from its next start on",
      );
    // Whatever was started meanwhile is a full node.
    await this.restart();
  }

  async use(texts: MemberTexts): Promise<void> {
    this.#texts = texts;
    await this.#install(this.#isHeld);
  }

  async restart(): Promise<void> {
    await this.#restarter.restart();
  }

  async #endFullNode(): Promise<void> {
    const { disk, configFolder, board, clock, nodeProcesses } = this.#given;
    const left = await processesBefore(disk, configFolder, "member", await nodeProcesses());
    if (left.length > 0) return this.restart();
    this.#mayBeFullNode = false;
    // What was heard of a full node says nothing of the sequencer.
    const heard = board.findings().mode?.kind === "level" ? { node: closedSince(clock.monotonicMs()) } : {};
    board.update({ mode: { kind: "single" }, ...heard });
  }

  async #install(isHeld: boolean): Promise<void> {
    const { disk, configFolder } = this.#given;
    const text = isHeld ? this.#texts.level : ownText(this.#texts);
    await installConfig(disk, configFolder, text);
  }
}

/**
 * The same for an agent that does not come as far as to keep ev-node, or not yet: it starts anew, and finds the volume
 * changed beside an ev-node that it let start before, or on its way to another membership.
 */
export async function holdBack(disk: Disk, configFolder: string, level: string): Promise<void> {
  if ((await readIfPresent(join(configFolder, CONFIG_FILE))) === undefined) return;
  await installConfig(disk, configFolder, level);
}

/** Whether what is installed makes blocks, and none while there is nothing to put into them. */
export async function isLazySequencer(configFolder: string): Promise<boolean> {
  const text = (await readIfPresent(join(configFolder, CONFIG_FILE)))?.toString("utf8");
  const reading = text === undefined ? undefined : parseConfig(text);
  // That of a full node is none of a member.
  return reading?.kind === "parsed" && reading.value.node.lazy_mode;
}
