import { stripVTControlCharacters, styleText } from "node:util";

/** Colours by meaning, or none at all. */
export interface Paint {
  readonly good: (text: string) => string;
  readonly warn: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly strong: (text: string) => string;
}

type Format = "green" | "yellow" | "red" | "dim" | "bold";

const style = (format: Format) => (text: string) => styleText(format, text, { validateStream: false });
const asItIs = (text: string) => text;

export const plain: Paint = { good: asItIs, warn: asItIs, bad: asItIs, dim: asItIs, strong: asItIs };

export const coloured: Paint = {
  good: style("green"),
  warn: style("yellow"),
  bad: style("red"),
  dim: style("dim"),
  strong: style("bold"),
};

/** How many columns a text takes; colours take none. */
export const widthOf = (text: string): number => Array.from(stripVTControlCharacters(text)).length;

/** At most `width` columns. What is cut loses its colours, which a cut could leave open. */
export function fitted(line: string, width: number): string {
  if (widthOf(line) <= width) return line;
  const letters = Array.from(stripVTControlCharacters(line));
  return `${letters.slice(0, Math.max(0, width - 1)).join("")}…`;
}
