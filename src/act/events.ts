import type { KubeApi } from "../kube/api.ts";
import { toKubeError } from "../kube/errors.ts";
import { kinds } from "../model/kinds.ts";
import { type KubeObject, keyOf } from "../model/kube-object.ts";
import type { Event } from "../model/objects.ts";
import type { Notice } from "../plan/notices.ts";
import { TokenBucket } from "../runtime/backoff.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Random } from "../runtime/random.ts";

/** The API refuses longer notes. */
const MAX_NOTE = 1024;

/** Each cluster may tell this much at once, several rollouts in a row among it, and six things a minute in the long run. */
const BURST = 60;
const PER_SECOND = 1 / 10;

export interface EventsDependencies {
  readonly api: KubeApi;
  readonly clock: Clock;
  readonly random: Random;
  /** Name of this operator's pod. */
  readonly instance: string;
  readonly onLost: (why: string) => void;
}

/** Tells people what happened to a cluster. An event that cannot be written is lost, and disturbs nothing. */
export class Events {
  readonly #deps: EventsDependencies;
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(deps: EventsDependencies) {
    this.#deps = deps;
  }

  async tell(about: KubeObject, notices: readonly Notice[]): Promise<void> {
    for (const notice of notices) {
      if (!this.#mayTell(keyOf(about.metadata))) {
        this.#deps.onLost(`too many events about ${keyOf(about.metadata)}`);
        continue;
      }
      try {
        await this.#deps.api.create(kinds.event, this.#event(about, notice));
      } catch (error) {
        this.#deps.onLost(toKubeError(error).message);
      }
    }
  }

  /** A cluster is gone, and its pods with it. */
  forget(key: string): void {
    for (const known of this.#buckets.keys())
      if (known === key || known.startsWith(`${key}-`)) this.#buckets.delete(known);
  }

  #mayTell(key: string): boolean {
    const nowMs = this.#deps.clock.monotonicMs();
    const bucket = this.#buckets.get(key) ?? new TokenBucket(PER_SECOND, BURST, nowMs);
    this.#buckets.set(key, bucket);
    return bucket.take(nowMs);
  }

  #event({ apiVersion, kind, metadata }: KubeObject, notice: Notice): Event {
    const { name, namespace = "", uid = "", resourceVersion = "" } = metadata;
    const { clock, random, instance } = this.#deps;
    const suffix = Buffer.from(random.bytes(8)).toString("hex");
    return {
      apiVersion: "events.k8s.io/v1",
      kind: "Event",
      metadata: { name: `${name}.${suffix}`, namespace },
      eventTime: microTime(clock.nowMs()),
      reportingController: "evnode.dev/evnode-operator",
      reportingInstance: instance,
      type: notice.type,
      reason: notice.reason,
      action: notice.action,
      note: notice.note.length <= MAX_NOTE ? notice.note : `${notice.note.slice(0, MAX_NOTE - 1)}…`,
      regarding: { apiVersion, kind, name, namespace, uid, resourceVersion },
    };
  }
}

/** The API demands exactly six digits of a second. */
const microTime = (nowMs: number) => new Date(nowMs).toISOString().replace("Z", "000Z");
