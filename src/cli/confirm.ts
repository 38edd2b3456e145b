import { exitCodes } from "./exit-code.ts";
import { Failure } from "./failure.ts";
import type { Terminal } from "./terminal.ts";

/** Asks before something is done that somebody may regret. Where nobody can answer, only `--yes` does it. */
export async function confirm(terminal: Terminal, question: string, isYes: boolean): Promise<void> {
  if (isYes) return;
  const answer = await terminal.ask(`${question} [y/N] `, { isHidden: false });
  if (answer === undefined)
    throw new Failure(
      exitCodes.usage,
      "nobody is there to ask: this is no terminal",
      "With --yes it is done unasked.",
    );
  if (!/^y(es)?$/i.test(answer.trim())) throw new Failure(exitCodes.notWell, "nothing was done");
}
