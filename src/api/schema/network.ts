import * as z from "zod";
import { field, matches } from "./field.ts";
import { durationBetween, integer, portNumber, toggle } from "./scalars.ts";

const PEER_ID = "[1-9A-HJ-NP-Za-km-z]{40,64}";

/** Printable ASCII without `/` and `,`: ev-node separates peers by commas and drops one that holds a space. */
const MULTIADDR = `^(/[!-+.0-~-]+)+/p2p/${PEER_ID}$`;

const MAX_PEERS = 32;

/** Where a peer is found, and under which id. */
export function peerAddress(description: string) {
  return field(z.string().min(1).max(512), description, {
    rules: [
      matches(
        MULTIADDR,
        "A peer is a multiaddress that ends with /p2p/ and the peer id, without spaces or commas, such as /dns4/node.example.com/tcp/7676/p2p/12D3KooW….",
      ),
    ],
  });
}

function peerIds(description: string) {
  const id = field(z.string().min(1).max(64), "Peer id.", {
    rules: [
      matches(
        `^${PEER_ID}$`,
        "A peer id is the last part of a multiaddress, such as 12D3KooW…, without /p2p/ before it.",
      ),
    ],
  });
  return field(z.array(id).min(1).max(MAX_PEERS), description, {
    keywords: { "x-kubernetes-list-type": "set" },
  });
}

interface Peers {
  blockedPeers?: string[] | undefined;
  allowedPeers?: string[] | undefined;
  connectionGater?: { enabled?: boolean | undefined } | undefined;
}

const gaterOfLists = {
  cel: "(!has(self.blockedPeers) && !has(self.allowedPeers)) || !has(self.connectionGater) || !has(self.connectionGater.enabled) || self.connectionGater.enabled",
  message:
    "spec.p2p.blockedPeers and allowedPeers are the connection gater's; without it nobody goes by them. Remove them, or connectionGater.enabled: false.",
  holds: ({ blockedPeers, allowedPeers, connectionGater }: Peers) =>
    (blockedPeers === undefined && allowedPeers === undefined) || connectionGater?.enabled !== false,
};

export const p2p = field(
  z.object({
    port: portNumber("TCP port of the peer-to-peer network on every member.").exactOptional(),
    extraPeers: field(
      z.array(peerAddress("Multiaddress of one peer.")).max(MAX_PEERS),
      "Further peers to connect to, besides the members themselves.",
      { keywords: { "x-kubernetes-list-type": "set" } },
    ).exactOptional(),
    blockedPeers: peerIds(
      "Peers that no connection is made with, nor taken from. A member of the cluster is never blocked. Switches the connection gater on.",
    ).exactOptional(),
    allowedPeers: peerIds(
      "Peers that are not blocked although blockedPeers names them; others are let in all the same. Switches the connection gater on.",
    ).exactOptional(),
    connectionGater: toggle(
      "The filter of connections.",
      "Whether ev-node filters connections by peer: those that blockedPeers names, and those that it blocks itself as they misbehave. On when blockedPeers or allowedPeers is given, else off, which is ev-node's default.",
    ).exactOptional(),
  }),
  "The peer-to-peer network on which blocks are spread.",
  { rules: [gaterOfLists] },
);

const health = field(
  z.object({
    window: durationBetween(
      "1s",
      "24h",
      "A follower is called ready while its last block is not older. Without it 15s, in lazy mode twice the interval.",
    ).exactOptional(),
    maxBlocksBehind: integer(
      0,
      1_000_000,
      "A member is called ready while it is at most so many blocks behind. ev-node's default is 15.",
    ).exactOptional(),
  }),
  "What ev-node's own page /health/ready goes by. Neither the operator nor Kubernetes asks that page: readiness of a member is spec.readiness.",
);

export const rpc = field(
  z.object({
    port: portNumber("TCP port of ev-node's RPC on every member.").exactOptional(),
    daVisualization: toggle(
      "Pages that show what was submitted to the data availability layer.",
      "Whether the RPC serves them. Off is ev-node's default.",
    ).exactOptional(),
    health: health.exactOptional(),
  }),
  "ev-node's RPC.",
);
