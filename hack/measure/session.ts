import { setTimeout as sleep } from "node:timers/promises";
import { findCredentials } from "../../src/kube/credentials.ts";
import { createKubeApi, type KubeClient } from "../../src/kube/node-client.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import type { Kubectl } from "../demo/kubectl.ts";
import { say } from "../local-cluster/progress.ts";
import { type ProvidedCluster, provideCluster } from "./provide-cluster.ts";

/** Where a campaign leaves what has to be undone. */
export interface Undoing {
  /** Aborted by Ctrl-C; what waits then ends at once, and what was registered is undone. */
  readonly signal: AbortSignal;
  /** Undone in reverse order when the campaign ends, however it ends. */
  readonly atEnd: (what: string, undo: () => Promise<void>) => void;
}

/** What a campaign on a cluster works with. */
export interface Session extends Undoing {
  readonly api: KubeClient;
  readonly kubectl: Kubectl;
  readonly kubeconfig: string;
}

interface Undo {
  readonly what: string;
  readonly undo: () => Promise<void>;
}

/** Runs `work` on a cluster, by default one with an operator, and undoes afterwards whatever it registered. */
export async function withSession<T>(
  signal: AbortSignal,
  work: (session: Session) => Promise<T>,
  cluster?: ProvidedCluster,
): Promise<T> {
  const { kubeconfig, kubectl } = cluster ?? (await provideCluster());
  const clock = systemClock;
  const credentials = findCredentials({ clock, env: process.env, kubeconfig });
  const api = createKubeApi({ credentials, clock, version: "measure", fieldManager: "evnode-measure" });
  try {
    return await withUndoing(signal, (undoing) => work({ api, kubectl, kubeconfig, ...undoing }));
  } finally {
    api.close();
  }
}

/** The same without a cluster. */
export async function withUndoing<T>(
  signal: AbortSignal,
  work: (undoing: Undoing) => Promise<T>,
): Promise<T> {
  const undos: Undo[] = [];
  try {
    return await work({ signal, atEnd: (what, undo) => undos.push({ what, undo }) });
  } finally {
    for (const { what, undo } of undos.toReversed()) {
      // One thing that cannot be undone must not keep the others.
      await undo().catch((error: unknown) => say(`cannot undo: ${what}: ${String(error)}`));
    }
  }
}

/** Waits, and ends with the signal's reason when the campaign is stopped. */
export async function pause(ms: number, { signal }: Pick<Session, "signal">): Promise<void> {
  await sleep(ms, undefined, { signal });
}

export interface Poll {
  readonly everyMs: number;
  readonly timeoutMs: number;
}

/** Asks until there is an answer; undefined when the time is over first. */
export async function pollUntil<T>(
  ask: () => Promise<T | undefined>,
  { everyMs, timeoutMs }: Poll,
  session: Pick<Session, "signal">,
): Promise<T | undefined> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() >= deadline) return undefined;
    await pause(everyMs, session);
  }
}
