import * as z from "zod";
import { field, matches } from "./field.ts";
import { choice, portNumber } from "./scalars.ts";

/** Printable ASCII without `/` and `,`: ev-node separates peers by commas and drops one that holds a space. */
const MULTIADDR = "^(/[!-+.0-~-]+)+/p2p/[1-9A-HJ-NP-Za-km-z]{40,64}$";

export const p2p = field(
  z.object({
    port: portNumber("TCP port of the peer-to-peer network on every member.").exactOptional(),
    extraPeers: field(
      z
        .array(
          field(z.string().min(1).max(512), "Multiaddress of one peer.", {
            rules: [
              matches(
                MULTIADDR,
                "A peer is a multiaddress that ends with /p2p/ and the peer id, without spaces or commas, such as /dns4/node.example.com/tcp/7676/p2p/12D3KooW….",
              ),
            ],
          }),
        )
        .max(32),
      "Further peers to connect to, besides the members themselves.",
      { keywords: { "x-kubernetes-list-type": "set" } },
    ).exactOptional(),
  }),
  "The peer-to-peer network on which blocks are spread.",
);

export const rpc = field(
  z.object({ port: portNumber("TCP port of ev-node's RPC on every member.").exactOptional() }),
  "ev-node's RPC.",
);

export const metrics = field(
  z.object({ port: portNumber("TCP port of ev-node's Prometheus metrics on every member.").exactOptional() }),
  "ev-node's metrics.",
);

export const log = field(
  z.object({
    level: choice(["debug", "info", "warn", "error"], "Least severe lines to log.").exactOptional(),
    format: choice(["json", "text"], "Format of the lines.").exactOptional(),
  }),
  "What ev-node logs.",
);
