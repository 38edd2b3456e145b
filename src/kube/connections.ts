import http from "node:http";
import https from "node:https";
import { addAbortSignal } from "node:stream";
import { text } from "node:stream/consumers";
import type { Clock } from "../runtime/clock.ts";
import { type Limit, limited, orAborted } from "../runtime/deadline.ts";
import type { CredentialSource, Credentials } from "./credentials.ts";

export interface HttpRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** With its query. */
  readonly path: string;
  readonly contentType?: string;
  readonly body?: string;
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
  readonly retryAfter: string | undefined;
}

export interface ConnectionOptions {
  readonly credentials: CredentialSource;
  readonly clock: Clock;
  readonly userAgent: string;
  /** From the start of a call to the last byte of its answer. */
  readonly timeoutMs: number;
  /** Connections for calls; further calls wait. Watches have connections of their own, without a limit. */
  readonly maxConnections: number;
}

/** Agents that fit one set of TLS files. */
interface Pools {
  readonly fingerprint: string;
  readonly calls: http.Agent;
  readonly watches: http.Agent;
}

type PoolName = "calls" | "watches";

/** A load balancer drops what it thinks is idle; a socket that sat around this long is not used again. */
const IDLE_MS = 30_000;

/**
 * HTTP to the API server over connections that are kept and reused. This is Node's own client: with a fetch library
 * the process needs 15 MB more, and what makes connections per request costs a TLS handshake each time.
 */
export class Connections {
  readonly #options: ConnectionOptions;
  #pools: Pools | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  /** The whole answer, whatever its status. */
  async send(request: HttpRequest): Promise<HttpAnswer> {
    const limit = this.#limit(request);
    try {
      return await this.#sendWithin(request, limit.signal);
    } catch (error) {
      throw limit.signal.aborted ? limit.signal.reason : error;
    } finally {
      limit.clear();
    }
  }

  /** The answer as soon as its head is there. Its body ends with an error when `signal` aborts. */
  async open(request: HttpRequest, signal: AbortSignal): Promise<http.IncomingMessage> {
    const limit = this.#limit(request, signal);
    try {
      const answer = await this.#exchange(request, "watches", limit.signal);
      return addAbortSignal(signal, answer);
    } catch (error) {
      const thrown = limit.signal.aborted ? limit.signal.reason : error;
      throw thrown instanceof ReusedSocketError ? thrown.cause : thrown;
    } finally {
      limit.clear();
    }
  }

  /** Reads the rest of a body, for answers of `open` that are no stream. */
  async read(answer: http.IncomingMessage): Promise<HttpAnswer> {
    const body = await text(answer);
    return { status: answer.statusCode ?? 0, body, retryAfter: answer.headers["retry-after"] };
  }

  /** Closes all connections; what is under way fails. */
  close(): void {
    this.#pools?.calls.destroy();
    this.#pools?.watches.destroy();
    this.#pools = undefined;
  }

  #limit(request: HttpRequest, outer?: AbortSignal): Limit {
    const what = `${request.method} ${request.path.split("?", 1)[0]}`;
    return limited(this.#options.clock, this.#options.timeoutMs, what, outer);
  }

  async #sendWithin(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    try {
      return await this.read(await this.#exchange(request, "calls", signal));
    } catch (error) {
      if (!(error instanceof ReusedSocketError)) throw error;
      // The server may close a kept connection just when a request goes out on it. Asking again is safe for reads.
      if (request.method !== "GET" || signal.aborted) throw error.cause;
      return this.read(await this.#exchange(request, "calls", signal));
    }
  }

  async #exchange(request: HttpRequest, pool: PoolName, signal: AbortSignal): Promise<http.IncomingMessage> {
    const answer = await this.#once(request, pool, signal);
    if (answer.statusCode !== 401) return answer;
    // A refused request was not carried out, so it may be sent again, once, with credentials read afresh.
    answer.resume();
    this.#options.credentials.refused();
    return this.#once(request, pool, signal);
  }

  async #once(request: HttpRequest, pool: PoolName, signal: AbortSignal): Promise<http.IncomingMessage> {
    // An exec plugin may hang; the deadline holds for it as well.
    const credentials = await orAborted(this.#options.credentials.current(), signal);
    const url = new URL(`${credentials.server}${request.path}`);
    const agent = credentials.proxy ?? this.#poolsFor(credentials)[pool];
    const headers = this.#headers(request, credentials);
    return roundTrip(url, { method: request.method, headers, agent, signal }, request.body);
  }

  #headers(request: HttpRequest, credentials: Credentials): http.OutgoingHttpHeaders {
    const { body, contentType = "application/json" } = request;
    return {
      ...credentials.headers,
      accept: "application/json",
      "user-agent": this.#options.userAgent,
      ...(body === undefined
        ? {}
        : { "content-type": contentType, "content-length": Buffer.byteLength(body) }),
    };
  }

  #poolsFor(credentials: Credentials): Pools {
    const fingerprint = JSON.stringify([credentials.server, credentials.tls]);
    if (this.#pools?.fingerprint === fingerprint) return this.#pools;
    // The sockets of replaced pools end with their requests, or when they have been idle for a while.
    const make = (maxSockets: number) => newAgent(credentials, maxSockets);
    const { maxConnections } = this.#options;
    this.#pools = { fingerprint, calls: make(maxConnections), watches: make(Number.POSITIVE_INFINITY) };
    return this.#pools;
  }
}

/** A kept connection broke before any of the answer came. */
class ReusedSocketError extends Error {}

function newAgent(credentials: Credentials, maxSockets: number): http.Agent {
  const { ca, cert, key, servername, rejectUnauthorized } = credentials.tls;
  const shared = { keepAlive: true, scheduling: "lifo", timeout: IDLE_MS, maxSockets } as const;
  if (credentials.server.startsWith("http:")) return new http.Agent(shared);
  return new https.Agent({
    ...shared,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(servername === undefined ? {} : { servername }),
    ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
  });
}

function roundTrip(
  url: URL,
  options: http.RequestOptions,
  body: string | undefined,
): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing = (url.protocol === "https:" ? https : http).request(url, options);
    // Without it a connection that vanished silently would be noticed only by the watchdog of a watch.
    outgoing.on("socket", (socket) => socket.setKeepAlive(true, IDLE_MS));
    outgoing.on("response", resolve);
    outgoing.on("error", (error) => {
      const isStale = outgoing.reusedSocket && "code" in error && error.code === "ECONNRESET";
      reject(isStale ? new ReusedSocketError(error.message, { cause: error }) : error);
    });
    outgoing.end(body);
  });
}
