import type { Look } from "./look.ts";
import type { Stage, Told } from "./stage.ts";
import type { Scene } from "./story.ts";
import type { Past } from "./witness.ts";

export interface SceneView {
  readonly title: string;
  readonly state: "ended" | "current" | "toCome" | "failed";
  /** How it ended; empty before. */
  readonly told: string;
}

/** All that is shown at one moment. */
export interface Frame {
  readonly nowMs: number;
  readonly look: Look;
  readonly scenes: readonly SceneView[];
  /** What is done, in the scene that is played. */
  readonly now: string;
  readonly events: readonly Told[];
}

export interface Ending {
  readonly frame: Frame;
  /** Why the story did not end as told, in words; nothing when it did. */
  readonly failures: readonly string[];
  readonly isStopped: boolean;
  readonly blocks: number;
  readonly replaced: number;
  readonly leaderChanges: number;
}

/** Shows a frame, and lets the next step come when it is due. */
export type Show = (frame: Frame) => Promise<void>;

/** So long a line of the story stands before it is done, and what came of it afterwards. */
const READ_MS = 8_000;
const LINGER_MS = 10_000;

/** Plays the whole story, or as far as it goes well. */
export async function play(
  stage: Stage,
  story: readonly Scene[],
  show: Show,
  signal: AbortSignal,
): Promise<Ending> {
  const player = new Player(stage, story, show, signal);
  return player.play();
}

class Player {
  readonly #stage: Stage;
  readonly #story: readonly Scene[];
  readonly #show: Show;
  readonly #signal: AbortSignal;
  #views: readonly SceneView[];
  #now = "";
  #leaderChanges = 0;

  constructor(stage: Stage, story: readonly Scene[], show: Show, signal: AbortSignal) {
    this.#stage = stage;
    this.#story = story;
    this.#show = show;
    this.#signal = signal;
    this.#views = story.map(({ title }) => ({ title, state: "toCome", told: "" }));
  }

  async play(): Promise<Ending> {
    for (const [at, scene] of this.#story.entries()) {
      const failures = await this.#scene(at, scene);
      if (failures.length > 0 || this.#signal.aborted) return this.#ended(failures);
    }
    return this.#ended([]);
  }

  async #scene(at: number, scene: Scene): Promise<readonly string[]> {
    const { witness } = this.#stage;
    this.#turn(at, { title: scene.title, state: "current", told: "" }, scene.now);
    // Nothing is there yet that one could look at.
    if (at > 0) await this.#pass(READ_MS);
    witness.begin(this.#stage.nowMs);
    if (!this.#signal.aborted) scene.begin(this.#stage);
    const failures = await this.#until(scene);
    this.#leaderChanges += Math.max(0, witness.past.leaders.length - 1);
    if (this.#signal.aborted) return [];
    const { nowMs } = this.#stage;
    const { past } = witness;
    const told = failures[0] ?? scene.told(this.#stage.look(), past, nowMs - past.sinceMs);
    const state = failures.length > 0 ? "failed" : "ended";
    this.#turn(at, { title: scene.title, state, told }, scene.now);
    if (failures.length === 0) await this.#pass(LINGER_MS);
    // What comes late counts as well.
    return failures.length > 0 ? failures : this.#wrong(scene, this.#stage.look(), witness.past);
  }

  async #until(scene: Scene): Promise<readonly string[]> {
    const stage = this.#stage;
    const endMs = stage.nowMs + scene.limitMs;
    while (!this.#signal.aborted) {
      await this.#step();
      const look = stage.look();
      const { past } = stage.witness;
      const wrong = this.#wrong(scene, look, past);
      if (wrong.length > 0) return wrong;
      const missing = scene.missing(look, past);
      if (missing.length === 0) return [];
      if (stage.nowMs >= endMs) return [`it did not end within ${scene.limitMs / 1000} s`, ...missing];
    }
    return [];
  }

  #wrong(scene: Scene, look: Look, past: Past): readonly string[] {
    return [...this.#stage.troubles, ...scene.wrong(look, past)];
  }

  #turn(at: number, view: SceneView, now: string): void {
    this.#views = this.#views.with(at, view);
    this.#now = now;
  }

  async #pass(ms: number): Promise<void> {
    const endMs = this.#stage.nowMs + ms;
    while (!this.#signal.aborted && this.#stage.nowMs < endMs) await this.#step();
  }

  async #step(): Promise<void> {
    await this.#stage.step();
    await this.#show(this.#frame());
  }

  #frame(): Frame {
    const { nowMs, events } = this.#stage;
    return { nowMs, look: this.#stage.look(), scenes: this.#views, now: this.#now, events: [...events] };
  }

  #ended(failures: readonly string[]): Ending {
    const { height, replaced } = this.#stage.witness;
    return {
      frame: this.#frame(),
      failures,
      isStopped: this.#signal.aborted,
      blocks: height,
      replaced,
      leaderChanges: this.#leaderChanges,
    };
  }
}
