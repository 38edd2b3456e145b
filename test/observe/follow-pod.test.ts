import { expect, test } from "vitest";
import { labels } from "../../src/model/annotations.ts";
import type { Pod } from "../../src/model/objects.ts";
import { Agents } from "../../src/observe/agents.ts";
import { followPod } from "../../src/observe/follow-pod.ts";
import { fixedRandom } from "../runtime/seeded-random.ts";
import { VirtualClock } from "../runtime/virtual-clock.ts";

const asPod = (status: Pod["status"], over: Partial<Pod["metadata"]> = {}): Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "seq-0", namespace: "rollup", uid: "u", labels: { [labels.cluster]: "seq" }, ...over },
  ...(status && { status }),
});
const running = asPod({ phase: "Running", podIP: "10.0.0.1" });

/** Addresses that are asked after the pods were seen in this order; `gone` is the last one deleted. */
async function followed(pods: readonly Pod[], gone = false): Promise<string[]> {
  const asked: string[] = [];
  const ask = (ip: string, _: unknown, signal: AbortSignal) => {
    asked.push(ip);
    signal.addEventListener("abort", () => asked.splice(asked.indexOf(ip), 1), { once: true });
    return new Promise<never>(() => {});
  };
  const agents = new Agents(ask, new VirtualClock(), fixedRandom(0), () => {});
  for (const [at, pod] of pods.entries()) followPod(agents, pod, gone && at === pods.length - 1);
  return asked;
}

test.each<[string, readonly Pod[], readonly string[]]>([
  ["a member pod with an address is followed", [running], ["10.0.0.1"]],
  ["a pod without an address is not", [asPod({ phase: "Pending" })], []],
  ["a pod without a status is not", [asPod(undefined)], []],
  ["a pod of no cluster is not", [asPod({ podIP: "10.0.0.1" }, { labels: {} })], []],
  ["a pod that ended is no longer", [running, asPod({ phase: "Failed", podIP: "10.0.0.1" })], []],
  ["nor one that is done", [running, asPod({ phase: "Succeeded", podIP: "10.0.0.1" })], []],
  ["nor one that lost its address", [running, asPod({ phase: "Running" })], []],
  ["a pod is followed to its new address", [running, asPod({ podIP: "10.0.0.2" })], ["10.0.0.2"]],
  [
    "a pod of the same name with another uid is another pod",
    [running, asPod({ podIP: "10.0.0.2" }, { uid: "v" })],
    ["10.0.0.1", "10.0.0.2"],
  ],
])("%s", async (_, pods, ips) => {
  expect(await followed(pods)).toEqual(ips);
});

test("a pod that is gone is followed no longer", async () => {
  expect(await followed([running, running], true)).toEqual([]);
});
