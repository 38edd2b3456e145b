import { type DestinationStream, type Logger, pino } from "pino";

export type { Logger } from "pino";

/** Fields that hold keys and tokens: of Secrets, and of what is read from them. */
const secretFields = ["data", "stringData", "passphrase", "signerJson"];

/** One line of JSON for each thing worth knowing; nothing at level info while nothing changes. */
export function newLogger(level: string, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    // A safety net: no code logs Secrets on purpose. An object may stand alone, in a field, or in a list or an error.
    redact: {
      paths: secretFields.flatMap((field) => [field, `*.${field}`, `*.*.${field}`, `*.*.*.${field}`]),
      remove: true,
    },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}
