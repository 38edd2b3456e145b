import { command, tryCommand } from "../../../hack/local-cluster/command.ts";
import { EVNODE_CONTAINER } from "../../../src/model/member.ts";
import type { Pod } from "../../../src/model/objects.ts";
import type { Cut } from "./cut-paths.ts";
import { processesIn } from "./processes.ts";

const delay = (device: string, ms: number) => [
  "qdisc",
  "replace",
  "dev",
  device,
  "root",
  "netem",
  "delay",
  `${ms}ms`,
];

/** Whether the kernel of this machine can delay packets; tried in a network namespace that is gone afterwards. */
export async function canDelay(): Promise<boolean> {
  const { code } = await tryCommand("unshare", ["--net", "tc", ...delay("lo", 1)]);
  return code === 0;
}

/** Delays all that these pods send, so that a round trip between two of them takes twice as long. */
export async function delayed(pods: readonly Pod[], ms: number): Promise<Cut> {
  const inNetworkOf = async (pod: Pod, args: readonly string[]) => {
    const [pid] = await processesIn(pod, EVNODE_CONTAINER);
    await command("nsenter", ["--target", String(pid), "--net", "tc", ...args]);
  };
  for (const pod of pods) await inNetworkOf(pod, delay("eth0", ms));
  return {
    async heal() {
      for (const pod of pods) await inNetworkOf(pod, ["qdisc", "delete", "dev", "eth0", "root"]);
    },
  };
}
