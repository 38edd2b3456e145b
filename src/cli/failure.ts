import { KubeError, type KubeErrorKind } from "../kube/errors.ts";
import { type ExitCode, exitCodes } from "./exit-code.ts";

/** Why a command did not do what was asked, in words for the person who asked. */
export class Failure extends Error {
  override readonly name = "Failure";
  readonly code: ExitCode;
  /** What to try next: a command, or a sentence. */
  readonly next: string | undefined;

  constructor(code: ExitCode, message: string, next?: string) {
    super(message);
    this.code = code;
    this.next = next;
  }
}

const nexts: Partial<Readonly<Record<KubeErrorKind, string>>> = {
  Forbidden:
    "Ask for the rights in docs/kubectl-plugin.md; kubectl auth can-i --list shows those that you have.",
  Unauthorized: "The server does not accept these credentials: kubectl auth whoami, or another --context.",
  Unavailable: "Is the server reachable? kubectl cluster-info, or another --context.",
  Timeout: "Is the server reachable? kubectl cluster-info, or another --context.",
  NotFound: "Is the operator installed? kubectl get crd evnodeclusters.evnode.dev",
  Conflict: "Somebody else changed it in the same moment; try again.",
};

/** Any thrown thing as a failure, with the next step where there is one. */
export function toFailure(thing: unknown): Failure {
  if (thing instanceof Failure) return thing;
  if (thing instanceof KubeError) return new Failure(exitCodes.error, thing.message, nexts[thing.kind]);
  return new Failure(exitCodes.error, thing instanceof Error ? thing.message : String(thing));
}

/** As it is printed. */
export function failureText({ message, next }: Failure): string {
  return next === undefined ? `error: ${message}` : `error: ${message}\n${next}`;
}
