import type { Problem } from "./problem.ts";
import type { Token } from "./tokens.ts";

/** Folders whose functions depend on their arguments alone. */
const pureFolders = ["api", "model", "resources", "plan", "evnode"];
/** The two sources of time and chance, and the places that compose the two programs. */
const impureFiles = [
  "src/runtime/clock.ts",
  "src/runtime/random.ts",
  "src/main.ts",
  "src/config.ts",
  "src/kubectl-evnode.ts",
];

/** A call is written as the tokens it consists of, separated by spaces. */
const hiddenInputs = [
  "Date . now",
  "new Date ( )",
  "performance . now",
  "Math . random",
  "setTimeout (",
  "setInterval (",
  "setImmediate (",
  "randomUUID",
  "randomBytes",
  "randomInt",
  "getRandomValues",
  "process . env",
];
const effects = ["Date .", "process .", "fetch (", "console .", "async", "AbortSignal . timeout"];
const compilerSilencers = [": any", "as any", "< any", "as never", "@ts-ignore"];

export function bannedProblems(file: string, tokens: readonly Token[]): readonly Problem[] {
  const pure = pureFolders.some((folder) => file.startsWith(`src/${folder}/`));
  const problems = (calls: readonly string[], expected: string) =>
    calls.flatMap((call) =>
      linesWith(tokens, call.split(" ")).map((line) => ({
        file,
        line,
        message: `${call.replaceAll(" ", "")} is used, expected ${expected}`,
      })),
    );
  const here = pure && file.startsWith("src/evnode/") ? effects.filter((call) => call !== "async") : effects;
  return [
    ...(pure ? problems(here, "a value passed as an argument: this folder is pure") : []),
    ...(impureFiles.includes(file)
      ? []
      : problems(hiddenInputs, "time, chance and environment as arguments")),
    ...problems(compilerSilencers, "a type that says what the value is"),
  ];
}

/** A first token behind a dot is a member of something else, and before a colon it is a name in an object. */
function linesWith(tokens: readonly Token[], wanted: readonly string[]): readonly number[] {
  return tokens.flatMap((token, index) => {
    const matches = wanted.every((text, offset) => {
      const found = tokens[index + offset];
      return found?.text === text && ["word", "punctuator"].includes(found.kind);
    });
    if (!matches || [".", "?."].includes(tokens[index - 1]?.text ?? "")) return [];
    if (wanted.length === 1 && tokens[index + 1]?.text === ":") return [];
    return [token.line];
  });
}
