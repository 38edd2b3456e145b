import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { text } from "node:stream/consumers";
import type { CredentialSource, Credentials } from "../../src/kube/credentials.ts";

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly query: Record<string, string>;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

export type Respond = (request: Received, response: http.ServerResponse) => void | Promise<void>;

/** A self-signed certificate for 127.0.0.1 that is used here and nowhere else. */
const certificate = fixture("cert.pem");

/** A server of a few lines that answers as a test tells it and remembers what it was asked. */
export class ApiServer {
  readonly received: Received[] = [];
  connections = 0;
  readonly #server: http.Server;
  readonly #sockets = new Set<Socket>();
  readonly #isTls: boolean;

  private constructor(respond: Respond, isTls: boolean) {
    const onRequest = async (incoming: http.IncomingMessage, response: http.ServerResponse) => {
      const request = await receive(incoming);
      this.received.push(request);
      await respond(request, response);
    };
    const listener = (incoming: http.IncomingMessage, response: http.ServerResponse) => {
      onRequest(incoming, response).catch((error: unknown) => response.destroy(error as Error));
    };
    this.#isTls = isTls;
    this.#server = isTls
      ? https.createServer({ key: fixture("key.pem"), cert: certificate }, listener)
      : http.createServer(listener);
    this.#server.on(isTls ? "secureConnection" : "connection", (socket: Socket) => {
      this.connections += 1;
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
  }

  static async start(respond: Respond, options: { tls: boolean } = { tls: false }): Promise<ApiServer> {
    const server = new ApiServer(respond, options.tls);
    await new Promise<void>((resolve) => server.#server.listen(0, "127.0.0.1", resolve));
    return server;
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `${this.#isTls ? "https" : "http"}://127.0.0.1:${port}`;
  }

  /** Breaks every connection, as a load balancer or a dying server does. */
  dropConnections(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

export function credentialsFor(server: ApiServer, overrides: Partial<Credentials> = {}): CredentialSource {
  const credentials: Credentials = {
    server: server.url,
    headers: { authorization: "Bearer valid" },
    tls: { ca: certificate },
    namespace: undefined,
    ...overrides,
  };
  return { current: () => Promise.resolve(credentials), refused: () => {} };
}

export function sendJson(response: http.ServerResponse, status: number, body: unknown, headers = {}): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(body));
}

/** The body of a refusal as the API server writes it. */
export function statusBody(code: number, reason: string, message: string, details: object = {}): object {
  return { kind: "Status", apiVersion: "v1", status: "Failure", code, reason, message, details };
}

async function receive(incoming: http.IncomingMessage): Promise<Received> {
  const url = new URL(incoming.url ?? "/", "http://server");
  return {
    method: incoming.method ?? "",
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    headers: incoming.headers,
    body: await text(incoming),
  };
}

function fixture(name: string): string {
  return readFileSync(new URL(`fixtures/${name}`, import.meta.url), "utf8");
}
