import { parseArgs } from "node:util";
import type { Command, Input, Option, Options } from "./command.ts";

/** Flags that every command has, named as kubectl names them. */
export const commonOptions: Options = {
  kubeconfig: {
    type: "string",
    value: "FILE",
    help: "Path of the kubeconfig; else KUBECONFIG, else ~/.kube/config.",
  },
  context: { type: "string", value: "NAME", help: "Context of the kubeconfig." },
  namespace: { type: "string", short: "n", value: "NAME", help: "Namespace; else that of the context." },
  help: { type: "boolean", short: "h", help: "Say what a command does, with examples." },
};

export type CommandLine =
  | { readonly kind: "run"; readonly command: Command; readonly input: Input }
  /** Of one command, or of all. */
  | { readonly kind: "help"; readonly command: Command | undefined }
  | { readonly kind: "usage"; readonly problem: string; readonly command: Command | undefined };

/** Flags may stand anywhere, also before the command. */
export function parseCommandLine(args: readonly string[], commands: readonly Command[]): CommandLine {
  const read = tryParse(args, commands);
  if (read.kind === "usage") return read;
  const { flags, positionals } = read;
  const [first, second] = positionals;
  if (first === undefined || (first === "help" && second === undefined))
    return { kind: "help", command: undefined };
  const words = first === "help" ? positionals.slice(1) : positionals;
  const command = commandOf(words, commands);
  if (command === undefined) return unknownCommand(words, commands);
  if (first === "help" || flags["help"] === true) return { kind: "help", command };

  const problem = flagProblem(flags, command) ?? argumentProblem(words, command);
  if (problem !== undefined) return { kind: "usage", problem, command };
  return { kind: "run", command, input: { argument: words[lengthOf(command)], flags } };
}

type Read =
  | { readonly kind: "read"; readonly flags: Input["flags"]; readonly positionals: readonly string[] }
  | Extract<CommandLine, { kind: "usage" }>;

/** Options of one name are alike in all commands, so a line can be read before its command is known. */
function tryParse(args: readonly string[], commands: readonly Command[]): Read {
  const all: Record<string, Option> = Object.assign(
    {},
    commonOptions,
    ...commands.map(({ options }) => options),
  );
  const options = Object.fromEntries(
    Object.entries(all).map(([name, { type, short }]) => [
      name,
      short === undefined ? { type } : { type, short },
    ]),
  );
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options,
      allowPositionals: true,
      strict: true,
    });
    return { kind: "read", flags: values, positionals };
  } catch (error) {
    const [problem = ""] = (error instanceof Error ? error.message : String(error)).split(". ");
    return { kind: "usage", problem, command: undefined };
  }
}

function commandOf(words: readonly string[], commands: readonly Command[]): Command | undefined {
  return commands.find(({ path }) => path.split(" ").every((word, index) => words[index] === word));
}

const lengthOf = ({ path }: Command) => path.split(" ").length;

function unknownCommand(words: readonly string[], commands: readonly Command[]): CommandLine {
  const [first = ""] = words;
  const parts = commands.filter(({ path }) => path.startsWith(`${first} `));
  const expected = (parts.length > 0 ? parts : commands).map(({ path }) => path).join(", ");
  const said = parts.length > 0 ? words.slice(0, 2).join(" ") : first;
  return {
    kind: "usage",
    problem: `Unknown command "${said}", expected one of: ${expected}`,
    command: undefined,
  };
}

function flagProblem(flags: Input["flags"], { path, options }: Command): string | undefined {
  const strange = Object.keys(flags).find((name) => !(name in commonOptions) && !(name in options));
  if (strange !== undefined) return `"${path}" has no flag --${strange}`;
  const empty = Object.entries(flags).find(([, value]) => value === "");
  return empty && `--${empty[0]} is empty, expected a value`;
}

function argumentProblem(words: readonly string[], command: Command): string | undefined {
  const { argument, path } = command;
  const given = words.slice(lengthOf(command));
  if (argument?.isRequired && given.length === 0) return `"${path}" needs ${argument.name}`;
  const most = argument === undefined ? 0 : 1;
  return given.length > most ? `"${path}" takes no "${given[most]}"` : undefined;
}
