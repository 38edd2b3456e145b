import { stripVTControlCharacters } from "node:util";
import { isRecord } from "../model/json.ts";

/**
 * The same value with texts that are safe to print: the last line of a process, an annotation or an Event may hold
 * control characters, and a terminal does what they say.
 */
export function cleaned<T>(value: T): T {
  return cleanedValue(value) as T;
}

function cleanedValue(value: unknown): unknown {
  if (typeof value === "string") return cleanedText(value);
  if (Array.isArray(value)) return value.map(cleanedValue);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [cleanedText(key), cleanedValue(inner)]),
  );
}

function cleanedText(text: string): string {
  return stripVTControlCharacters(text).replace(/(?![\n\t])\p{Cc}|\p{Bidi_Control}/gu, "");
}
