import { type Command, textFlag } from "../command.ts";
import { exitCodes } from "../exit-code.ts";
import { outputOf, rendered } from "../output.ts";
import { outputOption } from "./named.ts";

export const version: Command = {
  path: "version",
  summary: "Show the version of the plugin.",
  details: "It asks no server.",
  options: { output: outputOption },
  examples: ["kubectl evnode version", "kubectl evnode version -o json"],
  run({ terminal, version: own }, input) {
    terminal.print(rendered(outputOf(textFlag(input, "output")), { version: own }, () => [own]));
    return Promise.resolve(exitCodes.well);
  },
};
