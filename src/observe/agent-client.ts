import { Agent, type IncomingMessage, request } from "node:http";
import {
  AGENT_PORT,
  type AgentAnswer,
  agentAnswerSchema,
  BLOCKS_PATH,
  type BlockAnswer,
  blockAnswerSchema,
} from "../model/agent-protocol.ts";

/** An answer is a few kilobytes; whatever is much longer does not come from an agent. */
const MAX_ANSWER_BYTES = 256 * 1024;

export interface Question {
  /** Hold the request until the agent's version differs from this one. */
  readonly after?: string;
  readonly waitMs: number;
}

/** Asks one agent, by the pod's address. Fails on anything but an answer of the known protocol. */
export type AskAgent = (ip: string, question: Question, signal: AbortSignal) => Promise<AgentAnswer>;

/** `cannot`: an agent of a version that does not tell single blocks. */
export type AskBlock = (
  target: { readonly ip: string; readonly podUid: string },
  height: number,
  signal: AbortSignal,
) => Promise<BlockAnswer | { readonly kind: "cannot" }>;

export interface AgentClient {
  readonly ask: AskAgent;
  readonly askBlock: AskBlock;
  close(): void;
}

/** Every request is bounded by its signal; connections are kept for the next one. */
export function newAgentClient(): AgentClient {
  const connections = new Agent({ keepAlive: true, timeout: 60_000 });
  const ask: AskAgent = async (ip, { after, waitMs }, signal) => {
    const query = new URLSearchParams({ waitMs: String(waitMs), ...(after === undefined ? {} : { after }) });
    const path = `/v1/state?${query.toString()}`;
    const response = await get(connections, ip, path, signal);
    const body = await textOf(response);
    if (response.statusCode !== 200) throw new Error(`the agent answered with status ${response.statusCode}`);
    return agentAnswerSchema.parse(JSON.parse(body));
  };
  const askBlock: AskBlock = async ({ ip, podUid }, height, signal) => {
    const response = await get(connections, ip, `${BLOCKS_PATH}${height}`, signal);
    const body = await textOf(response);
    if (response.statusCode === 404) return { kind: "cannot" };
    if (response.statusCode !== 200) throw new Error(`the agent answered with status ${response.statusCode}`);
    const answer = blockAnswerSchema.parse(JSON.parse(body));
    // An address may have passed on to another pod.
    if (answer.podUid !== podUid || answer.height !== height)
      throw new Error("the answer is of another block");
    return answer.block;
  };
  return { ask, askBlock, close: () => connections.destroy() };
}

function get(agent: Agent, host: string, path: string, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request({ agent, host, port: AGENT_PORT, path, signal }, resolve).on("error", reject).end();
  });
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_ANSWER_BYTES) throw new Error("the answer is too long to be an agent's");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
