import type { Chance } from "../chance.ts";
import type { NodeContainer, PodRun } from "../member/pod-run.ts";
import { storedHeight } from "../member/volume.ts";
import { backOffMs } from "./back-off.ts";
import { fateOf, lastWords, pullRefusal } from "./images.ts";

export interface NodeContainersDependencies {
  readonly chance: Chance;
  readonly nowMs: () => number;
  readonly note: (what: string) => void;
  readonly onStart: (run: PodRun) => void;
}

/** A process that ran this long starts at once after its next exit. */
const WELL_MS = 60_000;
/** ev-node gives up an orderly end after this long. */
const SHUTDOWN_MS = 10_000;
/** The last line of ev-node on a Raft directory that it cannot use. */
const SPOILT =
  "Usage:\n  testapp start [flags]\n\nfailed to initialize raft node: create log store: invalid database\n";

/** The containers of ev-node in all pods: their processes, how they end, and when they start again in place. */
export class NodeContainers {
  readonly #deps: NodeContainersDependencies;

  constructor(deps: NodeContainersDependencies) {
    this.#deps = deps;
  }

  /** One look: a process that was asked to end may have ended, and one that is missing may start. */
  tend(run: PodRun): void {
    const { process } = run;
    if (process === undefined) {
      this.#start(run);
      return;
    }
    const { stopping } = process;
    if (stopping === undefined) return;
    const nowMs = this.#deps.nowMs();
    // One that leads ends when it has handed over, of which Raft takes care.
    if (process.role === "leader" && nowMs - stopping.sinceMs < SHUTDOWN_MS) return;
    if (nowMs >= stopping.exitAtMs) this.exit(run, 0, "asked to end");
  }

  /** SIGTERM. */
  terminate({ process }: PodRun): void {
    const { nowMs, chance } = this.#deps;
    if (process === undefined || process.stopping !== undefined) return;
    const sinceMs = nowMs();
    process.stopping = { sinceMs, exitAtMs: sinceMs + chance.between(200, 2_500) };
  }

  /** ev-node ends, and is started again in place, later each time. */
  exit(run: PodRun, code: number, why: string): void {
    const { process, container } = run;
    if (process === undefined) return;
    const { nowMs, note } = this.#deps;
    if (nowMs() - process.startedMs > WELL_MS) container.backOffs = 0;
    // Usage text comes before the error, and is no evidence.
    this.#ended(container, code, code === 1 ? `Usage:\n  testapp start [flags]\n\n${why}\n` : "");
    note(`ev-node of ${nameOf(run)} exits with ${code}: ${why}`);
    this.drop(run);
  }

  /** The process is there no more, and nobody was told. */
  drop(run: PodRun): void {
    run.process = undefined;
    if (run.volume.lockedBy === run.uid) run.volume.lockedBy = undefined;
  }

  /** Another image than before: the container is another one for kubelet, which did not fail yet. */
  replaceImage(run: PodRun, image: string): void {
    const { container } = run;
    const { nowMs, note, chance } = this.#deps;
    note(`kubelet runs ${image} in ${nameOf(run)}`);
    container.image = image;
    container.backOffs = 0;
    container.refusal = undefined;
    container.startAtMs = nowMs() + chance.between(200, 1_500);
    this.terminate(run);
  }

  #start(run: PodRun): void {
    const { container, agent } = run;
    const nowMs = this.#deps.nowMs();
    if (!agent.isPrepared || container.startAtMs > nowMs || run.endAtMs !== undefined) return;
    const fate = fateOf(container.image);
    if (fate === "missing" || container.noImageUntilMs > nowMs) {
      container.refusal = pullRefusal(container.image, container.refusal === undefined);
      container.startAtMs = nowMs + this.#deps.chance.between(1_000, 8_000);
      return;
    }
    container.refusal = undefined;
    if (fate === "foreign" || fate === "crashing") this.#failAtOnce(run, lastWords[fate]);
    else if (opensSpoilt(run)) this.#failAtOnce(run, { code: 1, message: SPOILT });
    else this.#run(run, fate === "lagging");
  }

  #failAtOnce(run: PodRun, { code, message }: { readonly code: number; readonly message: string }): void {
    this.#created(run);
    this.#ended(run.container, code, message);
    this.#deps.note(`ev-node of ${nameOf(run)} exits with ${code} at once`);
  }

  #run(run: PodRun, lags: boolean): void {
    const { nowMs, note, onStart, chance } = this.#deps;
    const { volume, agent, container } = run;
    const { config, runKind } = agent.memory;
    const isHeld = runKind === "fullNode";
    const { epoch, isSingle } = agent.facts ?? {};
    if (config === undefined || epoch === undefined || isSingle === undefined) return;
    const raft = volume.rafts.get(epoch);
    // A database has one owner: the second process waits. Without Raft directory there is no membership either.
    if (volume.lockedBy !== undefined || (raft === undefined && !isHeld)) return;
    this.#created(run);
    volume.lockedBy = run.uid;
    const startedMs = nowMs();
    const log = raft?.log;
    run.process = {
      mode: !isHeld && (log === undefined || isSingle) ? "raft" : "level",
      isHeld,
      epoch,
      isSingle: isSingle && !isHeld,
      role: "waiting",
      startedMs,
      upAtMs: startedMs + chance.between(300, 2_000),
      image: container.image,
      config,
      catchUp: lags ? 0 : chance.between(3, 40),
      stopping: undefined,
      waitingSinceMs: Number.NEGATIVE_INFINITY,
      ledSinceMs: undefined,
      quorumAtMs: startedMs,
      known: undefined,
      firstBlock: undefined,
    };
    const way = isHeld ? `, held at ${storedHeight(volume)}` : epoch > 1 ? `, in epoch ${epoch}` : "";
    note(
      `ev-node of ${nameOf(run)} starts ${container.image} with ${config.revision} at ${log?.height ?? 0}${way}`,
    );
    onStart(run);
  }

  #created({ container, uid }: PodRun): void {
    container.starts += 1;
    container.id = `containerd://${uid}-${container.starts}`;
    container.startedMs = this.#deps.nowMs();
  }

  #ended(container: NodeContainer, code: number, message: string): void {
    const { nowMs, chance } = this.#deps;
    container.lastExit = { code, message, containerId: container.id ?? "", atMs: nowMs() };
    container.startAtMs = nowMs() + backOffMs(container.backOffs) + chance.between(200, 1_500);
    container.backOffs += 1;
  }
}

/** A full node opens no Raft directory. */
function opensSpoilt({ agent, volume }: PodRun): boolean {
  if (agent.memory.runKind === "fullNode" || volume.lockedBy !== undefined) return false;
  return volume.rafts.get(agent.facts?.epoch ?? 0)?.isSpoilt === true;
}

export const nameOf = ({ namespace, name }: PodRun) => `${namespace}/${name}`;
