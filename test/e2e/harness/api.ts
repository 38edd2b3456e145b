import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Pool } from "undici";
import type { KubeObject } from "../../../src/model/kube-object.ts";
import type { Environment } from "./environment.ts";

export interface ApiAnswer {
  readonly status: number;
  readonly text: string;
}

interface Request {
  readonly method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly body?: string;
  readonly contentType?: string;
}

export interface WatchEvent<T> {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly object: T;
}

/**
 * The Kubernetes API through `kubectl proxy`: with the rights of the person who runs the suite, on any cluster, and
 * without any code of the operator.
 */
export class Api {
  readonly #proxy: ChildProcess;
  readonly #pool: Pool;
  readonly #folder: string;

  private constructor(proxy: ChildProcess, pool: Pool, folder: string) {
    this.#proxy = proxy;
    this.#pool = pool;
    this.#folder = folder;
  }

  static async open({ kubectl, kubeconfig }: Environment): Promise<Api> {
    const folder = await mkdtemp(join(tmpdir(), "e2e-api-"));
    const socketPath = join(folder, "socket");
    const proxy = spawn(kubectl, ["--kubeconfig", kubeconfig, "proxy", `--unix-socket=${socketPath}`]);
    await serving(proxy);
    return new Api(proxy, new Pool("http://localhost", { connect: { socketPath }, bodyTimeout: 0 }), folder);
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
    this.#proxy.kill("SIGTERM");
    await rm(this.#folder, { recursive: true, force: true });
  }

  async send(
    path: string,
    { method = "GET", body, contentType = "application/json" }: Request = {},
  ): Promise<ApiAnswer> {
    const { statusCode, body: answer } = await this.#pool.request({
      method,
      path,
      headers: { "content-type": contentType },
      body: body ?? null,
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    return { status: statusCode, text: await answer.text() };
  }

  /** The object, or undefined when the server says that there is none. */
  async find<T extends KubeObject>(path: string): Promise<T | undefined> {
    const { status, text } = await this.send(path);
    if (status === 404) return undefined;
    if (status !== 200) throw new Error(`GET ${path} was answered with ${status}: ${text.slice(0, 300)}`);
    return JSON.parse(text) as T;
  }

  async get<T extends KubeObject>(path: string): Promise<T> {
    const object = await this.find<T>(path);
    if (object === undefined) throw new Error(`${path} does not exist`);
    return object;
  }

  async list<T extends KubeObject>(path: string): Promise<readonly T[]> {
    const list = await this.get<KubeObject & { readonly items: readonly T[] }>(path);
    return list.items;
  }

  /** Calls back with every change, beginning with all objects that there are, until the signal aborts. */
  async watch<T extends KubeObject>(
    path: string,
    onEvent: (event: WatchEvent<T>) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const query = `${path.includes("?") ? "&" : "?"}watch=true`;
    const { body } = await this.#pool.request({ method: "GET", path: path + query, signal });
    let rest = "";
    try {
      for await (const chunk of body.setEncoding("utf8")) {
        const lines = (rest + String(chunk)).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) onEvent(JSON.parse(line) as WatchEvent<T>);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}

const START_TIMEOUT_MS = 20_000;
const REQUEST_TIMEOUT_MS = 15_000;

function serving(proxy: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = "";
    const timer = setTimeout(
      () => reject(new Error(`kubectl proxy did not start: ${said}`)),
      START_TIMEOUT_MS,
    );
    const listen = (chunk: Buffer) => {
      said += chunk.toString("utf8");
      if (!said.includes("Starting to serve")) return;
      clearTimeout(timer);
      resolve();
    };
    proxy.stdout?.on("data", listen);
    proxy.stderr?.on("data", listen);
    proxy.once("error", reject);
    proxy.once("exit", (code) => reject(new Error(`kubectl proxy ended with ${code}: ${said}`)));
  });
}
