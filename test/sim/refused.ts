import type { Kind } from "../../src/model/kinds.ts";
import type { KubeObject } from "../../src/model/kube-object.ts";

export interface Cause {
  readonly field?: string;
  readonly reason: string;
  readonly message: string;
}

export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly retryAfterSeconds?: number;
  readonly causes?: readonly Cause[];
}

/**
 * A request that the server does not carry out, with the code, reason and texts of the API server, so that the
 * client's own classification of errors is at work in front of the simulated server, too.
 */
export class Refused extends Error {
  override readonly name = "Refused";
  readonly code: number;
  readonly reason: string | undefined;
  readonly details: StatusDetails;

  constructor(code: number, reason: string | undefined, message: string, details: StatusDetails = {}) {
    super(message);
    this.code = code;
    this.reason = reason;
    this.details = details;
  }

  /** The `Status` object that is the body of the answer. */
  get status(): object {
    const { code, reason, message, details } = this;
    return { kind: "Status", apiVersion: "v1", status: "Failure", code, reason, message, details };
  }
}

export function notFound(kind: Kind<KubeObject>, name: string): Refused {
  return new Refused(404, "NotFound", `${resourceOf(kind)} "${name}" not found`, about(kind, name));
}

export function noSuchResource(): Refused {
  return new Refused(404, "NotFound", "the server could not find the requested resource");
}

export function alreadyExists(kind: Kind<KubeObject>, name: string): Refused {
  return new Refused(409, "AlreadyExists", `${resourceOf(kind)} "${name}" already exists`, about(kind, name));
}

export function conflict(kind: Kind<KubeObject>, name: string, why: string): Refused {
  const message = `Operation cannot be fulfilled on ${resourceOf(kind)} "${name}": ${why}`;
  return new Refused(409, "Conflict", message, about(kind, name));
}

export function invalid(kind: Kind<KubeObject>, name: string, causes: readonly Cause[]): Refused {
  const all = causes.map(({ field, message }) => `${field}: ${message}`).join(", ");
  const details = { ...about(kind, name), kind: kind.kind, causes };
  return new Refused(422, "Invalid", `${kind.kind} "${name}" is invalid: ${all}`, details);
}

export function badRequest(message: string): Refused {
  return new Refused(400, "BadRequest", message);
}

export function expired(message: string): Refused {
  return new Refused(410, "Expired", message);
}

function resourceOf({ apiVersion, plural }: Kind<KubeObject>): string {
  const [group = ""] = apiVersion.includes("/") ? apiVersion.split("/") : [];
  return group === "" ? plural : `${plural}.${group}`;
}

function about(kind: Kind<KubeObject>, name: string): StatusDetails {
  const [group = ""] = kind.apiVersion.includes("/") ? kind.apiVersion.split("/") : [];
  return { name, kind: kind.plural, ...(group === "" ? {} : { group }) };
}
