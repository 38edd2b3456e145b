import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { namespaceHex } from "../../src/evnode/da-namespace.ts";
import { peerIdOf, publicKeyOf } from "../../src/evnode/keys.ts";
import {
  blockRequest,
  namespaceRequest,
  netInfoRequest,
  parseBlock,
  parseNamespaces,
  parseNetInfo,
  parseProposer,
  parseRaftNode,
  parseRpcError,
  parseState,
  parseStoreInfo,
  proposerRequest,
  raftNodeRequest,
  stateRequest,
  storeInfoRequest,
} from "../../src/evnode/rpc.ts";

const hash = "CgsMDQ4PEBESExQVFhcYGRobHB0eHyAhIiMkJSYnKCk=";
const hashInHex = "0a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20212223242526272829";
const timeMs = Date.parse("2026-08-01T12:00:00.250Z");

describe("requests", () => {
  it("are plain GETs for ev-node's own paths and POSTs for its services", () => {
    expect(raftNodeRequest).toEqual({ method: "GET", path: "/raft/node" });
    expect([stateRequest, storeInfoRequest, netInfoRequest, namespaceRequest]).toEqual([
      { method: "POST", path: "/evnode.v1.StoreService/GetState", body: "{}" },
      { method: "POST", path: "/evnode.v1.StoreService/GetP2PStoreInfo", body: "{}" },
      { method: "POST", path: "/evnode.v1.P2PService/GetNetInfo", body: "{}" },
      { method: "POST", path: "/evnode.v1.ConfigService/GetNamespace", body: "{}" },
    ]);
    expect(blockRequest(12)).toEqual({
      method: "POST",
      path: "/evnode.v1.StoreService/GetBlock",
      body: '{"height":"12"}',
    });
  });
});

// Answers of a real member at height 70, with the configured namespace "real-ns" and node key of 32 times 10.
describe("what a real member answered", () => {
  const answers = JSON.parse(
    readFileSync(new URL("./fixtures/answers.json", import.meta.url), "utf8"),
  ) as Record<
    | "raftNode"
    | "state"
    | "firstBlock"
    | "fifthBlock"
    | "missingBlock"
    | "storeInfo"
    | "netInfo"
    | "namespaces",
    string
  >;
  const appHash = "4f704980c9f7a63056b2d7d3b49bff093626d852304b66f87b9f2b98fa25b1ae";
  const headMs = Date.parse("2026-11-22T21:28:03.739Z");

  it("is its role", () => {
    expect(parseRaftNode(answers.raftNode)).toMatchObject({ value: { nodeId: "ev-0", isLeader: false } });
  });

  it("is its state, with the zeros that it left out", () => {
    const state = {
      chainId: "real",
      initialHeight: 1,
      height: 70,
      lastBlockTimeMs: headMs,
      daHeight: 0,
      appHash,
    };
    expect(parseState(answers.state)).toEqual({ kind: "parsed", value: state });
  });

  it("is a block and the hash of the one before, which the first one has not", () => {
    expect(parseBlock(answers.fifthBlock)).toMatchObject({
      value: {
        height: 5,
        lastHeaderHash: "17f6664b69287d851ae969ba14abdedb96f2db62461629f199854f5ffcc3bf65",
        appHash,
      },
    });
    expect(parseBlock(answers.firstBlock)).toMatchObject({ value: { height: 1, lastHeaderHash: "" } });
    // Computed here; its header store told the same.
    const firstHash = JSON.parse(answers.storeInfo).stores[0].tail.hash;
    expect(parseBlock(answers.firstBlock)).toMatchObject({
      value: { hash: Buffer.from(firstHash, "base64").toString("hex") },
    });
    expect(parseRpcError(answers.missingBlock)).toMatchObject({ value: { code: "internal" } });
  });

  it("is the head of each store", () => {
    expect(parseStoreInfo(answers.storeInfo)).toMatchObject({
      value: {
        header: {
          height: 70,
          hash: "9e1ff149c4d8df7bd2f27147f9afd412dfeafdc523852786bb286cc6197a24d5",
          timeMs: headMs,
        },
        data: {
          height: 70,
          hash: "d0b939fbe2af559d8d3b3414256dead6af6fad325f65d33942f68b79f4128aa9",
          timeMs: headMs,
        },
      },
    });
  });

  it("is the peer id and the names on the DA layer that we compute ourselves", () => {
    const peerId = peerIdOf(publicKeyOf(Buffer.alloc(32, 10)));
    expect(parseNetInfo(answers.netInfo)).toMatchObject({ value: { peerId } });
    const name = namespaceHex("real-ns");
    expect(parseNamespaces(answers.namespaces)).toMatchObject({ value: { header: name, data: name } });
  });
});

describe("the raft node", () => {
  it("says whether it leads", () => {
    expect(parseRaftNode('{"is_leader":true,"node_id":"ev-0"}\n')).toEqual({
      kind: "parsed",
      value: { nodeId: "ev-0", isLeader: true },
    });
  });

  // Unknown is not "does not lead": this answer has no omitted zeros.
  it.each([
    ['{"node_id":"ev-0"}', "/raft/node: is_leader: Invalid input: expected boolean, received undefined"],
    [
      '{"is_leader":true,"node_id":""}',
      "/raft/node: node_id: Too small: expected string to have >=1 characters",
    ],
    ["", "/raft/node is not valid JSON"],
    ["method not allowed", "/raft/node is not valid JSON"],
  ])("is unknown from %j", (answer, problem) => {
    expect(parseRaftNode(answer)).toEqual({ kind: "malformed", problem });
  });
});

