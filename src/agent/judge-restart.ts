import type { RestartRecord } from "./restart-record.ts";

/** What the pod asks for, from one reading of its annotations. */
export interface WantedRestart {
  readonly token: string;
  /** The revision of the config beside the token, which is installed. */
  readonly revision: string;
}

export type RestartVerdict =
  /** To be written down before a process is ended, and nothing to be ended that is not in it. */
  | { readonly kind: "end"; readonly record: RestartRecord }
  | { readonly kind: "done"; readonly record: RestartRecord };

/**
 * Whether a process has to end for a token that was not acted upon yet. What counts is that every process that may
 * have read an older config ended since, not who ended it: one that crashed, or that was restarted so that the
 * member can level, has done what the token asks for.
 *
 * | begun for this token and revision | processes of ev-node that run | then |
 * | --- | --- | --- |
 * | no | none | done: the next start reads the config that is installed |
 * | no | some | note and end them |
 * | yes | one that was noted | end it |
 * | yes | none, or only others | done |
 *
 * Begun for the same token with another revision is not begun: a process that started in between read that one.
 */
export function judgeRestart(
  record: RestartRecord,
  { token, revision }: WantedRestart,
  running: readonly string[],
): RestartVerdict {
  const { begun } = record;
  const isBegun = begun?.token === token && begun.revision === revision;
  const noted = isBegun ? begun.processes : running;
  if (!noted.some((process) => running.includes(process))) return { kind: "done", record: { token } };
  return {
    kind: "end",
    record: isBegun ? record : { ...record, begun: { token, revision, processes: [...running] } },
  };
}
