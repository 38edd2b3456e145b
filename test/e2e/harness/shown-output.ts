import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CommandResult } from "../../../hack/local-cluster/command.ts";
import { type Renamed, shownText, steadyText } from "./steady-text.ts";

const root = join(import.meta.dirname, "../../..");

/** What commands print, as pages show it. A block of a page says above itself which output it is. */
const shownPages = ["docs/kubectl-plugin.md", "docs/kubectl-plugin-output.md"] as const;

const BLOCK = /^<!-- shown: ([\w-]+) -->\n```console\n([^]*?)^```$/gm;

/** Every block of the pages, by its name. */
function shownBlocks(): ReadonlyMap<string, readonly string[]> {
  const found = shownPages.flatMap((page) => [...read(page).matchAll(BLOCK)]);
  return new Map(
    [...Map.groupBy(found, ([, name = ""]) => name)].map(([name, all]) => [
      name,
      all.map(([, , text = ""]) => text.trimEnd()),
    ]),
  );
}

const read = (page: string) => readFileSync(join(root, page), "utf8");

/**
 * Holds what was printed against the pages. With E2E_PAGES=renew a block that differs is written anew, as it was
 * printed; what only differs as every run does stays as it is.
 */
export class ShownOutput {
  readonly #renamed: () => Renamed;
  readonly #seen = new Set<string>();

  constructor(renamed: () => Renamed) {
    this.#renamed = renamed;
  }

  /**
   * In what it differs from the pages, in words; undefined where it does not. `command` is what a reader would type.
   */
  differenceOf(name: string, command: string, result: CommandResult): string | undefined {
    this.#seen.add(name);
    const printed = [result.stdout.trimEnd(), result.stderr.trimEnd()].filter((text) => text !== "");
    const code = result.code === 0 ? [] : ["$ echo $?", String(result.code)];
    const text = shownText([`$ ${command}`, ...printed, ...code].join("\n"), this.#renamed());
    const blocks = shownBlocks().get(name) ?? [];
    if (blocks.length === 0) throw new Error(`there is no block ${name} in ${shownPages.join(" or ")}`);
    if (process.env["E2E_PAGES"] === "renew") renew(name, text);
    else if (blocks.some((block) => steadyText(block) !== steadyText(text)))
      return `it prints other things than the pages show as ${name}, which E2E_PAGES=renew would write anew:\n${text}`;
    return undefined;
  }

  /** Names of blocks that no test has looked at. */
  get unseen(): readonly string[] {
    return [...shownBlocks().keys()].filter((name) => !this.#seen.has(name));
  }
}

function renew(name: string, text: string): void {
  for (const page of shownPages) {
    const before = read(page);
    const after = before.replaceAll(BLOCK, (block: string, found: string, old: string) => {
      if (found !== name) return block;
      const isSame = steadyText(old.trimEnd()) === steadyText(text);
      return isSame ? block : `<!-- shown: ${name} -->\n\`\`\`console\n${text}\n\`\`\``;
    });
    if (after !== before) writeFileSync(join(root, page), after);
  }
}
