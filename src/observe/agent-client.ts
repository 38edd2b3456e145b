import { Agent, request } from "undici";
import { AGENT_PORT, type AgentAnswer, agentAnswerSchema } from "../model/agent-protocol.ts";

/** An answer is a few kilobytes; whatever is much longer does not come from an agent. */
const MAX_ANSWER_BYTES = 256 * 1024;

export interface Question {
  /** Hold the request until the agent's version differs from this one. */
  readonly after?: string;
  readonly waitMs: number;
}

/** Asks one agent, by the pod's address. Fails on anything but an answer of the known protocol. */
export type AskAgent = (ip: string, question: Question, signal: AbortSignal) => Promise<AgentAnswer>;

export function newAgentClient(): { ask: AskAgent; close(): Promise<void> } {
  const pool = new Agent({
    allowH2: false,
    connections: 4,
    connect: { timeout: 2_000 },
    headersTimeout: 0,
    bodyTimeout: 5_000,
    keepAliveTimeout: 60_000,
    maxResponseSize: MAX_ANSWER_BYTES,
  });
  const ask: AskAgent = async (ip, { after, waitMs }, signal) => {
    const host = ip.includes(":") ? `[${ip}]` : ip;
    const query = new URLSearchParams({ waitMs: String(waitMs), ...(after === undefined ? {} : { after }) });
    const response = await request(`http://${host}:${AGENT_PORT}/v1/state?${query.toString()}`, {
      dispatcher: pool,
      signal,
    });
    const body = await response.body.text();
    if (response.statusCode !== 200) throw new Error(`the agent answered with status ${response.statusCode}`);
    return agentAnswerSchema.parse(JSON.parse(body));
  };
  return { ask, close: () => pool.destroy() };
}
