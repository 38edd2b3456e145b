import { type Command } from "../command.ts";
import { completionScripts } from "../completion-scripts.ts";
import { exitCodes } from "../exit-code.ts";
import { Failure } from "../failure.ts";

const shells = Object.keys(completionScripts);

export const completion: Command = {
  path: "completion",
  summary: "Print the script that completes commands, flags and names of clusters in a shell.",
  details: `For kubectl-evnode by itself: bash, zsh or fish. For "kubectl evnode", kubectl (1.26 or newer) calls a
program of the name kubectl_complete-evnode: put what "completion kubectl" prints under that name into your PATH.`,
  argument: { name: "SHELL", isRequired: true, choices: shells },
  options: {},
  examples: [
    "source <(kubectl evnode completion bash)",
    "source <(kubectl evnode completion zsh)",
    "kubectl evnode completion fish | source",
    "kubectl evnode completion kubectl >~/.local/bin/kubectl_complete-evnode",
    "chmod +x ~/.local/bin/kubectl_complete-evnode",
  ],
  run({ terminal }, { argument = "" }) {
    const script = completionScripts[argument];
    if (script === undefined)
      throw new Failure(
        exitCodes.usage,
        `there is no script for "${argument}", expected one of ${shells.join(", ")}`,
      );
    terminal.print(script);
    return Promise.resolve(exitCodes.well);
  },
};
