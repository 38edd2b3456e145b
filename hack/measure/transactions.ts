import { TESTAPP_PORT } from "../../src/api/fixed.ts";
import { httpText } from "./node-rpc.ts";
import { leaderAddress, type OperatedCluster } from "./operated-cluster.ts";
import { pause, type Session } from "./session.ts";
import { wallMs } from "./wall-time.ts";

/** A transaction that was sent once, to whatever the Service led to at that moment. */
export interface SentTransaction {
  readonly key: string;
  readonly sentMs: number;
  /** Undefined when nobody took it. */
  readonly acceptedMs: number | undefined;
}

export interface Arrival {
  readonly acceptedMs: number;
  /** First seen in the new leader's store. */
  readonly arrivedMs: number;
}

export interface Sender {
  readonly sent: readonly SentTransaction[];
  stop(): Promise<void>;
}

const SEND_EVERY_MS = 50;
const LOOK_EVERY_MS = 20;

/** Posts one transaction after the other, each with a key of its own, to the address that `where` tells for it. */
export function sendTransactions(
  session: Session,
  where: () => Promise<string | undefined>,
  prefix: string,
): Sender {
  const sent: SentTransaction[] = [];
  const stopping = new AbortController();
  const run = async () => {
    for (let number = 0; !stopping.signal.aborted; number += 1) {
      const ip = await where();
      const key = `${prefix}-${number}`;
      const sentMs = wallMs();
      const question = {
        port: TESTAPP_PORT,
        method: "POST",
        path: "/tx",
        body: `${key}=1`,
        anew: true,
      } as const;
      const answer = ip === undefined ? undefined : await httpText({ ip, ...question });
      sent.push({ key, sentMs, acceptedMs: answer?.status === 202 ? wallMs() : undefined });
      await pause(SEND_EVERY_MS, session);
    }
  };
  const running = run();
  // Awaited in stop.
  running.catch(() => {});
  return {
    sent,
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

/** The same to whoever leads, by the leader's Service. */
export async function sendToLeader(
  session: Session,
  cluster: OperatedCluster,
  prefix: string,
): Promise<Sender> {
  const address = await leaderAddress(session, cluster);
  return sendTransactions(session, async () => address, prefix);
}

export async function hasArrived(ip: string, key: string): Promise<boolean> {
  const answer = await httpText({ ip, port: TESTAPP_PORT, method: "GET", path: `/kv?key=${key}` });
  return answer?.status === 200;
}

/** The first of the accepted transactions that is seen in this member's store. */
export async function firstArrival(
  session: Session,
  { sent }: Sender,
  ip: string,
  timeoutMs: number,
): Promise<Arrival | undefined> {
  const deadline = performance.now() + timeoutMs;
  while (performance.now() < deadline) {
    for (const { key, acceptedMs } of sent) {
      if (acceptedMs === undefined) continue;
      if (await hasArrived(ip, key)) return { acceptedMs, arrivedMs: wallMs() };
    }
    await pause(LOOK_EVERY_MS, session);
  }
  return undefined;
}
