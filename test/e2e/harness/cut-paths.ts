import { command } from "../../../hack/local-cluster/command.ts";
import type { Pod } from "../../../src/model/objects.ts";

/** Between two pods nothing passes; `port` limits that to TCP connections to this port of either. */
export interface Cut {
  heal(): Promise<void>;
}

/** Cuts one pod off from others, on the node itself: packets are dropped, as behind a firewall. */
export async function cutOff(pod: Pod, others: readonly Pod[], port?: number): Promise<Cut> {
  const ip = addressOf(pod);
  const pairs = others.flatMap((other) => [
    ["--source", ip, "--destination", addressOf(other)],
    ["--source", addressOf(other), "--destination", ip],
  ]);
  const rules =
    port === undefined
      ? pairs
      : pairs.flatMap((pair) =>
          ["--dport", "--sport"].map((side) => [...pair, "--protocol", "tcp", side, String(port)]),
        );
  return dropped(rules);
}

/** Closes a TCP port of every pod for every other one. Only for a port that no other cluster has. */
export const closePort = (port: number): Promise<Cut> =>
  dropped([["--protocol", "tcp", "--dport", String(port)]]);

async function dropped(rules: readonly (readonly string[])[]): Promise<Cut> {
  const drop = (how: "--insert" | "--delete", rule: readonly string[]) =>
    command("iptables", ["--wait", how, "FORWARD", ...rule, "--jump", "DROP"]);
  for (const rule of rules) await drop("--insert", rule);
  let isHealed = false;
  return {
    async heal() {
      if (isHealed) return;
      isHealed = true;
      for (const rule of rules) await drop("--delete", rule);
    },
  };
}

export function addressOf({ metadata, status }: Pod): string {
  if (!status?.podIP) throw new Error(`${metadata.name} has no address`);
  return status.podIP;
}
