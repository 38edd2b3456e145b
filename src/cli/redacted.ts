import { isRecord } from "../model/json.ts";

/**
 * The same value without what looks like a secret in a text: somebody may have written a password into an address, a
 * flag or an annotation, and a report is sent to others.
 */
export function redacted<T>(value: T): T {
  return redactedValue(value) as T;
}

const HIDDEN = "[hidden]";

const patterns: readonly (readonly [RegExp, string])[] = [
  // The user and password of an address.
  [/(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi, `$1${HIDDEN}@`],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[^]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, HIDDEN],
  [/\b(bearer|basic) +[\w.~+/=-]{8,}/gi, `$1 ${HIDDEN}`],
  [/\beyJ[\w-]+\.[\w-]+\.[\w-]*/g, HIDDEN],
  // `--auth-token=…`, `password: …`, `"secret": "…"`, `?apikey=…`
  [
    /((?:token|passw(?:or)?d|passphrase|secret|api[-_]?key|private[-_]?key|jwt)[\w-]*["']?\s*[=:]\s*["']?)[^\s"'&,;}]+/gi,
    `$1${HIDDEN}`,
  ],
];

function redactedValue(value: unknown): unknown {
  if (typeof value === "string")
    return patterns.reduce((text, [pattern, instead]) => text.replace(pattern, instead), value);
  if (Array.isArray(value)) return redactedFlags(value);
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, redactedValue(inner)]));
}

/** Of `["--auth-token", "…"]` the second entry belongs to the first. */
function redactedFlags(values: readonly unknown[]): readonly unknown[] {
  const isSecretFlag = (value: unknown) =>
    typeof value === "string" &&
    /^--?[\w.-]*(token|passw(or)?d|passphrase|secret|key|jwt)[\w.-]*$/i.test(value);
  return values.map((value, index) => (isSecretFlag(values[index - 1]) ? HIDDEN : redactedValue(value)));
}
