import { parseArgs } from "node:util";
import type { Campaign } from "./campaign.ts";

export interface Request {
  readonly campaign: Campaign;
  readonly options: Readonly<Record<string, number>>;
  readonly isShort: boolean;
  readonly output: string | undefined;
  readonly picture: string | undefined;
}

export type CommandLine =
  | { readonly kind: "run"; readonly request: Request }
  | { readonly kind: "help"; readonly text: string }
  | { readonly kind: "wrong"; readonly problem: string };

const MAX_VALUE = 1_000_000;

/** Reads `NAME [--short] [--output FILE] [--picture FILE] [--OPTION N]…`. */
export function readCommandLine(args: readonly string[], campaigns: readonly Campaign[]): CommandLine {
  const [name = "", ...rest] = args;
  if (["", "help", "--help"].includes(name)) return { kind: "help", text: usage(campaigns) };
  const campaign = campaigns.find((candidate) => candidate.name === name);
  if (!campaign) return wrong(`there is no campaign "${name}", expected one of ${namesOf(campaigns)}`);

  const own = Object.keys(campaign.options).map((option) => [option, { type: "string" }] as const);
  let values: Readonly<Record<string, string | boolean | undefined>>;
  try {
    ({ values } = parseArgs({
      args: rest,
      options: {
        ...Object.fromEntries(own),
        short: { type: "boolean" },
        output: { type: "string" },
        picture: { type: "string" },
        help: { type: "boolean" },
      },
    }));
  } catch (error) {
    return wrong(error instanceof Error ? error.message : String(error));
  }
  if (values["help"] === true) return { kind: "help", text: usage([campaign]) };
  return requestFrom(campaign, values);
}

function requestFrom(
  campaign: Campaign,
  values: Readonly<Record<string, string | boolean | undefined>>,
): CommandLine {
  const isShort = values["short"] === true;
  const options: Record<string, number> = {};
  for (const [name, { full, short }] of Object.entries(campaign.options)) {
    const text = values[name];
    const value = text === undefined ? (isShort ? short : full) : Number(text);
    if (!Number.isSafeInteger(value) || value < 0 || value > MAX_VALUE || text === "") {
      return wrong(`--${name} ${String(text)}, expected a whole number from 0 to ${MAX_VALUE}`);
    }
    options[name] = value;
  }
  const [output, picture] = ["output", "picture"].map((name) =>
    typeof values[name] === "string" ? values[name] : undefined,
  );
  return { kind: "run", request: { campaign, options, isShort, output, picture } };
}

const wrong = (problem: string): CommandLine => ({ kind: "wrong", problem });
const namesOf = (campaigns: readonly Campaign[]) => campaigns.map(({ name }) => name).join(", ");

function usage(campaigns: readonly Campaign[]): string {
  const lines = campaigns.flatMap(({ name, about, options }) => [
    `  ${name.padEnd(16)}${about}`,
    ...Object.entries(options).map(
      ([option, { full, short, about: meaning }]) =>
        `    --${option.padEnd(18)}${meaning} (${full}; short form: ${short})`,
    ),
  ]);
  return `usage: npm run measure -- NAME [--short] [--output FILE] [--picture FILE] [OPTIONS]

Measures the operator on a real cluster: KUBECONFIG, or the local one, which is brought up when there is none.
What needs no cluster says so.

${lines.join("\n")}

  --short           a form of a few minutes, to see that nothing rots
  --output FILE     writes all values as JSON, too
  --picture FILE    draws them into an SVG, where the measurement has a picture
`;
}
