import { getCluster } from "../clusters.ts";
import { type Command, textFlag } from "../command.ts";
import { exitCodes } from "../exit-code.ts";
import { outputOf, rendered } from "../output.ts";
import { awaitedHash, planText } from "../plan-text.ts";
import { nameIn, oneCluster, outputOption } from "./named.ts";

export const plan: Command = {
  path: "plan",
  summary: "Show the rollout that is planned or under way.",
  details: `The members in the order in which they are updated, how, and why so. In mode Plan nothing is changed before
the plan is approved, by its hash.

Exit code 3 when a plan waits for an approval, 0 otherwise.`,
  argument: oneCluster,
  options: { output: outputOption },
  examples: ["kubectl evnode plan my-chain", "kubectl evnode plan my-chain -o json | jq -r .planHash"],
  async run({ connect, terminal }, input) {
    const format = outputOf(textFlag(input, "output"));
    const cluster = await getCluster(await connect(), nameIn(input));
    terminal.print(rendered(format, cluster.status?.rollout ?? {}, () => planText(cluster, terminal.paint)));
    return awaitedHash(cluster) === undefined ? exitCodes.well : exitCodes.notWell;
  },
};
