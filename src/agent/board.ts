import type { AgentAnswer } from "../model/agent-protocol.ts";
import type { Clock } from "../runtime/clock.ts";
import { answerOf } from "./answer.ts";
import { type Findings, nothingKnown } from "./findings.ts";
import type { Log } from "./log.ts";
import { changesOf, type Meaning, meaningOf } from "./meaning.ts";
import { judgeReadiness, type Readiness } from "./readiness.ts";

/** The one place that holds what is known. The looks write it, the HTTP server reads it. */
export interface Board {
  /** Replaces what is named; everyone who waits is told when the meaning changed. */
  update(found: Partial<Findings>): void;
  findings(): Findings;
  readiness(): Readiness;
  version(): string;
  answer(): AgentAnswer;
  /** Calls back once at the next change of the version; the returned function takes the request back. */
  onChange(run: () => void): () => void;
}

export interface BoardSettings {
  readonly member: string;
  readonly podUid: string;
  readonly maxBlocksBehind: number;
  /** Random, so that a version never recurs after a restart of the agent. */
  readonly bootId: string;
}

export function newBoard(settings: BoardSettings, clock: Clock, log: Log): Board {
  const { member, podUid, maxBlocksBehind, bootId } = settings;
  const readinessOf = (findings: Findings) => judgeReadiness(findings, maxBlocksBehind, clock.monotonicMs());
  let findings = nothingKnown(clock.monotonicMs());
  let lastReady = readinessOf(findings);
  let readySinceMs = clock.monotonicMs();
  let meaning: Meaning = meaningOf(findings, lastReady);
  let changeCount = 0;
  let waiting = new Set<() => void>();

  /** Readiness also changes as time passes, so the meaning is looked at again whenever somebody asks. */
  function refresh(): Readiness {
    const ready = readinessOf(findings);
    if (ready.ok !== lastReady.ok) readySinceMs = clock.monotonicMs();
    lastReady = ready;
    const now = meaningOf(findings, ready);
    const changes = changesOf(meaning, now);
    if (Object.keys(changes).length === 0) return ready;

    meaning = now;
    changeCount += 1;
    log.info({ changes, ...explanation(findings, ready) }, "changed");
    const told = waiting;
    waiting = new Set();
    for (const run of told) run();
    return ready;
  }

  const version = () => `${bootId}.${changeCount}`;
  return {
    update(found) {
      findings = { ...findings, ...found };
      refresh();
    },
    findings: () => findings,
    readiness: refresh,
    version() {
      refresh();
      return version();
    },
    answer() {
      const ready = refresh();
      const nowMs = clock.monotonicMs();
      return answerOf(findings, ready, { version: version(), member, podUid, nowMs, readySinceMs });
    },
    onChange(run) {
      const once = () => run();
      waiting.add(once);
      return () => waiting.delete(once);
    },
  };
}

function explanation({ prepare, volume, refusedOrder }: Findings, ready: Readiness): Record<string, string> {
  return {
    ...("message" in prepare && prepare.message !== undefined ? { prepare: prepare.message } : {}),
    ...("message" in volume ? { volume: volume.message } : {}),
    ...(refusedOrder === undefined ? {} : { refusedOrder: refusedOrder.message }),
    ready: ready.message,
  };
}
