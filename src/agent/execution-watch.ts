import { blockNumberRequest, parseBlockNumber } from "../evnode/eth-rpc.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Board } from "./board.ts";
import { type ExecutionFinding, heightOf } from "./findings.ts";
import type { HttpClient } from "./http-client.ts";
import { LOOPBACK, newAskNode } from "./node-rpc.ts";
import type { Settings } from "./settings.ts";
import { probeTcp } from "./tcp-probe.ts";

const PORT_DEADLINE_MS = 500;

export interface ExecutionWatchDependencies {
  readonly http: HttpClient;
  readonly clock: Clock;
  readonly board: Board;
  readonly ports: NonNullable<Settings["execution"]>;
}

/**
 * Looks at the execution client of this pod. To be called right after ev-node's own height was looked at: a block is in
 * the execution layer before ev-node calls it its own, so that in this order a healthy layer is never found behind.
 */
export function newExecutionLook({ http, clock, board, ports }: ExecutionWatchDependencies) {
  const ask = newAskNode(http, clock, ports.eth);
  return async (): Promise<void> => {
    const { node, execution: before = unknownExecution } = board.findings();
    const own = heightOf(node, clock.monotonicMs());
    const [seen, engine] = await Promise.all([
      ask(blockNumberRequest, parseBlockNumber),
      probeTcp(LOOPBACK, ports.engine, PORT_DEADLINE_MS, clock),
    ]);
    const blocksBehind =
      seen === undefined || own === undefined
        ? before.blocksBehind
        : { value: Math.max(0, own - seen.value), atMs: seen.atMs };
    board.update({
      execution: { height: seen ?? before.height, blocksBehind, engine: stateOf(engine.kind) },
    });
  };
}

/** Before the first look. */
export const unknownExecution: ExecutionFinding = {
  height: undefined,
  blocksBehind: undefined,
  engine: "unknown",
};

/** No answer in time says nothing about who listens there. */
function stateOf(reach: Awaited<ReturnType<typeof probeTcp>>["kind"]): ExecutionFinding["engine"] {
  if (reach === "reached") return "open";
  return reach === "refused" ? "closed" : "unknown";
}
