import { readdir, readFile } from "node:fs/promises";
import { EVNODE_CONTAINER } from "../../../src/model/member.ts";
import type { Pod } from "../../../src/model/objects.ts";
import type { World } from "./world.ts";

/** Sends SIGKILL to ev-node of a member: no handover, no farewell. */
export async function killEvnode({ environment, kubectl }: World, pod: Pod): Promise<void> {
  if (environment.machine) return killContainer(pod, EVNODE_CONTAINER);
  const { name, namespace = "" } = pod.metadata;
  const inAgent = ["exec", name, "--namespace", namespace, "--container", "agent", "--"];
  await kubectl.run([...inAgent, "/usr/bin/node", "--eval", KILL_SCRIPT]);
}

/** The agent shares the process namespace and the user of ev-node, and its image has Node. */
const KILL_SCRIPT = `
const fs = require("node:fs");
for (const pid of fs.readdirSync("/proc").filter((name) => /^[0-9]+$/.test(name))) {
  const line = fs.readFileSync("/proc/" + pid + "/cmdline", "utf8");
  if (line.includes("--home=/data")) process.kill(Number(pid), "SIGKILL");
}`;

/** Kills the processes of a container from the node that it is on, which is this machine. */
export async function killContainer(pod: Pod, container: string): Promise<void> {
  await signalContainer(pod, container, "SIGKILL");
}

export async function signalContainer(pod: Pod, container: string, signal: NodeJS.Signals): Promise<void> {
  for (const pid of await processesIn(pod, container)) process.kill(pid, signal);
}

/** The processes of a container that runs on this machine, by their ids here. */
export async function processesIn({ metadata, status }: Pod, container: string): Promise<readonly number[]> {
  const found = status?.containerStatuses?.find(({ name }) => name === container);
  const id = found?.containerID?.split("://")[1];
  if (!id || !found?.state?.running)
    throw new Error(`container ${container} of ${metadata.name} does not run`);
  const pids = await processesOfContainer(id);
  if (pids.length === 0)
    throw new Error(`container ${container} of ${metadata.name} has no process on this machine`);
  return pids;
}

async function processesOfContainer(id: string): Promise<readonly number[]> {
  const pids: number[] = [];
  for (const entry of await readdir("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    // A process may end while it is looked at.
    const groups = await readFile(`/proc/${entry}/cgroup`, "utf8").catch(() => "");
    if (groups.includes(id)) pids.push(Number(entry));
  }
  return pids;
}
