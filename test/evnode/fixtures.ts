import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import type { RaftMember } from "../../src/evnode/raft-bootstrap.ts";

type Fixture = "real-raft-log" | "real-raft-stable" | "grown-raft-log" | "compacted-raft-log";

/** A raft file that ev-node's own code wrote; see fixtures/README.md. */
export function realFile(name: Fixture): Buffer {
  return gunzipSync(readFileSync(new URL(`./fixtures/${name}.db.gz`, import.meta.url)));
}

/** The membership with which the real files were bootstrapped, in their order. */
export const realMembers: readonly RaftMember[] = [
  { id: "ev-0", address: "127.0.0.1:15001" },
  { id: "ev-1", address: "127.0.0.1:15002" },
  { id: "ev-2", address: "127.0.0.1:15003" },
];

/** The vectors that ev-node's Go code and independent libraries agree on. */
export const vector = {
  seed: Buffer.from("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", "hex"),
  passphrase: "correct horse",
  salt: Buffer.from("101112131415161718191a1b1c1d1e1f", "hex"),
  nonce: Buffer.from("202122232425262728292a2b", "hex"),
  signerJson:
    '{"priv_key_encrypted":"5CKIgcfLmY6Q0/WqGWr+4O/ZzH8WG4jHAlCbg3y5Nw4euhAbL/Vl+Hh4R7vnFPcAPPVZVtT2ocEdPQSIz6y2rt4cewKog/H336uS6eQCKnI=","nonce":"ICEiIyQlJicoKSor","pub_key":"A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=","salt":"EBESExQVFhcYGRobHB0eHw=="}',
  nodeKeyJson:
    '{"priv_key":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8DoQe/884Qvh1w3RjnS8CZZ+TWMJulDV8d3IZkElUxuA==","pub_key":"A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg="}',
  publicKey: "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=",
  peerId: "12D3KooWA4Xop1JaT3MHxwYMkCepYsv4iPVopMXwCz5iHYdBfeSB",
  proposerAddress: "Vkdap1RjR0wChd9dvyvKtz2mUTWIOem3dIGy6rEHcIw=",
} as const;
