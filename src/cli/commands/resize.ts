import { change } from "../annotate.ts";
import { clustersName } from "../called.ts";
import { getCluster } from "../clusters.ts";
import { type Command, isSet, textFlag } from "../command.ts";
import { confirm } from "../confirm.ts";
import { exitCodes } from "../exit-code.ts";
import { Failure } from "../failure.ts";
import { nameIn, oneCluster, yesOption } from "./named.ts";

const SIZES = [1, 3, 5, 7] as const;

export const resize: Command = {
  path: "resize",
  summary: "Change the number of members. Blocks stop for some seconds.",
  details: `Sets spec.replicas, and spec.membership.approvedEpoch to the epoch that comes next: see docs/membership.md.
New members get the chain before anything stops. You are asked first.

Exit code 3 when the cluster has that many members already, or the operator does not say which epoch comes next.`,
  argument: oneCluster,
  options: {
    replicas: { type: "string", value: "NUMBER", help: `How many members: ${SIZES.join(", ")}.` },
    yes: yesOption,
  },
  examples: [
    "kubectl evnode resize my-chain --replicas 5",
    "kubectl evnode resize my-chain --replicas 1 --yes",
  ],
  async run(session, input) {
    const { terminal } = session;
    const replicas = SIZES.find((size) => String(size) === textFlag(input, "replicas"));
    if (replicas === undefined)
      throw new Failure(exitCodes.usage, `--replicas: expected one of ${SIZES.join(", ")}`);
    const connection = await session.connect();
    const name = nameIn(input);
    const cluster = await getCluster(connection, name);
    const before = cluster.status?.replicas;
    if (before === replicas) throw new Failure(exitCodes.notWell, `${name} has ${replicas} members already`);
    const question = `Change ${clustersName(cluster)} from ${before ?? "?"} to ${replicas} members?`;
    const cost = "New members get the chain first; then no blocks are made for some seconds.";
    await confirm(terminal, `${question} ${cost}`, isSet(input, "yes"));
    const asked = await change(connection, name, ({ status }) => {
      const approvedEpoch = status?.membership?.nextEpoch;
      if (approvedEpoch === undefined)
        throw new Failure(exitCodes.notWell, `the operator does not say which epoch of ${name} comes next`);
      return { spec: { replicas, membership: { approvedEpoch } } };
    });
    const epoch = asked.spec.membership?.approvedEpoch ?? "?";
    terminal.print(
      `${name}: ${replicas} members, in epoch ${epoch}. kubectl evnode status ${clustersName(asked)} --watch`,
    );
    return exitCodes.well;
  },
};
