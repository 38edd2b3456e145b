import { readFile } from "node:fs/promises";
import { Agent, request } from "node:https";
import { certificateFiles, tokenOf, type User } from "./certificates.ts";
import { endpoints } from "./layout.ts";

/** A few plain requests to the API server; product code has its own client with retries and caches. */
export interface ApiClient {
  readonly send: (method: string, path: string, body?: object, contentType?: string) => Promise<ApiAnswer>;
  /** Calls back whenever a watch brings something, until the server ends it after this time. */
  readonly watch: (path: string, onEvent: () => void, seconds: number) => Promise<void>;
}

export interface ApiAnswer {
  readonly status: number;
  readonly text: string;
}

const REQUEST_TIMEOUT_MS = 5_000;
/** How much longer than asked a watch may last before the connection counts as dead. */
const WATCH_GRACE_MS = 10_000;

export async function connect(user: User): Promise<ApiClient> {
  const ca = await readFile(certificateFiles.ca);
  const authorization = `Bearer ${await tokenOf(user)}`;
  const agent = new Agent({ ca, keepAlive: true });

  const open = (method: string, path: string, timeoutMs: number, headers: Record<string, string> = {}) =>
    request(`${endpoints.apiServer}${path}`, {
      method,
      agent,
      headers: { authorization, accept: "application/json", "user-agent": user, ...headers },
      signal: AbortSignal.timeout(timeoutMs),
    });

  const send: ApiClient["send"] = async (method, path, body, contentType = "application/json") =>
    new Promise((resolve, reject) => {
      const outgoing = open(method, path, REQUEST_TIMEOUT_MS, body ? { "content-type": contentType } : {});
      outgoing.on("error", reject);
      outgoing.on("response", (response) => {
        const chunks: Buffer[] = [];
        response.on("error", reject);
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") }),
        );
      });
      outgoing.end(body ? JSON.stringify(body) : undefined);
    });

  const watch: ApiClient["watch"] = async (path, onEvent, seconds) =>
    new Promise((resolve, reject) => {
      const query = `${path}?watch=true&timeoutSeconds=${seconds}`;
      const outgoing = open("GET", query, seconds * 1_000 + WATCH_GRACE_MS);
      outgoing.on("error", reject);
      outgoing.on("response", (response) => {
        if (response.statusCode !== 200) {
          response.resume();
          return reject(new Error(`watch of ${path} was answered with status ${response.statusCode}`));
        }
        response.on("data", onEvent);
        response.on("error", reject);
        response.on("end", () => resolve());
      });
      outgoing.end();
    });

  return { send, watch };
}
