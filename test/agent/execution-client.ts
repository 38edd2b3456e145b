import { json } from "node:stream/consumers";
import { type LocalServer, startHttp } from "./servers.ts";

/**
 * Stands in for ev-reth, of which no image could be had: JSON-RPC as the Ethereum execution APIs define it, as far as
 * the agent reads it, and an engine port that answers nobody without a token.
 */
export interface ExecutionClient {
  readonly ports: { readonly eth: number; readonly engine: number };
  /** Of its newest block. */
  height: number;
  /** Answers instead, where it is given. */
  says: unknown;
  readonly asked: unknown[];
  stopEngine(): Promise<void>;
  close(): Promise<void>;
}

const error = (code: number, message: string) => ({ error: { code, message } });

export async function startExecutionClient(height: number): Promise<ExecutionClient> {
  const eth = await startHttp((request, response) => {
    response.setHeader("content-type", "application/json");
    if (request.method !== "POST") {
      response.statusCode = 405;
      response.end();
      return;
    }
    const end = (answer: unknown) => response.end(JSON.stringify(answer));
    json(request).then(
      (call) => {
        client.asked.push(call);
        return end(client.says ?? answerTo(call, client.height));
      },
      () => end({ jsonrpc: "2.0", id: null, ...error(-32_700, "parse error") }),
    );
  });
  const engine: LocalServer = await startHttp((_, response) => {
    response.statusCode = 401;
    response.end("Authorization header is missing or invalid");
  });
  const client: ExecutionClient = {
    ports: { eth: eth.port, engine: engine.port },
    height,
    says: undefined,
    asked: [],
    stopEngine: () => engine.close(),
    close: async () => {
      await Promise.all([eth.close(), engine.close()]);
    },
  };
  return client;
}

function answerTo(call: unknown, height: number): object {
  const { id, method, jsonrpc } = call as Readonly<Record<string, unknown>>;
  const frame = { jsonrpc: "2.0", id };
  if (jsonrpc !== "2.0") return { ...frame, ...error(-32_600, "invalid request") };
  if (method === "eth_blockNumber") return { ...frame, result: `0x${height.toString(16)}` };
  return { ...frame, ...error(-32_601, "method not found") };
}
