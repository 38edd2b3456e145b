import type { Line, Tone } from "./drawing.ts";

const codes: Readonly<Record<Tone, string>> = {
  plain: "",
  quiet: "2",
  strong: "1",
  good: "32",
  busy: "33",
  bad: "31",
  label: "1;30;43",
};

/** A line as a terminal shows it. */
export function ansi(line: Line, isColoured: boolean): string {
  return line
    .map(({ text, tone }) => (isColoured && codes[tone] !== "" ? `\x1b[${codes[tone]}m${text}\x1b[0m` : text))
    .join("");
}
