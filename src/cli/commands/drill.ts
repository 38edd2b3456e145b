import type { EvNodeCluster, Status } from "../../api/evnodecluster.ts";
import { rolloutPolicy } from "../../api/rollout-policy.ts";
import { annotations } from "../../model/annotations.ts";
import { annotate } from "../annotate.ts";
import { awaitCluster, durationOf } from "../await.ts";
import { clustersName } from "../called.ts";
import { type Command, type Connection, type Session, textFlag } from "../command.ts";
import { exitCodes } from "../exit-code.ts";
import { Failure } from "../failure.ts";
import { conditionOf } from "../health.ts";
import { outputOf, rendered } from "../output.ts";
import { gapText } from "../past.ts";
import { nameIn, oneCluster, outputOption } from "./named.ts";

type Drill = NonNullable<Status["lastDrill"]>;

/** The operator gives up after `spec.rollout.progressDeadlineSeconds`, which is five minutes by default. */
const TIMEOUT_MS = 10 * 60_000;
/** A member that has come back a moment ago takes part for long enough by then. */
const RETRY_FOR_MS = 60_000;
const ASK_AGAIN_MS = 3_000;
/** An operator that runs takes a request off within a second or two, or when `minReadySeconds` have passed. */
const TAKEN_WITHIN_MS = 60_000;

export const drill: Command = {
  path: "drill",
  summary: "Let the leader step down once, and show for how long no block was made.",
  details: `Sets the annotation ${annotations.drill}: see docs/rollouts.md. The operator does it at once or refuses it.
A drill that is refused for a reason that may pass is asked for again, for a minute unless --retry-for says otherwise.
A request that no operator takes is withdrawn: carried out later, it would come at a moment that nobody chose.

Exit code 0 when it succeeded, 3 when it was refused or failed, 4 when no end was heard of within --timeout.`,
  argument: oneCluster,
  options: {
    "retry-for": {
      type: "string",
      value: "TIME",
      help: "How long a refused drill is asked for again; 60s unless given.",
    },
    timeout: { type: "string", value: "TIME", help: "How long its end is waited for; 10m unless given." },
    output: outputOption,
  },
  examples: [
    "kubectl evnode drill my-chain",
    "kubectl evnode drill my-chain --retry-for 0s -o json | jq .gapMs",
  ],
  async run(session, input) {
    const format = outputOf(textFlag(input, "output"));
    const retryMs = durationOf("retry-for", textFlag(input, "retry-for"), RETRY_FOR_MS);
    const withinMs = durationOf("timeout", textFlag(input, "timeout"), TIMEOUT_MS);
    const connection = await session.connect();
    const told = await drillOnceAllowed(session, connection, nameIn(input), { retryMs, withinMs });
    session.terminal.print(rendered(format, told, () => [outcomeText(told, session.terminal.paint)]));
    return told.result === "Succeeded" ? exitCodes.well : exitCodes.notWell;
  },
};

interface Bounds {
  readonly retryMs: number;
  readonly withinMs: number;
}

async function drillOnceAllowed(
  session: Session,
  connection: Connection,
  name: string,
  { retryMs, withinMs }: Bounds,
): Promise<Drill> {
  const { clock, terminal, signal } = session;
  const endMs = clock.monotonicMs() + retryMs;
  const base = `kubectl-evnode ${new Date(clock.nowMs()).toISOString()}`;
  for (let count = 1; ; count++) {
    const told = await drillOnce(session, connection, name, `${base} ${count}`, withinMs);
    const isLast = clock.monotonicMs() + ASK_AGAIN_MS > endMs;
    if (told.drill.result !== "Refused" || isLast || isForLong(told.cluster)) return told.drill;
    terminal.tell(
      `refused: ${told.drill.message ?? "no reason is told"}; asked again in ${ASK_AGAIN_MS / 1_000}s`,
    );
    await clock.sleep(ASK_AGAIN_MS, signal);
  }
}

/** What speaks against a drill and does not pass by itself, by the conditions. */
function isForLong(cluster: EvNodeCluster): boolean {
  if (conditionOf(cluster, "Stalled")?.status === "True") return true;
  return (cluster.spec.replicas ?? 3) < 3 || cluster.spec.rollout?.mode === "Paused";
}

interface Told {
  readonly drill: Drill;
  readonly cluster: EvNodeCluster;
}

async function drillOnce(
  session: Session,
  connection: Connection,
  name: string,
  request: string,
  withinMs: number,
): Promise<Told> {
  const asked = await annotate(connection, name, (cluster) => {
    refuseSecond(cluster);
    return { [annotations.drill]: request };
  });
  try {
    const takenMs = Math.min(TAKEN_WITHIN_MS + rolloutPolicy(asked.spec).minReadyMs, withinMs);
    const taken = await awaitCluster(session, connection, name, takenMs, (cluster) =>
      cluster.metadata.annotations?.[annotations.drill] === request ? undefined : true,
    );
    if (taken === undefined)
      throw new Failure(
        exitCodes.unknown,
        `no operator has taken the drill within ${takenMs / 1_000} s`,
        "Does it run?",
      );
    const told = await awaitCluster(session, connection, name, withinMs, (cluster) =>
      endOf(cluster, request),
    );
    if (told !== undefined) return told;
    const next = `kubectl evnode status ${name} --namespace ${connection.namespace}`;
    throw new Failure(
      exitCodes.unknown,
      `no end of the drill was heard of within ${withinMs / 1_000} s`,
      next,
    );
  } catch (error) {
    await withdraw(session, connection, name, request);
    throw error;
  }
}

function refuseSecond(cluster: EvNodeCluster): void {
  const asked = cluster.metadata.annotations?.[annotations.drill];
  const next = `kubectl evnode status ${clustersName(cluster)}`;
  if (asked !== undefined)
    throw new Failure(exitCodes.notWell, `drill "${asked}" is asked for already`, next);
  if (cluster.status?.lastDrill?.result === "UnderWay")
    throw new Failure(exitCodes.notWell, "another drill is under way", next);
}

function endOf(cluster: EvNodeCluster, request: string): Told | undefined {
  const { lastDrill } = cluster.status ?? {};
  const isOver = lastDrill?.request === request && lastDrill.result !== "UnderWay";
  return isOver ? { drill: lastDrill, cluster } : undefined;
}

/** What nobody has taken yet. What was taken goes on, whoever waits for it. */
async function withdraw(
  { terminal }: Session,
  connection: Connection,
  name: string,
  request: string,
): Promise<void> {
  const isOurs = ({ metadata }: EvNodeCluster) => metadata.annotations?.[annotations.drill] === request;
  let isWithdrawn = false;
  try {
    await annotate(connection, name, (cluster) => {
      isWithdrawn = isOurs(cluster);
      return isWithdrawn ? { [annotations.drill]: null } : {};
    });
    if (isWithdrawn) terminal.tell("the request is withdrawn");
  } catch {
    const command = `kubectl annotate -n ${connection.namespace} evnodeclusters/${name} ${annotations.drill}-`;
    terminal.tell(`the request may still stand there. To withdraw it: ${command}`);
  }
}

function outcomeText(told: Drill, paint: Session["terminal"]["paint"]): string {
  const { result, message = "" } = told;
  if (result === "Succeeded") return `${paint.good("succeeded")}: ${message} ${gapText(told)}`.trimEnd();
  return `${paint.bad(result === "Refused" ? "refused" : "failed")}: ${message}`;
}
