import type { Secret } from "./objects.ts";

/** One entry of a Secret as text, or undefined. */
export function entryText(secret: Secret, entry: string): string | undefined {
  const value = secret.data?.[entry];
  return value === undefined ? undefined : Buffer.from(value, "base64").toString("utf8");
}
