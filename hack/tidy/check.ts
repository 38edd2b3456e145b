import { bannedProblems } from "./banned.ts";
import { functionsOf } from "./functions.ts";
import { importProblems } from "./imports.ts";
import type { Problem } from "./problem.ts";
import { textProblems } from "./text.ts";
import { type Token, tokensOf } from "./tokens.ts";

const maxFunctionLines = 70;
const maxFileLines = 400;
const maxTestFileLines = 600;
/** One schema is the single source of the resource, and splitting it would hide its shape. */
const longFiles = ["src/api/schema.ts"];

/** All problems of one file; `file` is its path in the repository. */
export function problemsOf(file: string, source: string): readonly Problem[] {
  const text = textProblems(file, source);
  if (!/^(?:src|hack|test)\/.*\.ts$/.test(file)) return text;
  const tokens = tokensOf(source);
  const code = file.startsWith("src/")
    ? [...importProblems(file, tokens), ...bannedProblems(file, tokens)]
    : [];
  return [...text, ...sizeProblems(file, source, tokens), ...code];
}

function sizeProblems(file: string, source: string, tokens: readonly Token[]): readonly Problem[] {
  const lines = source.trimEnd().split("\n").length;
  const limit = file.startsWith("test/") ? maxTestFileLines : maxFileLines;
  const tooLong = lines > limit && !longFiles.includes(file);
  const functions = functionsOf(tokens)
    .filter((span) => span.lines > maxFunctionLines && !(span.describes && file.startsWith("test/")))
    .map(({ line, lines: length }) => ({
      file,
      line,
      message: `a function of ${length} lines, expected at most ${maxFunctionLines}`,
    }));
  if (!tooLong) return functions;
  return [{ file, line: 1, message: `a file of ${lines} lines, expected at most ${limit}` }, ...functions];
}
