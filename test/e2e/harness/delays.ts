import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { toolEnvironment } from "../../../hack/local-cluster/command.ts";
import { buildBinary } from "../../../hack/local-cluster/go-build.ts";
import { EVNODE_CONTAINER } from "../../../src/model/member.ts";
import type { Pod } from "../../../src/model/objects.ts";
import { addressOf, type Cut } from "./cut-paths.ts";
import { processesIn } from "./processes.ts";

const READY_MS = 10_000;

/**
 * Delays all that these pods send to each other, so that a round trip between two of them takes twice as long. The
 * pods keep it over restarts of their containers.
 */
export async function delayed(pods: readonly Pod[], ms: number): Promise<Cut> {
  const program = await buildBinary("delay");
  const delays: ChildProcess[] = [];
  for (const pod of pods) {
    const others = pods.filter((other) => other !== pod).map(addressOf);
    const [pid] = await processesIn(pod, EVNODE_CONTAINER);
    const inNetwork = ["--target", String(pid), "--net", "--", program, "eth0", `${ms}ms`, ...others];
    delays.push(await started("nsenter", inNetwork));
  }
  return {
    async heal() {
      for (const delay of delays) {
        if (delay.exitCode !== null || delay.signalCode !== null) continue;
        delay.stdin?.end();
        await once(delay, "exit");
      }
    },
  };
}

/** Ends when its input does, and so with this process at the latest. */
async function started(command: string, args: readonly string[]): Promise<ChildProcess> {
  const child = spawn(command, args, { env: toolEnvironment(), stdio: ["pipe", "pipe", "inherit"] });
  const [line] = await once(createInterface(child.stdout), "line", { signal: AbortSignal.timeout(READY_MS) });
  if (line !== "ready") throw new Error(`packets are not delayed: ${String(line)}`);
  return child;
}
