import { Agent, request } from "node:http";
import { fixed } from "../../src/api/fixed.ts";
import type { Parsed } from "../../src/evnode/parsed.ts";
import {
  type BlockHeader,
  blockRequest,
  parseBlock,
  parseRaftNode,
  parseState,
  type RpcRequest,
  raftNodeRequest,
  stateRequest,
} from "../../src/evnode/rpc.ts";

const agent = new Agent({ keepAlive: true, maxSockets: 8 });
const DEADLINE_MS = 400;
const MAX_ANSWER_BYTES = 1 << 20;

/** What a member's own HTTP API says; undefined is no answer, which is neither yes nor no. */
export interface NodeView {
  readonly leads: boolean | undefined;
  readonly height: number | undefined;
}

export async function viewNode(ip: string): Promise<NodeView> {
  const [leads, height] = await Promise.all([askLeads(ip), askHeight(ip)]);
  return { leads, height };
}

export async function askLeads(ip: string): Promise<boolean | undefined> {
  return (await ask(ip, raftNodeRequest, parseRaftNode))?.isLeader;
}

export async function askHeight(ip: string): Promise<number | undefined> {
  return (await ask(ip, stateRequest, parseState))?.height;
}

export async function askBlock(ip: string, height: number): Promise<BlockHeader | undefined> {
  return ask(ip, blockRequest(height), parseBlock);
}

async function ask<T>(ip: string, request: RpcRequest, parse: (text: string) => Parsed<T>) {
  const text = await askText(ip, request);
  if (text?.status !== 200) return undefined;
  const answer = parse(text.body);
  return answer.kind === "parsed" ? answer.value : undefined;
}

export async function askText(ip: string, { method, path, body }: RpcRequest): Promise<HttpText | undefined> {
  return httpText({ ip, port: fixed.rpcPort, method, path, body, contentType: "application/json" });
}

interface HttpQuestion {
  readonly ip: string;
  readonly port: number;
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly body?: string | undefined;
  readonly contentType?: string;
  /**
   * A connection of its own. One to a Service that had no endpoint for a moment may lead out of the machine, to
   * whatever answers there, for as long as it is kept.
   */
  readonly anew?: boolean;
}

export interface HttpText {
  readonly status: number;
  readonly body: string;
}

/** One request with a deadline; undefined when it got no whole answer. */
export async function httpText(question: HttpQuestion): Promise<HttpText | undefined> {
  const { ip, port, method, path, body, contentType = "text/plain", anew = false } = question;
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(DEADLINE_MS);
    const headers = body === undefined ? {} : { "content-type": contentType };
    const how = { host: ip, port, method, path, agent: anew ? false : agent, headers, signal };
    const outgoing = request(how, (response) => {
      const chunks: Buffer[] = [];
      let length = 0;
      response.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        length += chunk.length;
        if (length > MAX_ANSWER_BYTES) response.destroy(new Error("the answer is too long"));
      });
      response.on("error", () => resolve(undefined));
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") }),
      );
    });
    outgoing.on("error", () => resolve(undefined));
    outgoing.end(body);
  });
}
