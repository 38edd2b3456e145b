import { say } from "../../local-cluster/progress.ts";
import { sharedTiming } from "../both-timings.ts";
import { campaign } from "../campaign.ts";
import { cacheNamesFor } from "../dns-cache.ts";
import { interleaved } from "../interleave.ts";
import { provideNamespace } from "../namespaces.ts";
import { type Rollout, rollOnce } from "../rollout-run.ts";
import {
  type ChangeKind,
  changeKinds,
  operatedSide,
  type Side,
  type SideWish,
  yardstickSide,
} from "../rollout-sides.ts";
import { pause, type Session } from "../session.ts";
import { readAll } from "../survey-looks.ts";
import { duration } from "../table.ts";
import { rolloutsReport } from "./rollouts-report.ts";

/** Before a change is written, its cluster has been quiet for so long. */
const SETTLE_MS = 3_000;
const READ_TIMEOUT_MS = 300_000;

const about = (what: string) => `1: ${what}, 0: not`;

/** The same changes on both sides, one after the other in one run: who leads, how long, and what the chain saw of it. */
export const rollouts = campaign({
  name: "rollouts",
  about: "changes taken to all members: leader changes, gaps in the chain and duration, beside a StatefulSet",
  options: {
    rollouts3: { full: 10, short: 1, about: "rollouts of 3 members, of each kind and side" },
    rollouts5: { full: 5, short: 0, about: "rollouts of 5 members, of each kind and side" },
    image: { full: 1, short: 1, about: about("another image") },
    config: { full: 1, short: 0, about: about("another log level") },
    replace: { full: 1, short: 0, about: about("a change that needs new pods") },
    "yardstick-rollouts": { full: 100, short: 1, about: "at most so many of the StatefulSet, of each kind" },
    "evnode-timing": {
      full: 0,
      short: 0,
      about: "Raft time-outs of both sides; 1: ev-node's own, 0: the operator's",
    },
    "dns-cache": { full: 0, short: 0, about: "seconds that DNS keeps an answer; 0: as the cluster does" },
  },
  async run(session, options) {
    if (options["dns-cache"] > 0) await cacheNamesFor(session, options["dns-cache"]);
    const namespace = await provideNamespace(session, "rollouts");
    const wanted = changeKinds.filter((kind) => options[kind] !== 0);
    const shared = sharedTiming(options["evnode-timing"] === 1);
    const all: Rollout[] = [];
    const problems: string[] = [];
    for (const [replicas, ours] of [
      [3, options.rollouts3],
      [5, options.rollouts5],
    ] as const) {
      if (ours === 0) continue;
      const theirs = Math.min(ours, options["yardstick-rollouts"]);
      const arena = new Arena(session, { namespace, replicas, timing: shared.timing });
      for (const kind of wanted) all.push(...(await arena.roll(kind, ours, theirs)));
      problems.push(...(await arena.close()));
    }
    return rolloutsReport(all, problems, shared.name);
  },
});

/** Both sides of one size. */
class Arena {
  readonly #session: Session;
  readonly #wish: Omit<SideWish, "index">;
  readonly #problems: string[] = [];
  #ours: Side | undefined;
  #theirs: Side | undefined;
  #made = 0;

  constructor(session: Session, wish: Omit<SideWish, "index">) {
    this.#session = session;
    this.#wish = wish;
  }

  async roll(kind: ChangeKind, ours: number, theirs: number): Promise<readonly Rollout[]> {
    const done: Rollout[] = [];
    const order = interleaved(ours, theirs);
    for (const [index, name] of order.entries()) {
      const side = name === "ours" ? await this.#operated() : await this.#yardstick();
      await pause(SETTLE_MS, this.#session);
      const rollout = await rollOnce(this.#session, side, kind);
      done.push(rollout);
      say(`${kind} of ${this.#wish.replicas}, ${index + 1} of ${order.length}, ${describe(rollout)}`);
      if (name === "ours" && isInPlace(kind)) await this.#dropOperated();
      // A StatefulSet that did not come back would not come back from the next change either.
      if (name === "theirs" && rollout.missing !== undefined) await this.#dropYardstick();
    }
    return done;
  }

  /** Removes both, and answers what must not be in the operator's chains. */
  async close(): Promise<readonly string[]> {
    await this.#dropYardstick();
    await this.#dropOperated();
    return this.#problems;
  }

  async #operated(): Promise<Side> {
    this.#ours ??= await operatedSide(this.#session, { ...this.#wish, index: this.#made++ });
    return this.#ours;
  }

  async #yardstick(): Promise<Side> {
    this.#theirs ??= await yardstickSide(this.#session, { ...this.#wish, index: this.#made++ });
    return this.#theirs;
  }

  async #dropOperated(): Promise<void> {
    const side = this.#ours;
    this.#ours = undefined;
    if (!side) return;
    this.#problems.push(...(await chainProblems(this.#session, side)));
    await side.remove();
  }

  async #dropYardstick(): Promise<void> {
    const side = this.#theirs;
    this.#theirs = undefined;
    await side?.remove();
  }
}

/** Kubernetes holds a container back that ended in its pod not long before: each of ours gets its first rollout only. */
const isInPlace = (kind: ChangeKind) => kind !== "replace";

/** What must not be in a chain, after every block of every member was read once more. */
async function chainProblems(session: Session, side: Side): Promise<readonly string[]> {
  const { survey } = side;
  const isWhole = await readAll(session, side, { timeoutMs: READ_TIMEOUT_MS });
  const unread = isWhole ? [] : ["not every block of every member could be read at the end"];
  return [...unread, ...survey.problems(), ...survey.replaced()];
}

function describe({ side, durationMs, missing, gapMs, leaders, restarts }: Rollout): string {
  const end = missing === undefined ? `after ${duration(durationMs)}` : `not over: ${missing}`;
  const order = restarts.map(({ member, led }) => `${member}${led ? " (led)" : ""}`).join(", ");
  return `${side}: ${end}, longest gap ${duration(gapMs)}, led by ${leaders.join(" -> ")}, restarted ${order}`;
}
