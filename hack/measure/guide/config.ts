import { stringify } from "yaml";
import { fixed } from "../../../src/api/fixed.ts";

/** One machine of the guide: an address of its own on the loopback interface, with the guide's ports on it. */
export interface Machine {
  /** As the guide counts them: node-1 is the sequencer that there was. */
  readonly name: string;
  readonly ip: string;
  readonly home: string;
  readonly raftFolder: string;
  readonly peerId: string;
}

const RAFT_PORT = 5001;
const P2P_PORT = 26_656;
const BLOCK_TIME = "500ms";

/**
 * The guide's are 92, 368, 46 and 50 ms. On a machine that is busy with anything else they cost leader after leader its
 * lease, which is another danger than those that are shown here.
 */
const timing = {
  heartbeat_timeout: "1s",
  election_timeout: "2s",
  leader_lease_timeout: "1s",
  send_timeout: "500ms",
};

/** What the guide leaves out: without it five nodes on one machine do not start, or not as nodes of one chain. */
const missing = ({ ip, home }: Machine, daPort: number) => ({
  rpc: { address: `${ip}:${fixed.rpcPort}` },
  signer: { signer_type: "file", signer_path: `${home}/config` },
  da: { address: `http://127.0.0.1:${daPort}`, namespace: "guide" },
});

const listen = (ip: string) => `/ip4/${ip}/tcp/${P2P_PORT}`;

/** node-1 as it was before: a single sequencer, which knows nobody. */
export function singleConfig(machine: Machine, daPort: number): string {
  return stringify({
    node: { aggregator: true, block_time: BLOCK_TIME },
    p2p: { listen_address: listen(machine.ip) },
    ...missing(machine, daPort),
  });
}

/** Step 7. `raft_addr` is the machine's own address: with the guide's 0.0.0.0 ev-node does not start. */
export function memberConfig(machine: Machine, others: readonly Machine[], daPort: number): string {
  return stringify({
    node: { aggregator: true, block_time: BLOCK_TIME },
    raft: {
      enable: true,
      node_id: machine.name,
      raft_addr: raftAddress(machine),
      raft_dir: machine.raftFolder,
      peers: others.map((other) => `${other.name}@${raftAddress(other)}`).join(","),
      ...timing,
      trailing_logs: 18_000,
      snapshot_threshold: 5_000,
      snap_count: 3,
    },
    p2p: {
      listen_address: listen(machine.ip),
      peers: others.map(({ ip, peerId }) => `${listen(ip)}/p2p/${peerId}`).join(","),
    },
    ...missing(machine, daPort),
  });
}

export const raftAddress = ({ ip }: Machine): string => `${ip}:${RAFT_PORT}`;
