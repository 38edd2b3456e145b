/**
 * The commands of a page's block that stands under `<!-- first use: NAME -->`, one each, as a reader would paste them:
 * lines that go on are one, and comments stay.
 */
export function pageCommands(page: string, name: string): readonly string[] {
  const block = new RegExp(`^<!-- first use: ${name} -->\\n\`\`\`sh\\n([^]*?)^\`\`\`$`, "m").exec(page);
  if (block === null) throw new Error(`the page has no block of commands under <!-- first use: ${name} -->`);
  const [, text = ""] = block;
  return text
    .replaceAll(/\\\n\s*/g, "")
    .split("\n")
    .filter((line) => line.trim() !== "");
}
