import type { EvNodeCluster } from "../../api/evnodecluster.ts";
import { change } from "../annotate.ts";
import { awaitCluster, durationOf } from "../await.ts";
import { clustersName } from "../called.ts";
import { getCluster } from "../clusters.ts";
import {
  type Command,
  type Connection,
  type Input,
  isSet,
  type Options,
  type Session,
  textFlag,
} from "../command.ts";
import { confirm } from "../confirm.ts";
import { type ExitCode, exitCodes } from "../exit-code.ts";
import { Failure } from "../failure.ts";
import { conditionOf, healthOf, isLookedAt } from "../health.ts";
import { nameIn, oneCluster, yesOption } from "./named.ts";

const TIMEOUT_MS = 10 * 60_000;

const waiting: Options = {
  wait: { type: "boolean", help: "Wait until it is so." },
  timeout: { type: "string", value: "TIME", help: "How long --wait waits; 10m unless given." },
};

export const suspend: Command = {
  path: "suspend",
  summary: "Stop all members in one step. No blocks are made until resume.",
  details: `Sets spec.suspend to true: see docs/suspend.md. Volumes, identity and chain lock stay. You are asked first.

Exit code 3 when it is suspended already, 4 when --wait did not see the last member go within --timeout.`,
  argument: oneCluster,
  options: { yes: yesOption, ...waiting },
  examples: ["kubectl evnode suspend my-chain", "kubectl evnode suspend my-chain --yes --wait"],
  async run(session, input) {
    const connection = await session.connect();
    const name = nameIn(input);
    const question = `Stop all members of ${clustersName(await getCluster(connection, name))}?`;
    await confirm(
      session.terminal,
      `${question} The chain makes no blocks until it is resumed.`,
      isSet(input, "yes"),
    );
    return turn(session, connection, input, true);
  },
};

export const resume: Command = {
  path: "resume",
  summary: "Let the members of a suspended cluster go on.",
  details: `Sets spec.suspend to false: see docs/suspend.md. The members level their blocks before one of them leads.

Exit code 3 when it is not suspended, 4 when --wait did not see every member ready within --timeout.`,
  argument: oneCluster,
  options: waiting,
  examples: ["kubectl evnode resume my-chain --wait"],
  run: async (session, input) => turn(session, await session.connect(), input, false),
};

async function turn(
  session: Session,
  connection: Connection,
  input: Input,
  isToStop: boolean,
): Promise<ExitCode> {
  const { terminal } = session;
  const withinMs = durationOf("timeout", textFlag(input, "timeout"), TIMEOUT_MS);
  const name = nameIn(input);
  const asked = await change(connection, name, ({ spec }) => {
    if ((spec.suspend ?? false) !== isToStop) return { spec: { suspend: isToStop } };
    throw new Failure(exitCodes.notWell, `spec.suspend of ${name} is ${isToStop} already`);
  });
  const what = isToStop ? "all members are told to stop" : "the members are told to go on";
  terminal.print(`${name}: ${what}. kubectl evnode status ${clustersName(asked)} --watch`);
  if (!isSet(input, "wait")) return exitCodes.well;
  const isOver = (now: EvNodeCluster) => ((isToStop ? isStopped(now) : isBack(now)) ? now : undefined);
  const over = await awaitCluster(session, connection, name, withinMs, isOver);
  const end = isToStop ? "no member runs any more" : "every member is ready";
  terminal.print(`${name}: ${over ? end : "it is not over yet"}.`);
  return over ? exitCodes.well : exitCodes.unknown;
}

const isStopped = (cluster: EvNodeCluster) =>
  isLookedAt(cluster) &&
  conditionOf(cluster, "Ready")?.reason === "Suspended" &&
  conditionOf(cluster, "Reconciling")?.status === "False";

const isBack = (cluster: EvNodeCluster) => healthOf(cluster) === "well";
