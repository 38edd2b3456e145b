import { commonOptions } from "./arguments.ts";
import type { Command, Options } from "./command.ts";
import { renderTable } from "./table.ts";

const PROGRAM = "kubectl evnode";

/** Of all commands. */
export function overview(commands: readonly Command[]): readonly string[] {
  const rows = commands.map((command) => [`  ${calledAs(command)}`, command.summary]);
  return [
    "Looks at EvNodeClusters and asks their operator for what it does on request.",
    "",
    "Usage:",
    `  ${PROGRAM} COMMAND [NAME] [flags]`,
    "",
    "Commands:",
    ...renderTable(rows),
    "",
    "Flags of every command:",
    ...optionLines(commonOptions),
    "",
    `${PROGRAM} COMMAND --help has the flags of a command, and examples.`,
  ];
}

export function helpOf(command: Command): readonly string[] {
  const { path, summary, details, options, examples } = command;
  const own = Object.keys(options).length === 0 ? [] : ["", "Flags:", ...optionLines(options)];
  return [
    summary,
    "",
    ...details.split("\n"),
    "",
    "Usage:",
    `  ${PROGRAM} ${calledAs(command)} [flags]`,
    ...own,
    "",
    "Flags of every command:",
    ...optionLines(commonOptions),
    "",
    `Examples of ${path}:`,
    ...examples.map((example) => `  ${example}`),
  ];
}

function calledAs({ path, argument }: Command): string {
  if (argument === undefined) return path;
  return argument.isRequired ? `${path} ${argument.name}` : `${path} [${argument.name}]`;
}

function optionLines(options: Options): readonly string[] {
  return renderTable(
    Object.entries(options).map(([name, { short, value, help }]) => {
      const before = short === undefined ? "    " : `-${short}, `;
      return [`  ${before}--${name}${value === undefined ? "" : ` ${value}`}`, help];
    }),
  );
}
