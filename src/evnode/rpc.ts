import * as z from "zod";
import { base64Bytes } from "./base64.ts";
import { headerHash } from "./header-hash.ts";
import { type Parsed, parseJson } from "./parsed.ts";
import { parseTimestampMs } from "./timestamp.ts";

/** A request to ev-node's HTTP port, whatever sends it. */
export interface RpcRequest {
  readonly method: "GET" | "POST";
  readonly path: string;
  /** JSON, for a POST. */
  readonly body?: string;
}

export const raftNodeRequest: RpcRequest = { method: "GET", path: "/raft/node" };
/** Answered with 200 and `READY`; of a node that produces, as long as its last block is no more than some block times old. */
export const readyRequest: RpcRequest = { method: "GET", path: "/health/ready" };
export const READY = "READY";
export const stateRequest = call("StoreService/GetState");
export const storeInfoRequest = call("StoreService/GetP2PStoreInfo");
export const netInfoRequest = call("P2PService/GetNetInfo");
export const namespaceRequest = call("ConfigService/GetNamespace");
/** Of the genesis: which key a node has loaded, nobody tells. */
export const proposerRequest = call("ConfigService/GetSignerInfo");

/** One block; height 0 would mean the latest. */
export function blockRequest(height: number): RpcRequest {
  return call("StoreService/GetBlock", { height: String(height) });
}

function call(procedure: string, message: Readonly<Record<string, string>> = {}): RpcRequest {
  return { method: "POST", path: `/evnode.v1.${procedure}`, body: JSON.stringify(message) };
}

export interface RaftNode {
  readonly nodeId: string;
  readonly isLeader: boolean;
}

export interface ChainState {
  readonly chainId: string;
  readonly initialHeight: number;
  /** The last block that was applied; 0 before the first. */
  readonly height: number;
  readonly lastBlockTimeMs: number;
  readonly daHeight: number;
  /** In hex. */
  readonly appHash: string;
}

export interface BlockHeader {
  readonly chainId: string;
  readonly height: number;
  readonly timeMs: number;
  /** In hex, computed here: ev-node does not tell it. */
  readonly hash: string;
  /** The hash of the block before this one, in hex: proves what this member holds one height below. */
  readonly lastHeaderHash: string;
  readonly appHash: string;
  readonly dataHash: string;
  /** In base64, as the genesis has it. */
  readonly proposerAddress: string;
  /** In hex. The signature is of the whole header and always the same for it, so it tells one block from another. */
  readonly signature: string;
}

interface StoreEntry {
  readonly height: number;
  /** In hex. */
  readonly hash: string;
  readonly timeMs: number;
}

/** The newest header and data that a member holds; undefined where its store is empty. */
export interface StoreHeads {
  readonly header: StoreEntry | undefined;
  readonly data: StoreEntry | undefined;
}

export interface NetInfo {
  readonly peerId: string;
  readonly listenAddresses: readonly string[];
}

/** Names on the DA layer, as `namespaceHex` gives them. */
export interface Namespaces {
  readonly header: string;
  readonly data: string;
}

/** Why a call was refused, in the words of the Connect protocol: "not_found" for an empty store, and so on. */
export interface RpcError {
  readonly code: string;
  readonly message: string;
}

// protojson writes 64-bit numbers as texts and leaves out everything that is zero or empty.
const unsigned = z.union([z.string().regex(/^\d{1,20}$/, "expected a number"), z.int().min(0)]);
const uint64 = unsigned.transform(toSafeInteger).default(0);
const bigUint64 = unsigned.transform(BigInt).default(0n);
const text = z.string().default("");
const bytes = base64Bytes().default(() => Buffer.alloc(0));
const hex = base64Bytes()
  .transform((bytes) => bytes.toString("hex"))
  .default("");
const timestampMs = z.string().transform(toTimestampMs);

const raftNode = z
  .object({ node_id: z.string().min(1), is_leader: z.boolean() })
  .transform((node): RaftNode => ({ nodeId: node.node_id, isLeader: node.is_leader }));

const state = z
  .object({
    state: z.object({
      chainId: z.string().min(1),
      initialHeight: uint64,
      lastBlockHeight: uint64,
      lastBlockTime: timestampMs,
      daHeight: uint64,
      appHash: hex,
    }),
  })
  .transform(
    ({ state: { lastBlockHeight, lastBlockTime, ...rest } }): ChainState => ({
      ...rest,
      height: lastBlockHeight,
      lastBlockTimeMs: lastBlockTime,
    }),
  );

