import type { MemberConfig } from "../evnode/config.ts";

/** What the agent needs to know from the member's config. */
export interface MemberFacts {
  /** The only member of its cluster, which runs without Raft. */
  readonly isSingle: boolean;
  /** The membership that the config is of. */
  readonly epoch: number;
  readonly raftAddress: string;
  readonly raftHost: string;
  readonly raftPort: number;
  readonly rpcPort: number;
  readonly metricsPort: number;
  readonly dbPath: string;
  readonly signer: SignerType;
  readonly peers: readonly PeerAddresses[];
}

/** Where the key that signs is: in a file that the agent installs, or in a key management service. */
export type SignerType = MemberConfig["signer"]["signer_type"];

/** Another member of the cluster. */
export interface PeerAddresses {
  readonly name: string;
  readonly host: string;
  readonly raftPort: number;
  readonly p2pPort: number;
}

export function memberFacts(config: MemberConfig): MemberFacts {
  const { raft } = config;
  const { host: raftHost, port: raftPort } = splitAddress(raft.raft_addr);
  return {
    isSingle: !raft.enable,
    epoch: raftEpoch(raft.raft_dir) ?? 0,
    raftAddress: raft.raft_addr,
    raftHost,
    raftPort,
    rpcPort: splitAddress(config.rpc.address).port,
    metricsPort: splitAddress(config.instrumentation.prometheus_listen_addr).port,
    dbPath: config.db_path,
    signer: config.signer.signer_type,
    peers: peersOf(config.p2p.peers, raftHost, raftPort),
  };
}

/** The name of a Raft folder ends with its epoch; undefined for a folder of another name. */
export function raftEpoch(folder: string): number | undefined {
  const [, digits] = /\/raft-([1-9]\d{0,8})$/.exec(folder) ?? [];
  return digits === undefined ? undefined : Number(digits);
}

/** The first fact in which two configs of one member differ, in words; undefined when they are equal. */
export function differenceOfFacts(now: MemberFacts, then: MemberFacts): string | undefined {
  for (const key of Object.keys(now) as (keyof MemberFacts)[]) {
    const [is, becomes] = [JSON.stringify(now[key]), JSON.stringify(then[key])];
    if (is !== becomes) return `${key} is ${is} in this pod and ${becomes} in the revision`;
  }
  return undefined;
}

/** The members among the P2P peers: those under the same headless Service. Sources from outside are no members. */
function peersOf(multiaddrs: string, ownHost: string, raftPort: number): readonly PeerAddresses[] {
  const domain = ownHost.slice(ownHost.indexOf("."));
  const peers: PeerAddresses[] = [];
  for (const multiaddr of multiaddrs.split(",")) {
    const [, host, port] = /^\/dns[46]?\/([^/]+)\/tcp\/(\d+)\//.exec(multiaddr) ?? [];
    if (host === undefined || port === undefined) continue;
    const name = host.slice(0, -domain.length);
    if (host !== `${name}${domain}` || name === "" || name.includes(".")) continue;
    peers.push({ name, host, raftPort, p2pPort: Number(port) });
  }
  return peers;
}

function splitAddress(address: string): { readonly host: string; readonly port: number } {
  const colon = address.lastIndexOf(":");
  return {
    host: address.slice(0, colon).replace(/^\[(.*)\]$/, "$1"),
    port: Number(address.slice(colon + 1)),
  };
}
