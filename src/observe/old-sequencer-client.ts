import { type ClientRequest, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Parsed } from "../evnode/parsed.ts";
import {
  blockRequest,
  parseBlock,
  parseProposer,
  parseState,
  parseStoreInfo,
  proposerRequest,
  type RpcRequest,
  stateRequest,
  storeInfoRequest,
} from "../evnode/rpc.ts";
import type { OldSequencerLook, ToldBlock } from "../model/old-sequencer.ts";

/** Of an answer without a block in it, and with one. */
const MAX_ANSWER_BYTES = 64 * 1024;
const MAX_BLOCK_BYTES = 16 * 1024 * 1024;
/** In hex, and twice as long as any. */
const LONGEST_HASH = 128;

/**
 * Looks once at the RPC of a sequencer, until the signal aborts, and asks it for its blocks at these heights. Never
 * rejects: whatever happens is what was found.
 */
export type AskOldSequencer = (
  rpcAddress: string,
  signal: AbortSignal,
  heights?: readonly number[],
) => Promise<OldSequencerLook>;

type Answer =
  | { readonly kind: "answered"; readonly status: number; readonly body: string }
  | Extract<OldSequencerLook, { kind: "listens" | "silent" }>;

/**
 * | seen | then |
 * | --- | --- |
 * | no address for the name, no connection | silent |
 * | a connection, and no answer on it | somebody listens |
 * | any answer that is not a sequencer's state, a redirection among them | somebody listens |
 * | a state | told, with what the other two answers add to it |
 */
export const askOldSequencer: AskOldSequencer = async (rpcAddress, signal, heights = []) => {
  const answer = await post(rpcAddress, stateRequest, signal);
  if (answer.kind !== "answered") return answer;
  const state = parsedOf(answer, parseState);
  if (!state)
    return { kind: "listens", what: `an answer with HTTP status ${answer.status}, and no state of a chain` };
  const [stores, proposer] = await Promise.all([
    post(rpcAddress, storeInfoRequest, signal).then((found) => parsedOf(found, parseStoreInfo)),
    post(rpcAddress, proposerRequest, signal).then((found) => parsedOf(found, parseProposer)),
  ]);
  const header = stores?.header;
  const isBounded = (header?.hash.length ?? 0) <= LONGEST_HASH;
  const block =
    header && isBounded && header.height >= state.height
      ? { height: header.height, hash: header.hash }
      : { height: state.height };
  const chain = { chainId: state.chainId, ...(proposer === undefined ? {} : { proposer }) };
  if (heights.length === 0) return { kind: "told", block, chain };
  const asked: ToldBlock[] = [];
  for (const height of heights) {
    const found = await askForBlock(rpcAddress, height, { signal, highest: state.height });
    if (found) asked.push(found);
  }
  return { kind: "told", block, chain, asked };
};

/** Undefined where it told nothing that can be read. That it has none at a height is told beside its own. */
async function askForBlock(
  rpcAddress: string,
  height: number,
  { signal, highest }: { readonly signal: AbortSignal; readonly highest: number },
): Promise<ToldBlock | undefined> {
  const answer = await post(rpcAddress, blockRequest(height), signal, MAX_BLOCK_BYTES);
  const block = parsedOf(answer, parseBlock);
  if (block) return block.height === height ? { height, hash: block.hash } : undefined;
  return answer.kind === "answered" && height > highest ? { height } : undefined;
}

function parsedOf<T>(answer: Answer, parse: (body: string) => Parsed<T>): T | undefined {
  if (answer.kind !== "answered" || answer.status !== 200) return undefined;
  const reading = parse(answer.body);
  return reading.kind === "parsed" ? reading.value : undefined;
}

/** On a connection of its own: that one can be made is half of what is asked. */
function post(
  rpcAddress: string,
  { method, path, body = "" }: RpcRequest,
  signal: AbortSignal,
  maxBytes = MAX_ANSWER_BYTES,
): Promise<Answer> {
  return new Promise((resolve) => {
    let isConnected = false;
    const url = new URL(path, rpcAddress);
    const send = url.protocol === "https:" ? httpsRequest : httpRequest;
    const headers = { "content-type": "application/json" };
    const asked = send(url, { method, headers, signal, agent: false });
    asked.on("socket", (socket) => {
      socket.once("connect", () => {
        isConnected = true;
      });
    });
    // After an answer that was cut off, both come.
    asked.on("error", (error: NodeJS.ErrnoException) => resolve(failure(error, isConnected)));
    readAnswer(asked, maxBytes, resolve);
    asked.end(body);
  });
}

function readAnswer(asked: ClientRequest, maxBytes: number, resolve: (answer: Answer) => void): void {
  asked.on("response", (response) => {
    const parts: Buffer[] = [];
    let length = 0;
    response.on("data", (part: Buffer) => {
      length += part.length;
      if (length > maxBytes) {
        resolve({ kind: "listens", what: "an answer that is too long for a sequencer's state" });
        asked.destroy();
      } else parts.push(part);
    });
    response.on("end", () => {
      const { statusCode: status = 0 } = response;
      resolve({ kind: "answered", status, body: Buffer.concat(parts).toString("utf8") });
    });
    response.on("error", () => resolve({ kind: "listens", what: "an answer that was cut off" }));
  });
}

function failure({ code }: NodeJS.ErrnoException, isConnected: boolean): Answer {
  if (isConnected) return { kind: "listens", what: "connections are taken, and no answer comes" };
  return { kind: "silent", why: reasons.get(code ?? "") ?? "no connection" };
}

const reasons: ReadonlyMap<string, string> = new Map([
  ["ECONNREFUSED", "the connection is refused"],
  ["ENOTFOUND", "its name has no address"],
  ["ABORT_ERR", "no connection within two seconds"],
  ["ETIMEDOUT", "no connection within two seconds"],
  ["EHOSTUNREACH", "there is no way to it"],
  ["ENETUNREACH", "there is no way to it"],
]);
