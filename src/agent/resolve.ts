import { Resolver } from "node:dns/promises";
import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import type { Clock } from "../runtime/clock.ts";

/** The address of a host name, or undefined when it has none that can be learned now. */
export interface Resolve {
  (host: string): Promise<string | undefined>;
  /** The address does not lead to the host any more: ask anew the next time. */
  forget(host: string): void;
}

export interface Answer {
  readonly address: string;
  readonly lifetimeMs: number;
}

const LOOKUP_TIMEOUT_MS = 1_000;
const MIN_LIFETIME_MS = 1_000;
const MAX_LIFETIME_MS = 30_000;
const HOSTS_LIFETIME_MS = 5_000;

/**
 * Resolves as ev-node does, the hosts file first and then DNS, without the system's resolver: that one waits in a
 * thread that file access needs too. An answer is kept for its time to live, so that a large cluster does not ask
 * once a second for every pair of members.
 */
export function newResolve(
  clock: Clock,
  ask: (host: string) => Promise<Answer | undefined> = askHostsThenDns,
): Resolve {
  const known = new Map<string, { readonly address: string; readonly untilMs: number }>();

  async function resolve(host: string): Promise<string | undefined> {
    if (isIP(host) !== 0) return host;
    const kept = known.get(host);
    if (kept !== undefined && clock.monotonicMs() < kept.untilMs) return kept.address;

    const answer = await ask(host);
    if (answer === undefined) return undefined;
    known.set(host, { address: answer.address, untilMs: clock.monotonicMs() + answer.lifetimeMs });
    return answer.address;
  }
  return Object.assign(resolve, {
    forget(host: string) {
      known.delete(host);
    },
  });
}

async function askHostsThenDns(host: string): Promise<Answer | undefined> {
  const hosts = await readFile("/etc/hosts", "utf8").catch(() => "");
  const address = addressInHosts(hosts, host);
  return address === undefined ? askDns(host) : { address, lifetimeMs: HOSTS_LIFETIME_MS };
}

/** The first address that a hosts file gives a name. */
export function addressInHosts(hosts: string, host: string): string | undefined {
  for (const line of hosts.split("\n")) {
    const [address, ...names] = line.replace(/#.*/, "").trim().split(/\s+/);
    if (address !== undefined && isIP(address) !== 0 && names.includes(host)) return address;
  }
  return undefined;
}

async function askDns(host: string): Promise<Answer | undefined> {
  // Made anew each time: the name servers of the pod are read when it is made.
  const resolver = new Resolver({ timeout: LOOKUP_TIMEOUT_MS, tries: 1 });
  for (const ask of [resolver.resolve4.bind(resolver), resolver.resolve6.bind(resolver)]) {
    // No name, no such record and no name server are the same to the caller: no address.
    const records = await ask(host, { ttl: true }).catch(() => []);
    const [first] = records;
    if (first === undefined) continue;
    const lifetimeMs = Math.min(Math.max(first.ttl * 1_000, MIN_LIFETIME_MS), MAX_LIFETIME_MS);
    return { address: first.address, lifetimeMs };
  }
  return undefined;
}
