import { createHash } from "node:crypto";
import type { Kind } from "../model/kinds.ts";
import type { KubeObject } from "../model/kube-object.ts";
import { TokenBucket } from "../runtime/backoff.ts";
import type { Clock } from "../runtime/clock.ts";
import type { KubeApi } from "./api.ts";

/**
 * What Kubernetes says about somebody who brings a token. `unknown`: it is no token of this Kubernetes cluster.
 * `forbidden`: its owner has no right to the path. `busy`: too many new tokens came in a short time, nobody was asked.
 */
export type Verdict = "allowed" | "unknown" | "forbidden" | "busy";

export interface AccessReviewOptions {
  readonly api: Pick<KubeApi, "create">;
  readonly clock: Clock;
  /** The path that one needs the right to `get`. */
  readonly path: string;
}

interface TokenReview extends KubeObject {
  readonly spec: { readonly token: string };
  readonly status?: { readonly authenticated?: boolean; readonly user?: User };
}

interface User {
  readonly username?: string;
  readonly uid?: string;
  readonly groups?: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

interface SubjectAccessReview extends KubeObject {
  readonly spec: object;
  readonly status?: { readonly allowed?: boolean };
}

const tokenReviews: Kind<TokenReview> = {
  apiVersion: "authentication.k8s.io/v1",
  kind: "TokenReview",
  plural: "tokenreviews",
  namespaced: false,
};
const accessReviews: Kind<SubjectAccessReview> = {
  apiVersion: "authorization.k8s.io/v1",
  kind: "SubjectAccessReview",
  plural: "subjectaccessreviews",
  namespaced: false,
};

/** A right that is taken away ends within this time. */
const ALLOWED_MS = 60_000;
/** One that is given is noticed within this time. */
const REFUSED_MS = 10_000;
/** Verdicts kept of each kind. */
const KEPT = 64;
/** Requests with tokens that are not known yet: nobody can make the operator ask the API server more often. */
const PER_SECOND = 2;
const BURST = 10;

interface Remembered {
  readonly verdict: Verdict;
  readonly untilMs: number;
}

/**
 * Asks the API server whose a token is and whether its owner may get the path, as metrics endpoints of controllers do.
 * Tokens are remembered as digests only. Those that were refused have a place of their own: whoever sends many wrong
 * ones does not make the operator forget the right ones.
 */
export class AccessReviews {
  readonly #options: AccessReviewOptions;
  readonly #bucket: TokenBucket;
  readonly #allowed = new Map<string, Remembered>();
  readonly #refused = new Map<string, Remembered>();
  /** Questions under way. */
  readonly #asked = new Map<string, Promise<Verdict>>();

  constructor(options: AccessReviewOptions) {
    this.#options = options;
    this.#bucket = new TokenBucket(PER_SECOND, BURST, options.clock.monotonicMs());
  }

  /** Fails with a `KubeError` when the API server does not answer. */
  async verdict(token: string): Promise<Verdict> {
    const digest = createHash("sha256").update(token).digest("base64");
    const nowMs = this.#options.clock.monotonicMs();
    const known = this.#allowed.get(digest) ?? this.#refused.get(digest);
    if (known && known.untilMs > nowMs) return known.verdict;
    const asked = this.#asked.get(digest);
    if (asked) return asked;
    if (!this.#bucket.take(nowMs)) return "busy";
    const question = this.#ask(token);
    this.#asked.set(digest, question);
    try {
      const verdict = await question;
      this.#remember(digest, verdict);
      return verdict;
    } finally {
      this.#asked.delete(digest);
    }
  }

  async #ask(token: string): Promise<Verdict> {
    const { api, path } = this.#options;
    const { status } = await api.create(tokenReviews, { ...review(tokenReviews), spec: { token } });
    if (status?.authenticated !== true || status.user === undefined) return "unknown";
    const { username: user, uid, groups, extra } = status.user;
    const spec = { user, uid, groups, extra, nonResourceAttributes: { path, verb: "get" } };
    const answer = await api.create(accessReviews, { ...review(accessReviews), spec });
    return answer.status?.allowed === true ? "allowed" : "forbidden";
  }

  #remember(digest: string, verdict: Verdict): void {
    const isAllowed = verdict === "allowed";
    const untilMs = this.#options.clock.monotonicMs() + (isAllowed ? ALLOWED_MS : REFUSED_MS);
    this.#allowed.delete(digest);
    this.#refused.delete(digest);
    const place = isAllowed ? this.#allowed : this.#refused;
    const [oldest] = place.keys();
    if (place.size >= KEPT && oldest !== undefined) place.delete(oldest);
    place.set(digest, { verdict, untilMs });
  }
}

/** A review is a question and is stored nowhere, so it has no name. */
const review = ({ apiVersion, kind }: Kind<KubeObject>) => ({ apiVersion, kind, metadata: { name: "" } });
