/**
 * What a failed call means to its caller. Nobody outside this folder looks at status codes.
 *
 * - `Invalid`: the server refused the content (422); a patch or an apply that names another uid ends here too.
 * - `DisruptionBudget`: an eviction was refused because the pod's budget allows no disruption now (429 as well).
 * - `Expired`: the resource version or the continue token is too old (410); list again.
 * - `Unavailable`: no answer, or one that says "later"; a write may or may not have been carried out.
 * - `Timeout`: the same, after the whole deadline was spent.
 * - `Unknown`: anything else, for example the 500 of a server-side apply with a field that is not in the schema.
 */
export type KubeErrorKind =
  | "NotFound"
  | "AlreadyExists"
  | "Conflict"
  | "Invalid"
  | "BadRequest"
  | "Forbidden"
  | "Unauthorized"
  | "Expired"
  | "Throttled"
  | "DisruptionBudget"
  | "Unavailable"
  | "Timeout"
  | "Unknown";

/** One cause that the server named: which field, and what is wrong with it. */
export interface KubeErrorDetail {
  readonly field?: string;
  readonly reason?: string;
  readonly message?: string;
}

export interface KubeErrorFacts {
  readonly status?: number | undefined;
  readonly reason?: string | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly details?: readonly KubeErrorDetail[] | undefined;
  readonly cause?: unknown;
}

export class KubeError extends Error {
  override readonly name = "KubeError";
  readonly kind: KubeErrorKind;
  readonly status: number | undefined;
  readonly reason: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly details: readonly KubeErrorDetail[];

  constructor(kind: KubeErrorKind, message: string, facts: KubeErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.kind = kind;
    this.status = facts.status;
    this.reason = facts.reason;
    this.retryAfterMs = facts.retryAfterMs;
    this.details = facts.details ?? [];
  }
}

/** What was asked, for messages: `{ verb: "patch", kind: "Pod", name: "default/node-0" }`. */
export interface Asked {
  readonly verb: string;
  readonly kind: string;
  /** `namespace/name`, or what is known of it; empty of what has no name. */
  readonly name?: string | undefined;
}

/** Any thrown thing as a `KubeError`; one that already is a `KubeError` stays as it is. */
export function toKubeError(thing: unknown, asked?: Asked): KubeError {
  if (thing instanceof KubeError) return thing;
  const code = codeOf(thing);
  const text = thing instanceof Error ? thing.message : String(thing);
  const said = code === undefined || text.includes(code) ? text : `${code} ${text}`;
  return new KubeError(kindOfCode(code), `${prefix(asked)}${clip(said)}`, { cause: thing });
}

const retryable: Readonly<Record<KubeErrorKind, boolean>> = {
  NotFound: true,
  AlreadyExists: true,
  Conflict: true,
  Expired: true,
  Throttled: true,
  DisruptionBudget: true,
  Unavailable: true,
  Timeout: true,
  Invalid: false,
  BadRequest: false,
  Forbidden: false,
  Unauthorized: false,
  Unknown: false,
};

/**
 * Whether the same wish, decided anew on a fresh look, may succeed soon without anybody's help. What is not
 * retryable deserves a message to the user and a slow second try.
 */
export function isRetryable(error: KubeError): boolean {
  return retryable[error.kind] || (error.kind === "Invalid" && refusedForUid(error));
}

/** The server said 422 only because the object of that name is another one by now. */
function refusedForUid(error: KubeError): boolean {
  return error.details.length > 0 && error.details.every((detail) => detail.field === "metadata.uid");
}

/** The start of every message: `cannot patch Pod default/node-0: `. */
export function prefix(asked: Asked | undefined): string {
  if (asked === undefined) return "";
  return `cannot ${asked.verb} ${asked.kind}${asked.name ? ` ${asked.name}` : ""}: `;
}

/** Messages end up in conditions and Events, so they are kept short. */
export function clip(text: string, limit = 1024): string {
  const line = text.trim();
  return line.length <= limit ? line : `${line.slice(0, limit - 1)}…`;
}

function codeOf(thing: unknown): string | undefined {
  if (typeof thing !== "object" || thing === null || !("code" in thing)) return undefined;
  return typeof thing.code === "string" ? thing.code : undefined;
}

const timeoutCodes = new Set(["ETIMEDOUT", "DEADLINE_EXCEEDED"]);

/** Codes of sockets, name look-ups and certificates: the server was not reached, or broke off. */
const networkCode =
  /^(E(CONN|HOST|NET|PIPE|AI_|NOTFOUND|PROTO|ADDR)|ERR_(TLS|SSL|STREAM_PREMATURE)|HPE_|CERT_|UNABLE_|DEPTH_|SELF_SIGNED)/;

function kindOfCode(code: string | undefined): KubeErrorKind {
  if (code === undefined) return "Unknown";
  if (timeoutCodes.has(code)) return "Timeout";
  return networkCode.test(code) ? "Unavailable" : "Unknown";
}
