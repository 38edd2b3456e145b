import { type AgentAnswer, MAX_WAIT_MS } from "../model/agent-protocol.ts";
import type { Report } from "../model/member.ts";
import { exponentialMs, jitteredMs } from "../runtime/backoff.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Random } from "../runtime/random.ts";
import type { AskAgent } from "./agent-client.ts";
import { within } from "./within.ts";

/** A pod whose agent is asked; another address or another uid is another target. */
export interface Target {
  readonly podUid: string;
  readonly ip: string;
  /** The cluster to look at when the answer changes. */
  readonly clusterKey: string;
}

interface Follower {
  readonly target: Target;
  readonly stop: AbortController;
  report: Report;
  /** False until the first request ended, well or not: then nothing is known, not even silence. */
  wasAsked: boolean;
}

/** An agent holds a request no longer than it was asked to; beyond that and this, the path to it is dead. */
const SLACK_MS = 3_000;
const retryGrowth = { baseMs: 250, maxMs: 5_000 };

/**
 * Keeps one long poll to every member's agent: it is answered when something changed, so a new leader is known at
 * once and a quiet member costs two requests a minute.
 */
export class Agents {
  readonly #followers = new Map<string, Follower>();
  readonly #loops = new Set<Promise<void>>();
  readonly #ask: AskAgent;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #onChange: (clusterKey: string) => void;

  constructor(ask: AskAgent, clock: Clock, random: Random, onChange: (clusterKey: string) => void) {
    this.#ask = ask;
    this.#clock = clock;
    this.#random = random;
    this.#onChange = onChange;
  }

  /** Idempotent; a pod with a new address is followed anew. */
  follow(target: Target): void {
    const known = this.#followers.get(target.podUid);
    if (known?.target.ip === target.ip) return;
    known?.stop.abort();
    const follower: Follower = {
      target,
      stop: new AbortController(),
      report: { kind: "none", why: "not asked yet" },
      wasAsked: false,
    };
    this.#followers.set(target.podUid, follower);
    const loop = this.#poll(follower).finally(() => this.#loops.delete(loop));
    this.#loops.add(loop);
  }

  unfollow(podUid: string): void {
    this.#followers.get(podUid)?.stop.abort();
    this.#followers.delete(podUid);
  }

  report(podUid: string): Report {
    return this.#followers.get(podUid)?.report ?? { kind: "none", why: "the pod has no address yet" };
  }

  /** Whether the agent of this pod is followed but has not had the time to answer once. */
  isNew(podUid: string): boolean {
    return this.#followers.get(podUid)?.wasAsked === false;
  }

  /**
   * Asks these agents now, in parallel, all within one deadline. An agent that does not answer in time keeps its
   * last report, which the long poll outdates when it too gets no answer.
   */
  async refresh(podUids: readonly string[], deadlineMs: number): Promise<void> {
    await this.#askAll(podUids, deadlineMs, (follower, report) => {
      if (report.kind === "answered") follower.report = report;
    });
  }

  /** As `refresh`, but an agent that does not answer in time counts as silent at once. */
  async confirm(podUids: readonly string[], deadlineMs: number): Promise<void> {
    await this.#askAll(podUids, deadlineMs, (follower, report) => {
      follower.report = report;
    });
  }

  async stop(): Promise<void> {
    for (const uid of this.#followers.keys()) this.unfollow(uid);
    await Promise.all(this.#loops);
  }

  async #askAll(
    podUids: readonly string[],
    deadlineMs: number,
    accept: (follower: Follower, report: Report) => void,
  ): Promise<void> {
    const followers = podUids.map((uid) => this.#followers.get(uid)).filter((known) => known !== undefined);
    await Promise.all(
      followers.map(async (follower) =>
        accept(follower, await this.#askOnce(follower, undefined, 0, deadlineMs)),
      ),
    );
  }

  async #poll(follower: Follower): Promise<void> {
    let after: string | undefined;
    let failures = 0;
    while (!follower.stop.signal.aborted) {
      const waitMs = after === undefined ? 0 : MAX_WAIT_MS;
      const report = await this.#askOnce(follower, after, waitMs, waitMs + SLACK_MS);
      if (follower.stop.signal.aborted) return;
      const version = versionOf(report);
      const isNews = version !== after || report.kind !== follower.report.kind;
      follower.report = report;
      after = version;
      if (isNews) this.#onChange(follower.target.clusterKey);
      failures = report.kind === "answered" ? 0 : failures + 1;
      if (failures > 0) await this.#pause(failures, follower.stop.signal);
    }
  }

  async #askOnce(
    follower: Follower,
    after: string | undefined,
    waitMs: number,
    deadlineMs: number,
  ): Promise<Report> {
    try {
      return await this.#request(follower, after, waitMs, deadlineMs);
    } finally {
      follower.wasAsked = true;
    }
  }

  async #request(
    follower: Follower,
    after: string | undefined,
    waitMs: number,
    deadlineMs: number,
  ): Promise<Report> {
    const question = after === undefined ? { waitMs } : { after, waitMs };
    try {
      const answer = await within(this.#clock, deadlineMs, follower.stop.signal, async (signal) =>
        this.#ask(follower.target.ip, question, signal),
      );
      return this.#accept(follower, answer);
    } catch (error) {
      return { kind: "none", why: error instanceof Error ? error.message : String(error) };
    }
  }

  /** An address may have passed on to another pod. */
  #accept({ target }: Follower, answer: AgentAnswer): Report {
    if (answer.podUid !== target.podUid) return { kind: "none", why: "another pod answers at this address" };
    return { kind: "answered", atMs: this.#clock.monotonicMs(), answer };
  }

  async #pause(failures: number, signal: AbortSignal): Promise<void> {
    const delayMs = jitteredMs(exponentialMs(failures, retryGrowth), 0.5, this.#random);
    await this.#clock.sleep(delayMs, signal).catch(() => undefined);
  }
}

const versionOf = (report: Report) => (report.kind === "answered" ? report.answer.version : undefined);
