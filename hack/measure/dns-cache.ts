import { Resolver } from "node:dns/promises";
import { readFile, writeFile } from "node:fs/promises";
import { configPath, corefile } from "../local-cluster/config-files.ts";
import { network } from "../local-cluster/layout.ts";
import { signal } from "../local-cluster/process.ts";
import { runningProcess } from "../local-cluster/supervisor.ts";
import { requireLocal } from "./provide-cluster.ts";
import { pollUntil, type Session } from "./session.ts";

const KNOWN_NAME = "kubernetes.default.svc.cluster.local";
const EFFECT_TIMEOUT_MS = 20_000;

/**
 * Lets the local cluster's DNS hand out and keep answers for so many seconds, as most clusters do with 30, until the
 * campaign ends. The running server reads its configuration anew; nothing is restarted.
 */
export async function cacheNamesFor(session: Session, seconds: number): Promise<void> {
  requireLocal(session);
  session.atEnd("cache of names", async () => useCorefile(session, corefile()));
  const before = await readFile(configPath.corefile, "utf8");
  await useCorefile(
    session,
    before.replace(/ttl \d+/, `ttl ${seconds}`).replace(/cache \d+/, `cache ${seconds}`),
  );
}

async function useCorefile(session: Session, content: string): Promise<void> {
  const server = await runningProcess("coredns");
  if (!server) throw new Error("the cluster's DNS server does not run");
  await writeFile(configPath.corefile, content);
  // CoreDNS reads its file again on this signal.
  signal(server, "SIGUSR1");
  const seconds = Number(/ttl (\d+)/.exec(content)?.[1]);
  // An answer from the cache is told with what is left of its time.
  const isInEffect = async () => {
    const left = (await timeToLive()) ?? 0;
    return (left <= seconds && left > seconds / 2) || undefined;
  };
  if (await pollUntil(isInEffect, { everyMs: 250, timeoutMs: EFFECT_TIMEOUT_MS }, session)) return;
  throw new Error(`the cluster's DNS does not hand out answers for ${seconds} s`);
}

async function timeToLive(): Promise<number | undefined> {
  const resolver = new Resolver({ timeout: 1_000, tries: 1 });
  resolver.setServers([network.nodeAddress]);
  const [answer] = await resolver.resolve4(KNOWN_NAME, { ttl: true }).catch(() => []);
  return answer?.ttl;
}
