import type { Parsed } from "../evnode/parsed.ts";
import type { RpcRequest } from "../evnode/rpc.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Seen } from "./findings.ts";
import type { HttpClient } from "./http-client.ts";

/** The agent and ev-node share the pod's network. */
export const LOOPBACK = "127.0.0.1";

const CALL_DEADLINE_MS = 1_000;

/** Asks ev-node of this pod; undefined when it gave no usable answer in time. */
export type AskNode = <T>(
  what: RpcRequest,
  parse: (body: string) => Parsed<T>,
) => Promise<Seen<T> | undefined>;

export function newAskNode(http: HttpClient, clock: Clock, rpcPort: number): AskNode {
  return async (what, parse) => {
    const result = await http.send({ address: LOOPBACK, port: rpcPort }, what, CALL_DEADLINE_MS);
    if (result.kind !== "answered" || result.status !== 200) return undefined;
    const reading = parse(result.body);
    return reading.kind === "parsed" ? { value: reading.value, atMs: clock.monotonicMs() } : undefined;
  };
}
