import { existsSync } from "node:fs";
import { chmod, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { provideCertificates, type User, users } from "./certificates.ts";
import { command } from "./command.ts";
import { type Component, type ComponentName, componentNames, components } from "./components.ts";
import { removeFirewallRules, requireFreeFirewall } from "./firewall.ts";
import { buildBinaries } from "./go-build.ts";
import { provideHelm } from "./helm.ts";
import { setUpNetwork, tearDownNetwork } from "./host-network.ts";
import { importImage, loadOwnImages } from "./images.ts";
import { kubeconfigOf, renderKubeconfig } from "./kubeconfig.ts";
import { paths, runDir, stateDir } from "./layout.ts";
import { createControlGroups, killPodProcesses, removeControlGroups, unmountAll } from "./leftovers.ts";
import { withLock } from "./lock.ts";
import { prepareMachine, requireRootOnLinux } from "./machine.ts";
import { say } from "./progress.ts";
import { storageAndRoles } from "./provisioner.ts";
import { waitForComponent } from "./readiness.ts";
import { ensureRunning, runningProcess, stopComponentProcess } from "./supervisor.ts";
import { removeTraces, shimSockets } from "./traces.ts";
import { provisionerName } from "./volumes.ts";

/** A real one-node Kubernetes cluster on this machine: the functions that tests and measurements use. */

export interface ClusterTools {
  readonly kubeconfig: string;
  readonly kubectl: string;
  readonly helm: string;
  readonly auditLog: string;
  /** The test node's program, to make keys and genesis outside the cluster. */
  readonly testnode: string;
}

/** Brings the cluster up, or heals what is missing of it; a cluster that runs is left as it is. */
export async function up(): Promise<ClusterTools> {
  await prepareMachine();
  return withLock(async () => {
    const binaries = await buildBinaries();
    const tools = await describeTools(binaries);
    if (!existsSync(stateDir)) await requireFreeFirewall();
    await prepareState();
    await startAll(components(binaries), binaries, tools.kubectl);
    return tools;
  });
}

/** Stops everything and removes every trace but the cache of binaries. */
export async function down(): Promise<void> {
  requireRootOnLinux();
  await withLock(async () => {
    // Without a state folder nothing here is ours: the firewall's rules may be another Kubernetes'.
    if (!existsSync(stateDir)) return;
    for (const name of componentNames.toReversed()) await stopComponentProcess(name);
    const sockets = await shimSockets();
    await killPodProcesses();
    await unmountAll();
    await tearDownNetwork();
    await removeFirewallRules();
    removeControlGroups();
    await removeTraces(sockets);
    await rm(runDir, { recursive: true, force: true });
    await rm(stateDir, { recursive: true, force: true });
  });
}

/** Name of each component and its process id, undefined for one that does not run. */
export async function status(): Promise<ReadonlyMap<ComponentName, number | undefined>> {
  const found = new Map<ComponentName, number | undefined>();
  for (const name of componentNames) found.set(name, (await runningProcess(name))?.pid);
  return found;
}

/** Loads an OCI image archive; pods use it with imagePullPolicy IfNotPresent or Never. */
export async function loadImage(file: string): Promise<void> {
  await importImage(file);
}

export function kubeconfigPath(): string {
  if (!existsSync(paths.kubeconfig))
    throw new Error("the local cluster is not up: run `npm run cluster -- up`");
  return paths.kubeconfig;
}

export async function stopComponent(name: ComponentName): Promise<void> {
  requireRootOnLinux();
  await withLock(async () => stopComponentProcess(name));
}

export async function startComponent(name: ComponentName): Promise<void> {
  requireRootOnLinux();
  await withLock(async () => start(name));
}

export async function restartComponent(name: ComponentName): Promise<void> {
  requireRootOnLinux();
  await withLock(async () => {
    await stopComponentProcess(name);
    await start(name);
  });
}

async function start(name: ComponentName): Promise<void> {
  const component = components(await buildBinaries()).find((candidate) => candidate.name === name);
  if (!component) throw new Error(`there is no component ${name}`);
  await ensureRunning(component);
  await waitForComponent(name);
}

async function describeTools(binaries: ReadonlyMap<string, string>): Promise<ClusterTools> {
  return {
    kubeconfig: paths.kubeconfig,
    kubectl: binaries.get("kubectl") ?? "kubectl",
    testnode: binaries.get("testnode") ?? "testnode",
    helm: await provideHelm(),
    auditLog: paths.auditLog,
  };
}

/** In one step: who reads a kubeconfig does not hold the lock, and must not find half of it. */
async function replaceFile(file: string, content: string): Promise<void> {
  const partial = `${file}.partial`;
  await writeFile(partial, content, { mode: 0o600 });
  await rename(partial, file);
}

async function prepareState(): Promise<void> {
  for (const folder of [stateDir, paths.config, paths.logs, paths.processes, paths.volumes, paths.images]) {
    await mkdir(folder, { recursive: true });
  }
  // Pods reach their volumes through the mount, and nobody else has to look inside.
  await chmod(stateDir, 0o711);
  await provideCertificates();
  for (const user of Object.keys(users) as User[]) {
    await replaceFile(kubeconfigOf(user), await renderKubeconfig(user));
  }
  await setUpNetwork();
  await createControlGroups();
}

async function startAll(
  all: readonly Component[],
  binaries: ReadonlyMap<string, string>,
  kubectl: string,
): Promise<void> {
  const start = async (...names: ComponentName[]) => {
    const started = await Promise.all(
      all
        .filter((component) => names.includes(component.name))
        .map(async (component) => ((await ensureRunning(component)) ? [component.name] : [])),
    );
    await Promise.all(names.map(async (name) => waitForComponent(name)));
    return started.flat();
  };
  const began = performance.now();
  const first = await start("etcd", "containerd");
  // No pod runs on a new node yet, so nothing else has to wait for the images.
  const [rest] = await Promise.all([startKubernetes(start, kubectl), loadOwnImages(binaries)]);
  const started = [...first, ...rest];
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  say(started.length === 0 ? "already up" : `started ${started.join(", ")} in ${seconds} s`);
}

async function startKubernetes(
  start: (...names: ComponentName[]) => Promise<readonly ComponentName[]>,
  kubectl: string,
): Promise<readonly ComponentName[]> {
  const apiServer = await start("apiserver");
  await command(kubectl, ["--kubeconfig", paths.kubeconfig, "apply", "--filename", "-"], {
    input: JSON.stringify({ apiVersion: "v1", kind: "List", items: storageAndRoles(provisionerName) }),
  });
  const rest = await start("controller-manager", "scheduler", "kubelet", "coredns", "proxy", "provisioner");
  return [...apiServer, ...rest];
}