describe("the chain's state", () => {
  const state = {
    version: { block: "1", app: "1" },
    chainId: "my-chain",
    initialHeight: "1",
    lastBlockHeight: "123",
    lastBlockTime: "2026-08-01T12:00:00.250123456Z",
    daHeight: "5",
    appHash: hash,
    nextProposerAddress: hash,
  };

  it("has numbers, times and hashes of our own", () => {
    expect(parseState(JSON.stringify({ state }))).toEqual({
      kind: "parsed",
      value: {
        chainId: "my-chain",
        initialHeight: 1,
        height: 123,
        lastBlockTimeMs: timeMs,
        daHeight: 5,
        appHash: hashInHex,
      },
    });
  });

  it("is at height 0 where the height is left out", () => {
    const { lastBlockHeight: _, daHeight: __, appHash: ___, ...rest } = state;
    expect(parseState(JSON.stringify({ state: rest }))).toMatchObject({
      value: { height: 0, daHeight: 0, appHash: "" },
    });
  });

  it.each([
    ["no state", {}, "GetState: state: Invalid input: expected object, received undefined"],
    [
      "a height too large",
      { state: { ...state, lastBlockHeight: "9007199254740992" } },
      "GetState: state.lastBlockHeight: expected a number below 2^53",
    ],
    [
      "a negative height",
      { state: { ...state, lastBlockHeight: "-1" } },
      "GetState: state.lastBlockHeight: expected a number",
    ],
    [
      "no time",
      { state: { ...state, lastBlockTime: undefined } },
      "GetState: state.lastBlockTime: Invalid input: expected string, received undefined",
    ],
    [
      "a time that is none",
      { state: { ...state, lastBlockTime: "yesterday" } },
      "GetState: state.lastBlockTime: expected an RFC 3339 time",
    ],
    [
      "a hash that is none",
      { state: { ...state, appHash: "!" } },
      "GetState: state.appHash: expected base64",
    ],
  ])("is unknown with %s", (_, answer, problem) => {
    expect(parseState(JSON.stringify(answer))).toEqual({ kind: "malformed", problem });
  });
});

describe("a block", () => {
  const header = {
    version: { block: "1", app: "1" },
    height: "124",
    time: "1785585600250000000",
    lastHeaderHash: hash,
    dataHash: hash,
    appHash: hash,
    proposerAddress: hash,
    chainId: "my-chain",
  };

  it("names the block that it was built on", () => {
    const answer = {
      block: { header: { header, signature: hash, signer: {} }, data: { txs: [] } },
      headerDaHeight: "3",
    };
    expect(parseBlock(JSON.stringify(answer))).toEqual({
      kind: "parsed",
      value: {
        chainId: "my-chain",
        height: 124,
        timeMs,
        hash: expect.stringMatching(/^[0-9a-f]{64}$/),
        lastHeaderHash: hashInHex,
        appHash: hashInHex,
        dataHash: hashInHex,
        proposerAddress: hash,
        signature: hashInHex,
      },
    });
  });

  it("is unknown without a header", () => {
    expect(parseBlock('{"block":{}}')).toEqual({
      kind: "malformed",
      problem: "GetBlock: block.header: Invalid input: expected object, received undefined",
    });
  });
});

describe("the heads of the stores", () => {
  const entry = { height: "123", hash, time: "2026-08-01T12:00:00.250Z" };

  it("are told apart by their labels", () => {
    const stores = [
      { label: "Data Store", height: "122", head: { ...entry, height: "122" } },
      { label: "Header Store", height: "123", head: entry, tail: { ...entry, height: "1" } },
    ];
    expect(parseStoreInfo(JSON.stringify({ stores }))).toEqual({
      kind: "parsed",
      value: {
        header: { height: 123, hash: hashInHex, timeMs },
        data: { height: 122, hash: hashInHex, timeMs },
      },
    });
  });

  it.each(["{}", '{"stores":[{"label":"Header Store"},{"label":"Data Store"}]}'])(
    "are absent in %s",
    (answer) => {
      expect(parseStoreInfo(answer)).toEqual({
        kind: "parsed",
        value: { header: undefined, data: undefined },
      });
    },
  );
});

describe("the other answers", () => {
  it("give a peer id", () => {
    const answer = '{"netInfo":{"id":"12D3KooW","listenAddresses":["/ip4/10.0.0.1/tcp/7676/p2p/12D3KooW"]}}';
    expect(parseNetInfo(answer)).toEqual({
      kind: "parsed",
      value: { peerId: "12D3KooW", listenAddresses: ["/ip4/10.0.0.1/tcp/7676/p2p/12D3KooW"] },
    });
    expect(parseNetInfo("{}")).toMatchObject({ kind: "malformed" });
  });

  it("give the names on the DA layer", () => {
    expect(parseNamespaces('{"headerNamespace":"0x00aa","dataNamespace":"0x00bb"}')).toEqual({
      kind: "parsed",
      value: { header: "0x00aa", data: "0x00bb" },
    });
    expect(parseNamespaces("{}")).toMatchObject({ kind: "malformed" });
  });

  it("give the proposer of the genesis", () => {
    expect(proposerRequest).toMatchObject({ path: "/evnode.v1.ConfigService/GetSignerInfo", body: "{}" });
    expect(parseProposer('{"address":"cHJvcG9zZXI="}')).toEqual({ kind: "parsed", value: "cHJvcG9zZXI=" });
    expect(parseProposer("{}")).toMatchObject({ kind: "malformed" });
  });

  it("give the code of a refusal", () => {
    expect(parseRpcError('{"code":"not_found","message":"store is empty"}')).toEqual({
      kind: "parsed",
      value: { code: "not_found", message: "store is empty" },
    });
    expect(parseRpcError("404 page not found")).toMatchObject({ kind: "malformed" });
  });
});
