import { type Logger, pino } from "pino";

export type { Logger } from "pino";

/** One line of JSON for each thing worth knowing; nothing at level info while nothing changes. */
export function newLogger(level: string, name: string): Logger {
  return pino({
    level,
    name,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    // A safety net: no code logs Secrets on purpose.
    redact: { paths: ["*.data", "*.stringData", "object.data", "passphrase", "*.passphrase"], remove: true },
  });
}