const block = z
  .object({
    block: z.object({
      header: z.object({
        header: z.object({
          version: z.object({ block: bigUint64, app: bigUint64 }).default({ block: 0n, app: 0n }),
          chainId: z.string().min(1),
          height: uint64,
          time: bigUint64,
          lastHeaderHash: bytes,
          appHash: bytes,
          dataHash: bytes,
          proposerAddress: bytes,
          validatorHash: bytes,
        }),
        signature: hex,
      }),
    }),
  })
  .transform((answer): BlockHeader => {
    const { header, signature } = answer.block.header;
    const { version, height, time, chainId, lastHeaderHash, appHash, dataHash, proposerAddress } = header;
    const { block: blockVersion, app: appVersion } = version;
    return {
      chainId,
      height,
      timeMs: Number(time / 1_000_000n),
      hash: headerHash({ ...header, height: BigInt(height), blockVersion, appVersion }),
      lastHeaderHash: lastHeaderHash.toString("hex"),
      appHash: appHash.toString("hex"),
      dataHash: dataHash.toString("hex"),
      proposerAddress: proposerAddress.toString("base64"),
      signature,
    };
  });

const storeEntry = z
  .object({ height: uint64, hash: hex, time: timestampMs })
  .transform(({ time, ...entry }): StoreEntry => ({ ...entry, timeMs: time }));

const headerStore = "Header Store";
const dataStore = "Data Store";
const storeInfo = z
  .object({ stores: z.array(z.object({ label: text, head: storeEntry.optional() })).default([]) })
  .transform(({ stores }): StoreHeads => {
    const headOf = (label: string) => stores.find((store) => store.label === label)?.head;
    return { header: headOf(headerStore), data: headOf(dataStore) };
  });

const netInfo = z
  .object({ netInfo: z.object({ id: z.string().min(1), listenAddresses: z.array(z.string()).default([]) }) })
  .transform(({ netInfo }): NetInfo => ({ peerId: netInfo.id, listenAddresses: netInfo.listenAddresses }));

const namespaces = z
  .object({ headerNamespace: z.string().min(1), dataNamespace: z.string().min(1) })
  .transform((names): Namespaces => ({ header: names.headerNamespace, data: names.dataNamespace }));

const proposer = z
  .object({ address: base64Bytes() })
  .transform(({ address }): string => address.toString("base64"));

const rpcError = z.object({ code: z.string().min(1), message: text });

export const parseRaftNode = (answer: string): Parsed<RaftNode> => parseJson(raftNode, answer, "/raft/node");
export const parseState = (answer: string): Parsed<ChainState> => parseJson(state, answer, "GetState");
export const parseBlock = (answer: string): Parsed<BlockHeader> => parseJson(block, answer, "GetBlock");
export const parseStoreInfo = (answer: string): Parsed<StoreHeads> =>
  parseJson(storeInfo, answer, "GetP2PStoreInfo");
export const parseNetInfo = (answer: string): Parsed<NetInfo> => parseJson(netInfo, answer, "GetNetInfo");
export const parseNamespaces = (answer: string): Parsed<Namespaces> =>
  parseJson(namespaces, answer, "GetNamespace");
export const parseProposer = (answer: string): Parsed<string> => parseJson(proposer, answer, "GetSignerInfo");
export const parseRpcError = (answer: string): Parsed<RpcError> => parseJson(rpcError, answer, "the refusal");

/**
 * Whether GetBlock was refused because the store has no block of that height: an internal error in the words of the
 * store (v1.2.2, pkg/rpc/server/server.go), and "not_found" for an empty store alone.
 */
export const isBlockMissing = ({ code, message }: RpcError): boolean =>
  code === "not_found" || (code === "internal" && message.endsWith("datastore: key not found"));

function toSafeInteger(written: string | number, context: z.RefinementCtx): number {
  const number = Number(written);
  if (Number.isSafeInteger(number)) return number;

  context.addIssue({ code: "custom", message: "expected a number below 2^53" });
  return z.NEVER;
}

function toTimestampMs(written: string, context: z.RefinementCtx): number {
  const timeMs = parseTimestampMs(written);
  if (timeMs !== undefined) return timeMs;

  context.addIssue({ code: "custom", message: "expected an RFC 3339 time" });
  return z.NEVER;
}
