import { existsSync, readdirSync, readFileSync, rmdirSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { tryCommand } from "./command.ts";
import { cgroupRoot, endpoints, runDir, stateDir } from "./layout.ts";
import { identityOf, type ProcessIdentity, signal } from "./process.ts";
import { ready, waitUntil } from "./wait.ts";

const CGROUPS = "/sys/fs/cgroup";

/** The kubelet wants its root group to exist, in every hierarchy where the machine uses version 1. */
export async function createControlGroups(): Promise<void> {
  for (const hierarchy of hierarchies()) await mkdir(join(hierarchy, cgroupRoot), { recursive: true });
}

/** Kills the pods' processes and their shims, found by control group and socket, never by name. */
export async function killPodProcesses(): Promise<void> {
  const find = () => allProcesses().filter(({ pid }) => isOurs(pid));
  await waitUntil(
    "end of all pod processes",
    async () => {
      const found = find();
      for (const identity of found) signal(identity, "SIGKILL");
      return found.length === 0 ? ready : `${found.length} processes are left`;
    },
    { timeoutMs: 15_000 },
  );
}

function isOurs(pid: number): boolean {
  const groups = read(`/proc/${pid}/cgroup`);
  if (groups.includes(`:/${cgroupRoot}/`)) return true;
  const commandLine = read(`/proc/${pid}/cmdline`);
  return commandLine.includes("containerd-shim") && commandLine.includes(endpoints.containerd);
}

function allProcesses(): readonly ProcessIdentity[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => identityOf(Number(name)))
    .filter((identity) => identity !== undefined);
}

/**
 * Unmounts deepest first what containerd and the kubelet mounted below our folders. One unmount may take others
 * with it, by propagation, so the list is read anew until it is empty.
 */
export async function unmountAll(): Promise<void> {
  await waitUntil(
    "unmounting",
    async () => {
      const remaining = () => mountsBelow(read("/proc/self/mountinfo"), [stateDir, runDir]);
      for (const target of remaining()) await tryCommand("umount", ["--lazy", target]);
      const left = remaining();
      return left.length === 0 ? ready : `still mounted: ${left.join(", ")}`;
    },
    { timeoutMs: 30_000 },
  );
}

export function mountsBelow(mountinfo: string, folders: readonly string[]): readonly string[] {
  return mountinfo
    .split("\n")
    .map((line) => line.split(" ")[4] ?? "")
    .map((target) =>
      target.replace(/\\(\d{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8))),
    )
    .filter((target) => folders.some((folder) => target === folder || target.startsWith(`${folder}/`)))
    .sort((a, b) => b.length - a.length);
}

/** A control group is a folder that only rmdir removes, children first, once no process is in it. */
export function removeControlGroups(): void {
  for (const hierarchy of hierarchies()) removeGroup(join(hierarchy, cgroupRoot));
}

function removeGroup(group: string): void {
  if (!existsSync(group)) return;
  for (const entry of readdirSync(group, { withFileTypes: true })) {
    if (entry.isDirectory()) removeGroup(join(group, entry.name));
  }
  rmdirSync(group);
}

function hierarchies(): readonly string[] {
  if (existsSync(join(CGROUPS, "cgroup.controllers"))) return [CGROUPS];
  return readdirSync(CGROUPS, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(CGROUPS, entry.name));
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
