import type { Problem } from "./problem.ts";

/** Source is read side by side; prose, data and generated files are not bound to a line length, nor is gofmt. */
const wrapped = /\.(?:ts|js|mjs|sh|bash)$|^\.ci\/run$|^Dockerfile$/;
const maxLineLength = 120;
/** A row of a table in a comment cannot be wrapped. */
const tableRow = /^ *\* \|.*\|$/;
/** A message or an expression in quotes stays on one line, so that it can be searched for. */
const longString = /(["'`/])(?:(?!\1)[^\\]|\\.){40,}\1/;
/** Written by tools, or data: content hashes and licence texts may contain anything. */
const unchecked = /(?:^|\/)(?:go\.sum|package-lock\.json|LICENSE)$|\.(?:png|gz|tar|db|ico)$/;
const vagueNames = /^(?:.*-)?(?:utils?|helpers?|common|types|index|misc)$/;

interface TextRule {
  readonly pattern: RegExp;
  readonly message: string;
  readonly except?: RegExp;
}

const rules: readonly TextRule[] = [
  {
    pattern: /(?<![\w.:}\\-])\/work\//,
    message: "a path of one machine, expected a path relative to the repository",
  },
  {
    pattern: /(?<![\w.:}\\-])\/(?:root(?=\/)|home\/(?!ev\b|nonroot\b|\w\b|<)\w+(?=[/\s"'`)]|$))/,
    message: "a home directory of one machine, expected os.homedir() or a relative path",
  },
  {
    // The directory itself is a fine mount path in a container; a file in it is a place on somebody's machine.
    pattern: /(?<![\w.:}\\-])\/tmp\/[\w$]/,
    message: "a file in a fixed temporary directory, expected os.tmpdir() or mktemp",
  },
  {
    pattern: /\bGOPROXY=|proxy\.golang\.|npm_config_registry[=]|--registry[= ]|^registry\s*=/,
    message: "the address of a package mirror, expected none: each machine has its own settings",
  },
  {
    pattern: /(?<![.\w])(?:TO[D]O|FIX[M]E)\b(?!\(#\d+\))/,
    message: "an open end without an issue, expected the issue's number in parentheses behind the word",
    except: /\.md$/,
  },
  {
    pattern: /[ \t]+$/,
    message: "white space at the end of the line, expected none",
    except: /\.(?:md|txt|patch)$/,
  },
];

export function textProblems(file: string, source: string): readonly Problem[] {
  if (unchecked.test(file)) return nameProblems(file);
  const lines = source.split("\n");
  const found = lines.flatMap((text, index) => {
    const broken = rules.filter((rule) => rule.pattern.test(text) && !(rule.except?.test(file) ?? false));
    const messages = broken.map((rule) => rule.message);
    const mayBeLong = !wrapped.test(file) || longString.test(text) || tableRow.test(text);
    if (text.length > maxLineLength && !mayBeLong) {
      messages.push(`a line of ${text.length} characters, expected at most ${maxLineLength}`);
    }
    return messages.map((message) => ({ file, line: index + 1, message }));
  });
  return [...nameProblems(file), ...found];
}

function nameProblems(file: string): readonly Problem[] {
  if (!/^(?:src|hack|test)\//.test(file)) return [];
  const vague = file
    .split("/")
    .map((part) => part.replace(/\..*$/, ""))
    .find((part) => vagueNames.test(part));
  if (vague === undefined) return [];
  return [{ file, line: 1, message: `a name like "${vague}", expected the name of the one thing it holds` }];
}
