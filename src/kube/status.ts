import { isRecord } from "../model/json.ts";
import { type Asked, clip, KubeError, type KubeErrorDetail, type KubeErrorKind, prefix } from "./errors.ts";

/** An answer, above all of a request that the server did not carry out. */
export interface Refusal {
  readonly status: number;
  /** The body as received; a `Status` object, unless something before the API server answered. */
  readonly body: string;
  readonly retryAfter?: string | undefined;
}

/** The fields of a `Status` object that matter here. Everything is optional: proxies answer what they like. */
interface Status {
  readonly status?: unknown;
  readonly code?: unknown;
  readonly reason?: unknown;
  readonly message?: unknown;
  readonly details?: {
    readonly name?: unknown;
    readonly retryAfterSeconds?: unknown;
    readonly causes?: unknown;
  };
}

/** The error that an HTTP answer stands for. */
export function refusalToError(refusal: Refusal, asked: Asked): KubeError {
  const status = parseStatus(refusal.body);
  const retryAfterMs =
    retryAfterMsOf(refusal.retryAfter) ?? retryAfterMsOf(status?.details?.retryAfterSeconds);
  return toError(refusal.status, status, refusal.body, retryAfterMs, asked);
}

/** The error that an ERROR event of a watch stands for. */
export function statusToError(object: unknown, asked: Asked): KubeError {
  const status = isRecord(object) ? (object as Status) : {};
  const code = typeof status.code === "number" ? status.code : 500;
  return toError(code, status, "", retryAfterMsOf(status.details?.retryAfterSeconds), asked);
}

/**
 * Whether a 404 says that this very object does not exist. Otherwise the server does not know the resource at all,
 * for example because the CRD is missing, which says nothing about the object.
 */
export function saysObjectIsGone(refusal: Refusal, name: string): boolean {
  if (refusal.status !== 404) return false;
  return parseStatus(refusal.body)?.details?.name === name;
}

/**
 * The answer with the code that its body tells. An eviction that the server refuses because two budgets guard the pod
 * is answered with 201, and only the body says that it is a failure, and 500.
 */
export function withToldCode<A extends Refusal>(answer: A): A {
  const told = parseStatus(answer.body);
  return told?.status === "Failure" && typeof told.code === "number"
    ? { ...answer, status: told.code }
    : answer;
}

function toError(
  code: number,
  status: Status | undefined,
  body: string,
  retryAfterMs: number | undefined,
  asked: Asked,
): KubeError {
  const reason = typeof status?.reason === "string" && status.reason !== "" ? status.reason : undefined;
  const message = typeof status?.message === "string" ? status.message : body;
  // What the server says about a Secret may quote its values, so only reason and field names are kept.
  const isSecret = asked.kind === "Secret";
  const details = detailsOf(status?.details?.causes, isSecret);
  const said = isSecret ? details.map((detail) => detail.field ?? "").join(", ") : message;
  const kind = kindOf(code, { reason, message, details });
  const text = [`${code}${reason === undefined ? "" : ` ${reason}`}`, clip(said)].filter(
    (part) => part !== "",
  );
  return new KubeError(kind, `${prefix(asked)}${text.join(": ")}`, {
    status: code,
    reason,
    retryAfterMs,
    details,
  });
}

interface Said {
  readonly reason: string | undefined;
  readonly message: string;
  readonly details: readonly KubeErrorDetail[];
}

function kindOf(code: number, { reason, message, details }: Said): KubeErrorKind {
  switch (code) {
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "NotFound";
    case 408:
    case 504:
      return "Timeout";
    case 409:
      return reason === "AlreadyExists" ? "AlreadyExists" : "Conflict";
    case 410:
      return "Expired";
    case 422:
      return "Invalid";
    case 429:
      // A server that is busy answers 429 as well, and says nothing about a budget.
      return details.some((cause) => cause.reason === "DisruptionBudget") ? "DisruptionBudget" : "Throttled";
    case 500:
      return kindOfServerFault(reason, message);
    case 502:
    case 503:
      return "Unavailable";
    default:
      return code >= 400 && code < 500 ? "BadRequest" : "Unknown";
  }
}

/**
 * A 500 may be a passing fault of the server or its storage, or a bug that comes back at every try. The API server
 * gives a reason to those that it knows; the faults of storage come without one, so their texts decide.
 */
function kindOfServerFault(reason: string | undefined, message: string): KubeErrorKind {
  if (reason === "ServerTimeout" || reason === "Timeout") return "Timeout";
  if (reason === "InternalError") return "Unavailable";
  const passing = /etcdserver:|rpc error:|context deadline exceeded|connection refused|transport is closing/;
  return passing.test(message) ? "Unavailable" : "Unknown";
}

function detailsOf(causes: unknown, isSecret: boolean): KubeErrorDetail[] {
  if (!Array.isArray(causes)) return [];
  return causes.filter(isRecord).map((cause) => ({
    ...(typeof cause["field"] === "string" ? { field: cause["field"] } : {}),
    ...(typeof cause["reason"] === "string" ? { reason: cause["reason"] } : {}),
    ...(typeof cause["message"] === "string" && !isSecret ? { message: clip(cause["message"]) } : {}),
  }));
}

function parseStatus(body: string): Status | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return isRecord(value) && value["kind"] === "Status" ? value : undefined;
  } catch {
    // Not JSON: a proxy or a load balancer answered. Its text is kept by the caller.
    return undefined;
  }
}

/** Seconds as header text or as number. The form with a date is not used by the API server. */
function retryAfterMsOf(value: unknown): number | undefined {
  const seconds = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  if (typeof seconds !== "number" || !Number.isFinite(seconds) || seconds < 0) return undefined;
  return seconds * 1000;
}
