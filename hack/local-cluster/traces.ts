import { lstat, readdir, readFile, readlink, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { runDir, stateDir } from "./layout.ts";

/** What programs leave in places that they do not let us choose. */

const tasks = join(runDir, "containerd/io.containerd.runtime.v2.task/k8s.io");
const containerLogs = "/var/log/containers";
const devicePluginSocket = "/var/lib/kubelet/device-plugins/kubelet.sock";

/** Removed only when nothing is left in them, innermost first. */
const sharedFolders = [
  "/run/containerd/s",
  "/run/containerd/runc",
  "/run/containerd",
  "/var/lib/cni/results",
  "/var/lib/cni",
  "/var/lib/kubelet/device-plugins",
  "/var/lib/kubelet",
  containerLogs,
];

/** Sockets of the containers' shims: to be asked for before containerd's state goes, which alone names them. */
export async function shimSockets(): Promise<readonly string[]> {
  const containers = await readdir(tasks).catch(() => []);
  const addresses = await Promise.all(
    containers.map(async (id) => readFile(join(tasks, id, "address"), "utf8").catch(() => "")),
  );
  return [...new Set(addresses.filter((address) => address.startsWith("unix://")))].map((address) =>
    address.slice("unix://".length).trim(),
  );
}

export async function removeTraces(sockets: readonly string[]): Promise<void> {
  for (const file of [...sockets, devicePluginSocket]) await rm(file, { force: true });
  await removeLogLinks();
  for (const folder of sharedFolders) await removeIfEmpty(folder);
}

/** The kubelet links every container's log here. */
async function removeLogLinks(): Promise<void> {
  for (const name of await readdir(containerLogs).catch(() => [])) {
    const link = join(containerLogs, name);
    if (!(await lstat(link)).isSymbolicLink()) continue;
    if ((await readlink(link)).startsWith(`${stateDir}/`)) await rm(link);
  }
}

async function removeIfEmpty(folder: string): Promise<void> {
  await rmdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT" && error.code !== "ENOTEMPTY" && error.code !== "EBUSY") throw error;
  });
}
