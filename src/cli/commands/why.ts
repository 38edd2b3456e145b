import { getCluster } from "../clusters.ts";
import { type Command, textFlag } from "../command.ts";
import { exitCodes } from "../exit-code.ts";
import { outputOf, rendered } from "../output.ts";
import { type Verdict, whyOf } from "../why.ts";
import { whyText } from "../why-text.ts";
import { nameIn, oneCluster, outputOption } from "./named.ts";

const codes: Readonly<Record<Verdict, (typeof exitCodes)["well" | "notWell" | "unknown"]>> = {
  passed: exitCodes.well,
  atWork: exitCodes.well,
  waits: exitCodes.well,
  asksYou: exitCodes.notWell,
  unknown: exitCodes.unknown,
};

export const why: Command = {
  path: "why",
  summary: "Say what the operator would do now and what it waits for, rule by rule.",
  details: `All of it is the operator's own account in the status, and the requests that stand on the object. When the
operator does not run, it is what it saw last.

Exit code 3 when a person has to do something, 4 when nobody can say, 0 otherwise.`,
  argument: oneCluster,
  options: { output: outputOption },
  examples: ["kubectl evnode why my-chain", "kubectl evnode why my-chain -o yaml"],
  async run({ connect, terminal }, input) {
    const format = outputOf(textFlag(input, "output"));
    const found = whyOf(await getCluster(await connect(), nameIn(input)));
    terminal.print(rendered(format, found, () => whyText(found, terminal.paint)));
    return codes[found.verdict];
  },
};
