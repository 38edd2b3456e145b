import type { Command, Input, Option } from "../command.ts";

/** What commands about one cluster have in common. */

export const oneCluster: NonNullable<Command["argument"]> = { name: "NAME", isRequired: true };

export const outputOption: Option = {
  type: "string",
  short: "o",
  value: "FORMAT",
  help: "json or yaml instead of text.",
  choices: ["json", "yaml"],
};

export const yesOption: Option = { type: "boolean", short: "y", help: "Do not ask, do it." };

export const nameIn = ({ argument = "" }: Input): string => argument;
