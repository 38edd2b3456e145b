import { commonOptions } from "./arguments.ts";
import type { Command, Option } from "./command.ts";

/** What a word may become: these, or the names of clusters, or of members of this one. */
export type Candidates =
  | { readonly kind: "words"; readonly words: readonly string[] }
  | { readonly kind: "clusters" }
  | { readonly kind: "members"; readonly cluster: string }
  | { readonly kind: "files" };

/** The last word is the one that is being written; it may be empty. */
export function candidatesFor(line: readonly string[], commands: readonly Command[]): Candidates {
  const current = line.at(-1) ?? "";
  const before = line.slice(0, -1);
  const words = wordsOf(before, commands);
  const command = commands.find(({ path }) => path.split(" ").every((word, index) => words[index] === word));
  const options: Readonly<Record<string, Option>> = { ...commonOptions, ...command?.options };

  const asked = optionNamed(before.at(-1), options);
  if (asked?.[1].type === "string") return valuesOf(asked, words, command);
  if (current.startsWith("-"))
    return matching(
      Object.keys(options).map((name) => `--${name}`),
      current,
    );
  if (command === undefined) return matching(nextWords(words, commands), current);
  const isNamed = words.length > command.path.split(" ").length;
  if (isNamed || command.argument === undefined) return matching([], current);
  const { choices } = command.argument;
  return choices === undefined ? { kind: "clusters" } : matching(choices, current);
}

function matching(words: readonly string[], current: string): Candidates {
  return { kind: "words", words: words.filter((word) => word.startsWith(current)) };
}

/** The words that are no flags, and no values of flags. */
function wordsOf(line: readonly string[], commands: readonly Command[]): readonly string[] {
  const all: Readonly<Record<string, Option>> = Object.assign(
    {},
    commonOptions,
    ...commands.map(({ options }) => options),
  );
  return line.filter((word, index) => {
    const isValue = optionNamed(line[index - 1], all)?.[1].type === "string";
    return !word.startsWith("-") && !isValue;
  });
}

function optionNamed(
  word: string | undefined,
  options: Readonly<Record<string, Option>>,
): readonly [string, Option] | undefined {
  if (word === undefined) return undefined;
  return Object.entries(options).find(
    ([name, { short }]) => word === `--${name}` || word === `-${short ?? "-"}`,
  );
}

function valuesOf(
  [name, { choices = [] }]: readonly [string, Option],
  words: readonly string[],
  command: Command | undefined,
): Candidates {
  const cluster = command && words[command.path.split(" ").length];
  if (name === "member" && cluster !== undefined) return { kind: "members", cluster };
  return name.endsWith("file") || name === "kubeconfig"
    ? { kind: "files" }
    : { kind: "words", words: choices };
}

/** The first words of commands, or the second ones behind a first. */
function nextWords(words: readonly string[], commands: readonly Command[]): readonly string[] {
  const nexts = commands.flatMap(({ path }) => {
    const parts = path.split(" ");
    const fits = words.every((word, index) => parts[index] === word);
    return fits ? [parts[words.length] ?? ""] : [];
  });
  return [...new Set(nexts)].filter((word) => word !== "");
}
