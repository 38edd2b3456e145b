import { stringify } from "yaml";
import { exitCodes } from "./exit-code.ts";
import { Failure } from "./failure.ts";

const formats = ["text", "wide", "json", "yaml"] as const;
export type Format = (typeof formats)[number];

/** What `-o` asks for. */
export function outputOf(given: string | undefined, allowed: readonly Format[] = ["json", "yaml"]): Format {
  if (given === undefined) return "text";
  const found = allowed.find((format) => format === given);
  if (found !== undefined) return found;
  throw new Failure(exitCodes.usage, `--output is "${given}", expected one of ${allowed.join(", ")}`);
}

/** Text for people, or data for programs. */
export function rendered(format: Format, data: unknown, text: () => readonly string[]): string {
  if (format === "json") return JSON.stringify(data, null, 2);
  if (format === "yaml") return stringify(data, { lineWidth: 0 }).trimEnd();
  return text().join("\n");
}
