import type { Input, Option, Session } from "./command.ts";
import { textFlag } from "./command.ts";
import { exitCodes } from "./exit-code.ts";
import { Failure } from "./failure.ts";

/** With fewer, a machine that guesses finds it. */
const SHORTEST = 12;

export const passphraseOption: Option = {
  type: "string",
  value: "FILE",
  help: "Read the passphrase from this file; else you are asked.",
};

/** From the file, without the line break at its end, or from whoever sits there. */
export async function readPassphrase(
  { terminal, files }: Pick<Session, "terminal" | "files">,
  input: Input,
  purpose: "new" | "known",
): Promise<string> {
  const file = textFlag(input, "passphrase-file");
  const given =
    file === undefined
      ? await terminal.ask("Passphrase of the backup: ", { isHidden: true })
      : (await files.read(file)).replace(/\r?\n$/, "");
  if (given === undefined)
    throw new Failure(
      exitCodes.usage,
      "nobody is there to ask: this is no terminal",
      "Give --passphrase-file FILE.",
    );
  if (purpose === "known") return given;
  if (Array.from(given).length < SHORTEST)
    throw new Failure(
      exitCodes.usage,
      `the passphrase is too short, expected ${SHORTEST} characters or more`,
    );
  if (file === undefined && (await terminal.ask("The same once more: ", { isHidden: true })) !== given)
    throw new Failure(exitCodes.usage, "the two passphrases differ");
  return given;
}
