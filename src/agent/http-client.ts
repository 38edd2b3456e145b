import { Agent, type ClientRequest, type IncomingMessage, request } from "node:http";
import type { RpcRequest } from "../evnode/rpc.ts";
import type { Clock } from "../runtime/clock.ts";
import { errorCode } from "./disk.ts";

export type HttpResult =
  | { readonly kind: "answered"; readonly status: number; readonly body: string }
  /** Nobody listens there. */
  | { readonly kind: "refused" }
  /** Anything else: somebody may be there, but this is no usable answer. */
  | { readonly kind: "failed"; readonly why: string };

export interface Target {
  readonly address: string;
  readonly port: number;
}

export interface HttpClient {
  send(target: Target, what: RpcRequest, deadlineMs: number): Promise<HttpResult>;
  close(): void;
}

const MAX_BODY_BYTES = 1_048_576;

/** Keeps its connections: the same few ports are asked several times a second. */
export function newHttpClient(clock: Clock): HttpClient {
  const connections = new Agent({ keepAlive: true, maxSockets: 4, maxFreeSockets: 2 });
  return {
    async send(target, what, deadlineMs) {
      const deadline = clock.monotonicMs() + deadlineMs;
      const first = await sendOnce(connections, target, what, deadlineMs, clock);
      // A kept connection may have ended when it is used again. Only a new one says something about the server.
      if (!first.onStaleConnection) return first.result;
      return (await sendOnce(false, target, what, deadline - clock.monotonicMs(), clock)).result;
    },
    close: () => connections.destroy(),
  };
}

interface Attempt {
  readonly result: HttpResult;
  readonly onStaleConnection: boolean;
}

function sendOnce(
  agent: Agent | false,
  { address, port }: Target,
  what: RpcRequest,
  deadlineMs: number,
  clock: Clock,
): Promise<Attempt> {
  return new Promise((resolve) => {
    const headers = what.body === undefined ? {} : { "content-type": "application/json" };
    const { method, path } = what;
    const asked = request({ agent, host: address, port, method, path, headers });
    const cancelDeadline = clock.after(deadlineMs, () =>
      asked.destroy(new Error(`no answer within ${deadlineMs} ms`)),
    );
    const finish = (result: HttpResult, onStaleConnection = false) => {
      cancelDeadline();
      resolve({ result, onStaleConnection });
    };
    asked.on("response", (response) => readBody(asked, response, finish));
    asked.on("error", (error) => {
      const code = errorCode(error);
      if (code === "ECONNREFUSED") finish({ kind: "refused" });
      else finish({ kind: "failed", why: error.message }, asked.reusedSocket && code === "ECONNRESET");
    });
    asked.end(what.body);
  });
}

function readBody(
  asked: ClientRequest,
  response: IncomingMessage,
  finish: (result: HttpResult) => void,
): void {
  const parts: Buffer[] = [];
  let length = 0;
  response.on("data", (part: Buffer) => {
    length += part.length;
    if (length > MAX_BODY_BYTES)
      asked.destroy(new Error(`the answer is longer than ${MAX_BODY_BYTES} bytes`));
    else parts.push(part);
  });
  response.on("end", () => {
    finish({
      kind: "answered",
      status: response.statusCode ?? 0,
      body: Buffer.concat(parts).toString("utf8"),
    });
  });
  // After a cut connection neither "end" nor the request's "error" comes.
  response.on("error", (error) => finish({ kind: "failed", why: error.message }));
}
