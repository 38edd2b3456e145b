import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { MAX_WAIT_MS } from "../model/agent-protocol.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Board } from "./board.ts";

/** Operator, its replacement during an upgrade, people; beyond that somebody asks without reading. */
const MAX_WAITING = 64;
const MAX_CONNECTIONS = 256;
/** Longer than anyone's interval of asking, so that the asking side is the one that closes. */
const KEEP_ALIVE_MS = 75_000;
const CLOSE_AFTER_MS = 1_000;

export interface AgentServer {
  readonly port: number;
  /** Answers all who wait, and stops. */
  close(): Promise<void>;
}

export interface ServerDependencies {
  readonly board: Board;
  readonly clock: Clock;
  /** Why the agent's own loops are not alive; undefined when they are. */
  readonly stuck: () => string | undefined;
}

export async function startServer(
  port: number,
  { board, clock, stuck }: ServerDependencies,
): Promise<AgentServer> {
  const waiting = new Set<() => void>();
  let closing = false;

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://agent");
    if (request.method !== "GET") return sendText(response, 405, "only GET is answered");
    switch (url.pathname) {
      case "/v1/state":
        return sendState(url.searchParams, request, response);
      case "/startupz": {
        const { prepare } = board.findings();
        const done = prepare.kind === "done";
        return sendText(
          response,
          done ? 200 : 503,
          done ? "prepared" : (prepare.message ?? "looks at the member"),
        );
      }
      case "/readyz": {
        const ready = board.readiness();
        return sendText(response, ready.ok ? 200 : 503, ready.message);
      }
      case "/livez": {
        const problem = stuck();
        return sendText(response, problem === undefined ? 200 : 503, problem ?? "alive");
      }
      default:
        return sendText(response, 404, "there is /v1/state, /startupz, /readyz and /livez");
    }
  });

  function sendState(query: URLSearchParams, request: IncomingMessage, response: ServerResponse): void {
    const waitMs = Number(query.get("waitMs") ?? "0");
    if (!Number.isInteger(waitMs) || waitMs < 0)
      return sendText(response, 400, "waitMs must be a whole number");
    if (closing || waitMs === 0 || query.get("after") !== board.version())
      return sendJson(response, board.answer());
    if (waiting.size >= MAX_WAITING) return sendText(response, 503, `${MAX_WAITING} requests wait already`);

    const stopWaiting = () => {
      cancelTimer();
      forget();
      waiting.delete(answerNow);
      request.socket.off("close", stopWaiting);
    };
    const answerNow = () => {
      stopWaiting();
      sendJson(response, board.answer());
    };
    const cancelTimer = clock.after(Math.min(waitMs, MAX_WAIT_MS), answerNow);
    const forget = board.onChange(answerNow);
    waiting.add(answerNow);
    request.socket.on("close", stopWaiting);
  }

  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.maxConnections = MAX_CONNECTIONS;
  await listen(server, port);
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      closing = true;
      for (const answerNow of waiting) answerNow();
      await closeServer(server, clock);
    },
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function closeServer(server: Server, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.after(CLOSE_AFTER_MS, () => server.closeAllConnections());
    server.close(() => {
      cancel();
      resolve();
    });
    server.closeIdleConnections();
  });
}

function sendJson(response: ServerResponse, value: unknown): void {
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(value));
}

function sendText(response: ServerResponse, status: number, text: string): void {
  response.statusCode = status;
  response.setHeader("content-type", "text/plain; charset=utf-8");
  response.end(`${text}\n`);
}
