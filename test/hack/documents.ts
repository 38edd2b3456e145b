import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "../..");

export const read = (file: string): string => readFileSync(join(root, file), "utf8");

/** Every page that people read, by its path from the root of the repository. */
export const documents: readonly string[] = globSync("**/*.md", {
  cwd: root,
  exclude: ["node_modules", "dist", ".git"],
}).sort();

interface Fence {
  readonly language: string;
  readonly text: string;
}

/** The blocks of code of a page, also those of a list. */
export function fencesOf(text: string): readonly Fence[] {
  return [...text.matchAll(/^( *)```(\w*)\n([^]*?)^\1```$/gm)].map(
    ([, indent = "", language = "", body = ""]) => ({
      language,
      text: body.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
    }),
  );
}

/** Commands of a page's blocks of code; lines that go on are one. */
export function commandLinesOf(text: string): readonly string[] {
  const shells = fencesOf(text).filter(({ language }) => language === "sh" || language === "");
  return shells.flatMap(({ text: body }) => body.replaceAll(/\\\n\s*/g, "").split("\n"));
}
