import type { Random } from "../runtime/random.ts";
import { repeat } from "./interval.ts";
import type { PeerAddresses } from "./member-facts.ts";
import { lookAtPeer, type PeerWatchDependencies, unknownPeers } from "./peer-watch.ts";

const EVERY_MS = 1_000;
const JITTER = 0.2;

export type PeerLooksDependencies = Omit<PeerWatchDependencies, "clusterId"> & {
  readonly random: Random;
  readonly signal: AbortSignal;
};

/**
 * The looks at the other members. They begin when the volume is prepared: from then on the others are there, or nearly,
 * and a name server that is asked earlier may remember for half a minute that there is no such name.
 */
export class PeerLooks {
  readonly #dependencies: PeerLooksDependencies;
  #peers: readonly PeerAddresses[] = [];
  #clusterId = "";
  #loops: Promise<unknown> | undefined;

  constructor(dependencies: PeerLooksDependencies) {
    this.#dependencies = dependencies;
  }

  /** Whom to look at. Their number never changes; their ports may, as long as ev-node has not run. */
  name(peers: readonly PeerAddresses[], clusterId: string): void {
    if (this.#peers.length === 0) this.#dependencies.board.update({ peers: unknownPeers(peers) });
    this.#peers = peers;
    this.#clusterId = clusterId;
  }

  /** One look at each of them, now. */
  async once(): Promise<void> {
    await Promise.all(this.#peers.map((peer) => this.#look(peer)));
  }

  /** Looks again and again, until the signal aborts; resolves then. */
  async run(): Promise<void> {
    const { clock, random, signal } = this.#dependencies;
    const every = { clock, random, signal, everyMs: EVERY_MS, jitter: JITTER };
    this.#loops ??= Promise.all(
      this.#peers.map((_, index) =>
        repeat(every, async () => {
          const peer = this.#peers[index];
          if (peer !== undefined) await this.#look(peer);
        }),
      ),
    );
    await this.#loops;
  }

  #look(peer: PeerAddresses): Promise<void> {
    return lookAtPeer(peer, { ...this.#dependencies, clusterId: this.#clusterId });
  }
}
