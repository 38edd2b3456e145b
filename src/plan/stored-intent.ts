import { readStoredSpec } from "../api/stored-spec.ts";
import { annotations } from "../model/annotations.ts";
import type { StatefulSet } from "../model/objects.ts";
import { remembered } from "../model/remembered.ts";
import type { Intent } from "../resources/blueprint.ts";

/** What stands on a StatefulSet about what its pods are made from. Somebody may have taken it off, or edited it. */
export type StoredIntent =
  | { readonly kind: "readable"; readonly intent: Intent }
  | { readonly kind: "unreadable"; readonly problem: string }
  /** Of a later version of the operator, which alone knows what it means. */
  | { readonly kind: "newer"; readonly problem: string };

/** Several deciders of every reconcile ask for it. */
export const readIntent = ({ metadata: { annotations: notes } }: StatefulSet): StoredIntent =>
  notes ? intentIn(notes) : parseIntent(undefined);

const intentIn = remembered((notes: Readonly<Record<string, string>>) =>
  parseIntent(notes[annotations.intent]),
);

/** The intent on the StatefulSet; undefined where there is no StatefulSet, or its intent cannot be read. */
export function appliedIntent(statefulSet: StatefulSet | undefined): Intent | undefined {
  const stored = statefulSet && readIntent(statefulSet);
  return stored?.kind === "readable" ? stored.intent : undefined;
}

/** From the text that stands on a StatefulSet, or stood on it. */
export function parseIntent(text: string | undefined): StoredIntent {
  if (text === undefined) return unreadable("it is missing");
  const json = asJson(text);
  if (!json) return unreadable("expected a JSON object");
  const { version, agentImage, configRevision, restart } = json;
  if (typeof version !== "number") return unreadable("version: expected a number");
  if (version !== 1) return { kind: "newer", problem: `version: ${version} is not known here` };
  if (!isText(agentImage)) return unreadable("agentImage: expected a text");
  if (!isText(configRevision)) return unreadable("configRevision: expected a text");
  if (restart !== undefined && !isText(restart)) return unreadable("restart: expected a text");
  const stored = readStoredSpec(json["spec"]);
  if (stored.kind !== "readable") return stored;
  const { spec } = stored;
  const intent = { version: 1, spec, agentImage, configRevision, ...(restart && { restart }) } as const;
  return { kind: "readable", intent };
}

const unreadable = (problem: string): StoredIntent => ({ kind: "unreadable", problem });

const isText = (value: unknown): value is string => typeof value === "string" && value !== "";

function asJson(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const json: unknown = JSON.parse(text);
    return typeof json === "object" && json !== null ? (json as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
