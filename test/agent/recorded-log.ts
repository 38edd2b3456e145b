import type { Log } from "../../src/agent/log.ts";

export interface RecordedLog extends Log {
  readonly lines: readonly { readonly message: string; readonly fields: Readonly<Record<string, unknown>> }[];
}

export function recordedLog(): RecordedLog {
  const lines: { message: string; fields: Readonly<Record<string, unknown>> }[] = [];
  const write = (fields: Readonly<Record<string, unknown>>, message: string) => {
    lines.push({ message, fields });
  };
  return { info: write, warn: write, lines };
}
