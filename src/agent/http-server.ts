import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { BLOCKS_PATH, type BlockAnswer, MAX_WAIT_MS } from "../model/agent-protocol.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Board } from "./board.ts";

/** Operator, its replacement during an upgrade, people; beyond that somebody asks without reading. */
const MAX_WAITING = 64;
const MAX_CONNECTIONS = 256;
/** Longer than anyone's interval of asking, so that the asking side is the one that closes. */
const KEEP_ALIVE_MS = 75_000;
const CLOSE_AFTER_MS = 200;

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
  /** Which block ev-node holds at a height. */
  readonly blockAt: (height: number) => Promise<BlockAnswer>;
}

export async function startServer(port: number, dependencies: ServerDependencies): Promise<AgentServer> {
  const { board, clock, stuck } = dependencies;
  const states = new StateRequests(board, clock);
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://agent");
    if (request.method !== "GET") return sendText(response, 405, "only GET is answered");
    if (url.pathname === "/v1/state") return states.serve(url.searchParams, request, response);
    if (url.pathname.startsWith(BLOCKS_PATH))
      return void serveBlock(url.pathname.slice(BLOCKS_PATH.length), dependencies, response);
    const [status, text] = probeAnswer(url.pathname, board, stuck);
    return sendText(response, status, text);
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.maxConnections = MAX_CONNECTIONS;
  await listen(server, port);
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      states.close();
      await closeServer(server, clock);
    },
  };
}

/** What the probes of the pod ask, with the reason for a person who asks the same. */
function probeAnswer(
  path: string,
  board: Board,
  stuck: ServerDependencies["stuck"],
): readonly [status: number, text: string] {
  switch (path) {
    case "/startupz": {
      const { prepare } = board.findings();
      return prepare.kind === "done" ? [200, "prepared"] : [503, prepare.message ?? "looks at the member"];
    }
    case "/readyz": {
      const { ok, message } = board.readiness();
      return [ok ? 200 : 503, message];
    }
    case "/livez": {
      const problem = stuck();
      return problem === undefined ? [200, "alive"] : [503, problem];
    }
    default:
      return [404, "there is /v1/state, /v1/blocks/HEIGHT, /startupz, /readyz and /livez"];
  }
}

async function serveBlock(
  asked: string,
  { board, blockAt }: ServerDependencies,
  response: ServerResponse,
): Promise<void> {
  if (!/^[1-9]\d{0,14}$/.test(asked)) return sendText(response, 400, "a height is a whole number from 1 on");
  const height = Number(asked);
  const { protocol, podUid } = board.answer();
  try {
    sendJson(response, { protocol, podUid, height, block: await blockAt(height) });
  } catch (error) {
    sendText(response, 500, error instanceof Error ? error.message : String(error));
  }
}

/** Requests for the state, of which some wait for the next change. */
class StateRequests {
  readonly #waiting = new Set<() => void>();
  readonly #board: Board;
  readonly #clock: Clock;
  #closing = false;

  constructor(board: Board, clock: Clock) {
    this.#board = board;
    this.#clock = clock;
  }

  serve(query: URLSearchParams, request: IncomingMessage, response: ServerResponse): void {
    const waitMs = Number(query.get("waitMs") ?? "0");
    if (!Number.isInteger(waitMs) || waitMs < 0) {
      sendText(response, 400, "waitMs must be a whole number of milliseconds");
    } else if (this.#closing || waitMs === 0 || query.get("after") !== this.#board.version()) {
      sendJson(response, this.#board.answer());
    } else if (this.#waiting.size >= MAX_WAITING) {
      sendText(response, 503, `${MAX_WAITING} requests wait already`);
    } else {
      this.#wait(Math.min(waitMs, MAX_WAIT_MS), request, response);
    }
  }

  /** Answers all who wait. */
  close(): void {
    this.#closing = true;
    for (const answerNow of this.#waiting) answerNow();
  }

  #wait(waitMs: number, { socket }: IncomingMessage, response: ServerResponse): void {
    const stopWaiting = () => {
      cancelTimer();
      forgetChange();
      this.#waiting.delete(answerNow);
      socket.off("close", stopWaiting);
    };
    const answerNow = () => {
      stopWaiting();
      sendJson(response, this.#board.answer());
    };
    const cancelTimer = this.#clock.after(waitMs, answerNow);
    const forgetChange = this.#board.onChange(answerNow);
    this.#waiting.add(answerNow);
    socket.on("close", stopWaiting);
  }
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
