import { annotations } from "../model/annotations.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Board } from "./board.ts";
import { ownText } from "./check-config.ts";
import type { Disk } from "./disk.ts";
import { closedSince } from "./findings.ts";
import { keepInstalledConfig } from "./installed-config.ts";
import { judgeRestart, type WantedRestart } from "./judge-restart.ts";
import { judgeRevision } from "./judge-revision.ts";
import type { Keeper } from "./keeper.ts";
import type { Log } from "./log.ts";
import type { MemberFacts } from "./member-facts.ts";
import { lookAtMountedConfig } from "./mounted-config.ts";
import { newAnnotationsReader } from "./pod-annotations.ts";
import { type RestartRecord, readRestartRecord, writeRestartRecord } from "./restart-record.ts";
import type { AgentPaths, Settings } from "./settings.ts";

export interface UpdateKeeperDependencies {
  readonly settings: Settings;
  readonly paths: AgentPaths;
  readonly disk: Disk;
  readonly board: Board;
  readonly clock: Clock;
  readonly log: Log;
  readonly facts: MemberFacts;
  readonly keeper: Pick<Keeper, "use" | "restart">;
  /** The processes of ev-node that run now. */
  readonly nodeProcesses: () => Promise<readonly string[]>;
}

/** Updates the member in place: installs the config revision of the pod, and restarts ev-node when the pod asks for it. */
export class UpdateKeeper {
  readonly #given: UpdateKeeperDependencies;
  readonly #readAnnotations: () => Promise<ReadonlyMap<string, string> | undefined>;
  /** Unless the disk failed in the middle: then it is no revision that is installed, also when the pod goes back. */
  #isWhole = true;
  /** As on the disk; undefined until it was read. */
  #restarts: RestartRecord | undefined;

  constructor(given: UpdateKeeperDependencies) {
    this.#given = given;
    this.#readAnnotations = newAnnotationsReader(given.paths.annotations);
  }

  /** To be called several times a second, and never beside the keeper's own look: both install the config. */
  async tend(): Promise<void> {
    // One reading for both: a patch that sets them together is never seen by half.
    const read = await this.#readAnnotations();
    const revision = read?.get(annotations.configRevision);
    // A pod always has one. Without, the file is damaged, and nothing of it counts.
    if (revision === undefined || revision === "") return;
    if (!(await this.#tendConfig(revision))) return;
    const token = read?.get(annotations.restartToken);
    if (token !== undefined && token !== "") await this.#tendRestart({ token, revision });
  }

  /** True when the revision is installed, by now or before; false as long as it cannot be. */
  async #tendConfig(revision: string): Promise<boolean> {
    const { settings, paths, disk, board, facts, keeper } = this.#given;
    const { configRevision: installed, pendingConfig } = board.findings();
    if (revision === installed && this.#isWhole) {
      if (pendingConfig !== undefined) board.update({ pendingConfig: undefined });
      return true;
    }
    const verdict = judgeRevision(revision, await lookAtMountedConfig(revision, settings, paths), facts);
    if (verdict.kind === "pending") {
      board.update({ pendingConfig: { revision, message: verdict.message } });
      return false;
    }
    const { texts } = verdict.config;
    this.#isWhole = false;
    await keepInstalledConfig(disk, paths.config, { revision, text: ownText(texts) });
    await keeper.use(texts);
    this.#isWhole = true;
    board.update({ configRevision: revision, pendingConfig: undefined });
    return true;
  }

  async #tendRestart(wanted: WantedRestart): Promise<void> {
    const { paths, board, clock, log, keeper, nodeProcesses } = this.#given;
    const before = (this.#restarts ??= (await readRestartRecord(paths.config)) ?? {});
    if (wanted.token === before.token) return;

    const verdict = judgeRestart(before, wanted, await nodeProcesses());
    if (verdict.record !== before) await this.#write(verdict.record);
    if (verdict.kind === "end") {
      if (verdict.record !== before) log.info({ ...wanted }, "ev-node is restarted, as the pod asks for it");
      return keeper.restart();
    }
    // What was heard so far is of a process that is gone. Told beside the token, it would pass for the new one's.
    const { node } = board.findings();
    const heard = node.kind === "open" ? { node: closedSince(clock.monotonicMs()) } : {};
    board.update({ restartToken: wanted.token, ...heard });
  }

  async #write(record: RestartRecord): Promise<void> {
    const { disk, paths } = this.#given;
    await writeRestartRecord(disk, paths.config, record);
    this.#restarts = record;
  }
}
