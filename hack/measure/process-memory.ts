import { readdir, readFile } from "node:fs/promises";
import { z } from "zod";
import type { Pod } from "../../src/model/objects.ts";
import type { Session } from "./session.ts";

/** Bytes of one process or container. */
export interface Memory {
  /** All that is in memory of it, programs and libraries included, which other processes may share. */
  readonly residentBytes: number;
  /** What it alone holds: heap and stacks. */
  readonly anonymousBytes: number;
}

export async function memoryOfProcess(pid: number): Promise<Memory> {
  return readMemory(await readFile(`/proc/${pid}/status`, "utf8"));
}

export function readMemory(status: string): Memory {
  const bytes = (field: string) => {
    const kibibytes = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(status)?.[1];
    if (kibibytes === undefined) throw new Error(`the process status has no ${field}`);
    return Number(kibibytes) * 1_024;
  };
  return { residentBytes: bytes("VmRSS"), anonymousBytes: bytes("RssAnon") };
}

/** Linux counts processor time in hundredths of a second, whatever the kernel's own tick is. */
const TICKS_PER_SECOND = 100;

/** Processor time that a process has used so far, its own and the kernel's on its behalf. */
export async function processorMs(pid: number): Promise<number> {
  return readProcessorMs(await readFile(`/proc/${pid}/stat`, "utf8"));
}

/** The program's name may hold spaces and brackets, so fields count from the last bracket. */
export function readProcessorMs(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = Number(fields[11]) + Number(fields[12]);
  if (!Number.isFinite(ticks)) throw new Error("the process statistics have no processor time");
  return (ticks * 1_000) / TICKS_PER_SECOND;
}

/** A running container of this machine: its first process, and what its kubelet counts against its limit. */
export interface ContainerMemory extends Memory {
  readonly pod: string;
  readonly workingSetBytes: number | undefined;
}

const nodesSchema = z.object({ items: z.array(z.object({ metadata: z.object({ name: z.string() }) })) });

/** The containers of this name in these pods. */
export async function memoryOfContainers(
  session: Session,
  pods: readonly Pod[],
  container: string,
): Promise<readonly ContainerMemory[]> {
  const workingSets = await kubeletMetrics(session);
  return Promise.all(
    pods.map(async (pod) => {
      const { name, namespace = "" } = pod.metadata;
      const workingSetBytes = readWorkingSet(workingSets, { namespace, pod: name, container });
      return { pod: name, workingSetBytes, ...(await memoryOfProcess(await firstProcess(pod, container))) };
    }),
  );
}

async function firstProcess({ metadata, status }: Pod, container: string): Promise<number> {
  const all = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  const id = all.find(({ name }) => name === container)?.containerID?.split("://")[1];
  if (id === undefined) throw new Error(`container ${container} of ${metadata.name} does not run`);
  const pids = (await readdir("/proc")).filter((entry) => /^\d+$/.test(entry)).map(Number);
  for (const pid of pids.sort((one, other) => one - other)) {
    // A process may end while it is looked at.
    const groups = await readFile(`/proc/${pid}/cgroup`, "utf8").catch(() => "");
    if (groups.includes(id)) return pid;
  }
  throw new Error(`container ${container} of ${metadata.name} has no process on this machine`);
}

async function kubeletMetrics({ kubectl }: Session): Promise<string> {
  const { items } = await kubectl.json(nodesSchema, ["get", "nodes"]);
  const texts = items.map(async ({ metadata }) =>
    kubectl.run(["get", "--raw", `/api/v1/nodes/${metadata.name}/proxy/metrics/resource`]),
  );
  return (await Promise.all(texts)).join("\n");
}

interface ContainerRef {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

export function readWorkingSet(
  metrics: string,
  { namespace, pod, container }: ContainerRef,
): number | undefined {
  const labels = `container="${container}",namespace="${namespace}",pod="${pod}"`;
  const prefix = `container_memory_working_set_bytes{${labels}} `;
  const line = metrics.split("\n").find((text) => text.startsWith(prefix));
  return line === undefined ? undefined : Number(line.slice(prefix.length).split(" ")[0]);
}

export function mebibytes(bytes: number | undefined): string {
  return bytes === undefined ? "-" : `${(bytes / 2 ** 20).toFixed(0)} MiB`;
}
