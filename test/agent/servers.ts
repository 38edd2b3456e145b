import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Server as NetServer } from "node:net";
import { json } from "node:stream/consumers";

/** Stands in for a server on the loopback interface. */
export interface LocalServer {
  readonly port: number;
  /** Connections that were made so far. */
  readonly connections: () => number;
  close(): Promise<void>;
}

export type Handle = (request: IncomingMessage, response: ServerResponse) => void;

export async function startHttp(handle: Handle, port = 0): Promise<LocalServer> {
  const server = createServer(handle);
  let connections = 0;
  server.on("connection", () => {
    connections += 1;
  });
  await listen(server, port);
  return {
    port: portOf(server),
    connections: () => connections,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Takes connections and says nothing. */
export async function startTcp(port = 0): Promise<LocalServer> {
  let connections = 0;
  const server = createTcpServer((socket) => {
    connections += 1;
    socket.on("error", () => {});
  });
  await listen(server, port);
  return {
    port: portOf(server),
    connections: () => connections,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** A port on which nobody listens: it was free a moment ago. */
export async function closedPort(): Promise<number> {
  const server = await startTcp();
  await server.close();
  return server.port;
}

function listen(server: NetServer, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
}

function portOf(server: NetServer): number {
  return (server.address() as AddressInfo).port;
}

/** What ev-node answers, by path; a path without an answer gets 404. A function is given what was asked for. */
export interface FakeNode extends LocalServer {
  answers: Record<string, unknown>;
  readonly asked: string[];
}

export async function startNode(answers: Record<string, unknown>, port = 0): Promise<FakeNode> {
  const asked: string[] = [];
  const server = await startHttp((request, response) => {
    const path = request.url ?? "";
    asked.push(path);
    const given = node.answers[path];
    const end = (answer: unknown) => {
      response.statusCode = answer === undefined ? 404 : 200;
      response.end(typeof answer === "string" ? answer : JSON.stringify(answer ?? {}));
    };
    if (typeof given !== "function") return end(given);
    json(request).then(
      (what) => end(given(what)),
      (error: Error) => response.destroy(error),
    );
  }, port);
  const node: FakeNode = { ...server, answers, asked };
  return node;
}

export function nodeAnswers(height: number, isLeader: boolean, nodeId = "chain-0"): Record<string, unknown> {
  const time = "2030-01-01T00:00:00Z";
  return {
    "/raft/node": { node_id: nodeId, is_leader: isLeader },
    "/evnode.v1.StoreService/GetState": {
      state: {
        chainId: "chain-of-tests",
        initialHeight: "1",
        lastBlockHeight: String(height),
        lastBlockTime: time,
      },
    },
    "/evnode.v1.StoreService/GetP2PStoreInfo": {
      stores: [
        {
          label: "Header Store",
          height: String(height),
          head: { height: String(height), hash: "q80=", time },
        },
      ],
    },
    "/evnode.v1.P2PService/GetNetInfo": { netInfo: { id: "12D3KooW" } },
    "/evnode.v1.ConfigService/GetNamespace": { headerNamespace: "0x01", dataNamespace: "0x02" },
  };
}
