import { createServer, type Server, type ServerResponse } from "node:http";
import { AGENT_PORT, type AgentAnswer, MAX_WAIT_MS } from "../../../src/model/agent-protocol.ts";

/** One agent's HTTP port at an address of its own on this machine, with the long poll of the real one. */
export interface AgentServer {
  /** Answers all who wait. */
  changed(): void;
  close(): Promise<void>;
}

const KEEP_ALIVE_MS = 75_000;

export interface Source {
  readonly version: () => string;
  readonly answer: () => AgentAnswer;
}

export async function serveAgent(address: string, { version, answer }: Source): Promise<AgentServer> {
  const waiting = new Map<ServerResponse, NodeJS.Timeout>();
  const send = (response: ServerResponse) => {
    clearTimeout(waiting.get(response));
    waiting.delete(response);
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(answer()));
  };
  const server = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? "/", "http://agent");
    const waitMs = Math.min(Number(searchParams.get("waitMs") ?? "0"), MAX_WAIT_MS);
    if (waitMs === 0 || searchParams.get("after") !== version()) return send(response);
    waiting.set(response, setTimeout(send, waitMs, response));
    response.once("close", () => {
      clearTimeout(waiting.get(response));
      waiting.delete(response);
    });
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  await listen(server, address);
  return {
    changed() {
      for (const response of waiting.keys()) send(response);
    },
    close: async () => {
      for (const response of waiting.keys()) send(response);
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function listen(server: Server, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(AGENT_PORT, address, () => {
      server.off("error", reject);
      resolve();
    });
  });
}
