import type { EvNodeCluster } from "../api/evnodecluster.ts";
import type { KubeError } from "../kube/errors.ts";
import { Reflector } from "../kube/reflector.ts";
import { Store } from "../kube/store.ts";
import { labels } from "../model/annotations.ts";
import { kinds } from "../model/kinds.ts";
import { span } from "./age.ts";
import { cleaned } from "./cleaned.ts";
import type { Connection, Session } from "./command.ts";

/** Changes that come together are shown together. */
const GATHER_MS = 100;
/** Ages move on a screen, even when nothing else does. */
const REDRAW_MS = 5_000;

interface Scope {
  readonly namespace?: string;
  readonly name?: string;
}

/**
 * Shows the clusters now and after every change, until somebody presses Ctrl-C, and returns those that were seen last.
 * A watch that breaks is renewed, and what was missed is read by a new list; meanwhile `trouble` says so. A server that
 * refuses ends it.
 */
export async function watchClusters(
  { clock, random, signal }: Pick<Session, "clock" | "random" | "signal">,
  { api }: Pick<Connection, "api">,
  { namespace, name }: Scope,
  show: (clusters: readonly EvNodeCluster[], trouble: string | undefined) => void,
): Promise<readonly EvNodeCluster[]> {
  const ended = new AbortController();
  const end = (reason?: unknown) => ended.abort(reason);
  let refusal: KubeError | undefined;
  let trouble: string | undefined;
  let cancel: (() => void) | undefined;
  const store = new Store<EvNodeCluster>({
    label: labels.cluster,
    onListenerError: (error) => end(error),
  });
  const seen = () => store.all().filter(({ metadata }) => name === undefined || metadata.name === name);
  const draw = () => {
    cancel?.();
    cancel = clock.after(REDRAW_MS, draw);
    show(seen(), trouble);
  };
  const drawSoon = () => {
    cancel?.();
    cancel = clock.after(GATHER_MS, draw);
  };
  const reflector = new Reflector({
    api,
    kind: kinds.cluster,
    store,
    ...(namespace !== undefined && { namespace }),
    clock,
    random,
    keep: (cluster) => cleaned(cluster),
    onFailure: (error, waitMs) => {
      if (error.kind === "Forbidden" || error.kind === "Unauthorized") {
        refusal = error;
        return end();
      }
      trouble = `${error.message}; asked again in ${span(waitMs)}, what is shown may be old`;
      drawSoon();
    },
  });
  store.subscribe(() => {
    trouble = undefined;
    drawSoon();
  });
  const onSignal = () => end();
  if (signal.aborted) onSignal();
  signal.addEventListener("abort", onSignal, { once: true });
  try {
    drawSoon();
    await reflector.run(ended.signal);
  } finally {
    cancel?.();
    signal.removeEventListener("abort", onSignal);
  }
  if (refusal) throw refusal;
  if (ended.signal.reason instanceof Error && ended.signal.reason.name !== "AbortError")
    throw ended.signal.reason;
  return seen();
}
