import { EVNODE_CONTAINER } from "../../src/model/member.ts";
import type { Pod } from "../../src/model/objects.ts";
import { askLeads } from "./node-rpc.ts";
import { pause, type Session } from "./session.ts";
import { wallMs } from "./wall-time.ts";

/** A member that was seen to lead. */
export interface SeenLeader {
  readonly member: string;
  readonly atMs: number;
}

const ASK_EVERY_MS = 20;

/**
 * Asks members directly, each every 20 ms, until one of them says that it leads. Its HTTP server is closed while it
 * takes the lead, so this comes later than the election itself, which its log tells.
 */
export async function firstToLead(
  session: Session,
  pods: readonly Pod[],
  timeoutMs: number,
): Promise<SeenLeader | undefined> {
  const found = Promise.withResolvers<SeenLeader | undefined>();
  const over = new AbortController();
  const deadline = performance.now() + timeoutMs;
  const askUntilOver = async ({ metadata, status }: Pod) => {
    while (!over.signal.aborted && performance.now() < deadline) {
      if (await askLeads(status?.podIP ?? "")) found.resolve({ member: metadata.name, atMs: wallMs() });
      await pause(ASK_EVERY_MS, session);
    }
  };
  const asking = Promise.all(pods.map(askUntilOver)).then(() => found.resolve(undefined));
  try {
    return await Promise.race([found.promise, asking.then(async () => found.promise)]);
  } finally {
    over.abort();
    await asking;
  }
}

const electedText = "raft: entering leader state";

/** When a member's own log says that it was elected: the first time since `sinceMs`. */
export async function electedAtMs(
  { kubectl }: Session,
  pod: Pod,
  sinceMs: number,
): Promise<number | undefined> {
  const { name, namespace = "" } = pod.metadata;
  // Kubelet takes whole seconds.
  const since = `--since-time=${new Date(sinceMs - 1_000).toISOString()}`;
  const where = ["--namespace", namespace, "--container", EVNODE_CONTAINER];
  return readElection(await kubectl.run(["logs", name, ...where, "--timestamps", since]), sinceMs);
}

export function readElection(log: string, sinceMs: number): number | undefined {
  const times = log
    .split("\n")
    .filter((text) => text.includes(electedText))
    .map((text) => Date.parse(text.split(" ")[0] ?? ""));
  return times.find((atMs) => atMs >= sinceMs);
}
