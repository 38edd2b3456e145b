import type { EvNodeCluster } from "../../api/evnodecluster.ts";
import { annotations } from "../../model/annotations.ts";
import { annotate } from "../annotate.ts";
import { awaitCluster, durationOf } from "../await.ts";
import { clustersName } from "../called.ts";
import { type Command, type Connection, type Input, isSet, type Session, textFlag } from "../command.ts";
import { type ExitCode, exitCodes } from "../exit-code.ts";
import { Failure } from "../failure.ts";
import { conditionOf } from "../health.ts";
import { nameIn, oneCluster } from "./named.ts";

const TIMEOUT_MS = 15 * 60_000;

export const restart: Command = {
  path: "restart",
  summary: "Restart all members one after another, the leader last; or one member.",
  details: `Sets the annotation ${annotations.restart} or ${annotations.restartMember}: see docs/rollouts.md.
The operator keeps to the same rules as in every rollout; in mode Plan a restart of all waits for its approval.

Exit code 3 when it was refused or did not get on, 4 when --wait heard of no end within --timeout.`,
  argument: oneCluster,
  options: {
    member: { type: "string", value: "MEMBER", help: "Only this member." },
    wait: { type: "boolean", help: "Wait until it is over." },
    timeout: { type: "string", value: "TIME", help: "How long --wait waits; 15m unless given." },
  },
  examples: ["kubectl evnode restart my-chain --wait", "kubectl evnode restart my-chain --member my-chain-1"],
  async run(session, input) {
    const withinMs = durationOf("timeout", textFlag(input, "timeout"), TIMEOUT_MS);
    const connection = await session.connect();
    const name = nameIn(input);
    const member = textFlag(input, "member");
    const text = new Date(session.clock.nowMs()).toISOString();
    let before: EvNodeCluster | undefined;
    const asked = await annotate(connection, name, (cluster) => {
      before = cluster;
      return member === undefined ? { [annotations.restart]: text } : requestFor(cluster, member);
    });
    const what = member === undefined ? "a restart of all members" : `a restart of ${member}`;
    session.terminal.print(`${name}: ${what} is asked for. ${hint(asked)}`);
    if (!isSet(input, "wait")) return exitCodes.well;
    const over = member === undefined ? isAllOver(before) : isMemberOver(member, before);
    return waitFor(session, connection, input, withinMs, over);
  },
};

function hint(cluster: EvNodeCluster): string {
  const { mode } = cluster.spec.rollout ?? {};
  if (mode === "Paused") return "spec.rollout.mode is Paused, so it waits.";
  if (mode === "Plan" && cluster.metadata.annotations?.[annotations.restartMember] === undefined)
    return `spec.rollout.mode is Plan, so it waits for kubectl evnode approve ${clustersName(cluster)}`;
  return `kubectl evnode status ${clustersName(cluster)} --watch`;
}

function requestFor(cluster: EvNodeCluster, member: string): Readonly<Record<string, string>> {
  const names = cluster.status?.members?.map(({ name }) => name) ?? [];
  if (!names.includes(member))
    throw new Failure(
      exitCodes.usage,
      `${member} is no member, expected one of ${names.join(", ") || "none yet"}`,
    );
  const asked = cluster.metadata.annotations?.[annotations.restartMember];
  if (asked !== undefined && asked !== member) {
    const next = `kubectl evnode why ${clustersName(cluster)}`;
    throw new Failure(
      exitCodes.notWell,
      `a restart of ${asked} is asked for already, and members go one by one`,
      next,
    );
  }
  return { [annotations.restartMember]: member };
}

type Over = (cluster: EvNodeCluster) => ExitCode | undefined;

/**
 * The operator takes the request away when the member was seen to be restarted. It is back when it is ready, and
 * nothing is taken to the members any more.
 */
const isMemberOver =
  (member: string, before: EvNodeCluster | undefined): Over =>
  (cluster) => {
    if (isStuck(cluster, before)) return exitCodes.notWell;
    if (cluster.metadata.annotations?.[annotations.restartMember] === member) return undefined;
    const { reason = "RollingOut" } = conditionOf(cluster, "RolloutComplete") ?? {};
    const isBack = cluster.status?.members?.find(({ name }) => name === member)?.ready === true;
    return isBack && !movingReasons.includes(reason) ? exitCodes.well : undefined;
  };

const movingReasons = ["Rehearsing", "RollingOut", "RolloutWaiting"];

/** Another rollout than before was the last one, and all members run what is asked for. */
const isAllOver =
  (before: EvNodeCluster | undefined): Over =>
  (cluster) => {
    if (isStuck(cluster, before)) return exitCodes.notWell;
    const { lastRollout, rollout } = cluster.status ?? {};
    const isOther =
      lastRollout !== undefined && lastRollout.startedAt !== before?.status?.lastRollout?.startedAt;
    if (!isOther || rollout !== undefined || conditionOf(cluster, "RolloutComplete")?.status !== "True")
      return undefined;
    return lastRollout.result === "Reverted" ? exitCodes.notWell : exitCodes.well;
  };

const stuckReasons = ["RolloutStalled", "RolloutReverted", "RehearsalFailed"];

/** What was told before it was asked for is about something else. */
function isStuck(cluster: EvNodeCluster, before: EvNodeCluster | undefined): boolean {
  const told = conditionOf(cluster, "RolloutComplete");
  const earlier = before && conditionOf(before, "RolloutComplete");
  return stuckReasons.includes(told?.reason ?? "") && told?.message !== earlier?.message;
}

async function waitFor(
  session: Session,
  connection: Connection,
  input: Input,
  withinMs: number,
  over: Over,
): Promise<ExitCode> {
  const name = nameIn(input);
  let last: EvNodeCluster | undefined;
  const code = await awaitCluster(session, connection, name, withinMs, (cluster) => {
    last = cluster;
    return over(cluster);
  });
  const told = last && conditionOf(last, "RolloutComplete")?.message;
  const end =
    code === exitCodes.well
      ? "the restart is over"
      : code === undefined
        ? "it is not over yet"
        : "it does not get on";
  session.terminal.print(`${name}: ${end}.${told === undefined ? "" : ` ${told}`}`);
  return code ?? exitCodes.unknown;
}
