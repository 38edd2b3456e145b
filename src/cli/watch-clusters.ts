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
/** Watches end now and then, and are renewed at once: that is no trouble. */
const FAILURES_UNTOLD = 1;

interface Scope {
  readonly namespace?: string;
  readonly name?: string;
}

export type Show = (clusters: readonly EvNodeCluster[], trouble: string | undefined) => void;

/**
 * Shows the clusters now and after every change, until somebody presses Ctrl-C, and returns those that were seen last.
 * A watch that breaks is renewed, and what was missed is read by a new list; while that takes long, `trouble` says so.
 * A server that refuses ends it.
 */
export async function watchClusters(
  session: Pick<Session, "clock" | "random" | "signal">,
  { api }: Pick<Connection, "api">,
  { namespace, name }: Scope,
  show: Show,
): Promise<readonly EvNodeCluster[]> {
  const { clock, random, signal } = session;
  const ended = new AbortController();
  let refusal: KubeError | undefined;
  const store = new Store<EvNodeCluster>({ label: labels.cluster, onListenerError: raise });
  const seen = () => store.all().filter(({ metadata }) => name === undefined || metadata.name === name);
  const screen = new Screen(session, (trouble) => show(seen(), trouble));
  const reflector = new Reflector({
    api,
    kind: kinds.cluster,
    store,
    ...(namespace !== undefined && { namespace }),
    clock,
    random,
    keep: (cluster) => cleaned(cluster),
    onFailure: (error, waitMs) => {
      screen.failed(`${error.message}; asked again in ${span(waitMs)}, what is shown may be old`);
      if (error.kind !== "Forbidden" && error.kind !== "Unauthorized") return;
      refusal = error;
      ended.abort();
    },
  });
  store.subscribe(() => screen.drawSoon());
  const stop = () => ended.abort();
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop, { once: true });
  try {
    screen.begin(() => reflector.lastContactMs);
    await reflector.run(ended.signal);
  } finally {
    screen.end();
    signal.removeEventListener("abort", stop);
  }
  if (refusal) throw refusal;
  return seen();
}

function raise(error: unknown): never {
  throw error;
}

/** Draws soon after a change, and now and then. */
class Screen {
  readonly #clock: Session["clock"];
  readonly #draw: (trouble: string | undefined) => void;
  #cancel = () => {};
  #contactMs = () => 0;
  #failures = 0;
  #failedMs = 0;
  #trouble = "";

  constructor({ clock }: Pick<Session, "clock">, draw: (trouble: string | undefined) => void) {
    this.#clock = clock;
    this.#draw = draw;
  }

  /** `contactMs` is when the server was last heard of. */
  begin(contactMs: () => number): void {
    this.#contactMs = contactMs;
    this.drawSoon();
  }

  end(): void {
    this.#cancel();
  }

  failed(trouble: string): void {
    if (this.#contactMs() > this.#failedMs) this.#failures = 0;
    this.#failures += 1;
    this.#failedMs = this.#clock.monotonicMs();
    this.#trouble = trouble;
    this.drawSoon();
  }

  drawSoon(): void {
    this.#after(GATHER_MS);
  }

  #after(delayMs: number): void {
    this.#cancel();
    this.#cancel = this.#clock.after(delayMs, () => {
      const isOver = this.#contactMs() > this.#failedMs;
      this.#draw(isOver || this.#failures <= FAILURES_UNTOLD ? undefined : this.#trouble);
      this.#after(REDRAW_MS);
    });
  }
}
