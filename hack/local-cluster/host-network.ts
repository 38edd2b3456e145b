import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { command, tryCommand } from "./command.ts";
import { network, stateDir } from "./layout.ts";

const previousFile = join(stateDir, "kernel-settings.json");
const pluginResults = "/var/lib/cni/results";

/** Settings that pods need; put back by `down`. */
const required = {
  "net/ipv4/ip_forward": "1",
  "net/bridge/bridge-nf-call-iptables": "1",
} as const;

/** Settings that the kubelet changes by itself; put back by `down` too. */
const changedByKubelet = [
  "vm/overcommit_memory",
  "vm/panic_on_oom",
  "kernel/panic",
  "kernel/panic_on_oops",
  "kernel/keys/root_maxkeys",
  "kernel/keys/root_maxbytes",
] as const;

export async function setUpNetwork(): Promise<void> {
  // Where bridges are built into the kernel there is no module to load.
  await tryCommand("modprobe", ["br_netfilter"]).catch(() => undefined);
  if (!existsSync(previousFile)) {
    await mkdir(stateDir, { recursive: true });
    await writeFile(
      previousFile,
      JSON.stringify(await readSettings([...Object.keys(required), ...changedByKubelet])),
    );
  }
  await writeSettings(required);
  const { nodeBridge, nodeAddress } = network;
  if (!existsSync(`/sys/class/net/${nodeBridge}`)) {
    await command("ip", ["link", "add", nodeBridge, "type", "bridge"]);
  }
  await command("ip", ["addr", "replace", `${nodeAddress}/32`, "dev", nodeBridge]);
  await command("ip", ["link", "set", nodeBridge, "up"]);
}

/** Removes bridges (pods' veth pairs go with their namespaces), saved addresses, and restores the kernel settings. */
export async function tearDownNetwork(): Promise<void> {
  await removePodNamespaces();
  for (const bridge of [network.podBridge, network.nodeBridge]) {
    if (existsSync(`/sys/class/net/${bridge}`)) await command("ip", ["link", "delete", bridge]);
  }
  const previous = await readFile(previousFile, "utf8").catch(() => undefined);
  if (previous !== undefined) await writeSettings(JSON.parse(previous) as Record<string, string>);
}

/** The pod network's plugins note each pod's network namespace; containerd's own record may be gone. */
async function removePodNamespaces(): Promise<void> {
  const results = await readdir(pluginResults).catch(() => []);
  for (const result of results.filter((name) => name.startsWith(`${network.cniName}-`))) {
    const file = join(pluginResults, result);
    const pod = result.slice(network.cniName.length + 1).replace(/-eth0$/, "");
    const namespaces = (await readFile(file, "utf8")).match(/\/run\/netns\/cni-[0-9a-f-]+/g) ?? [];
    for (const namespace of new Set(namespaces)) {
      const name = namespace.slice("/run/netns/".length);
      if (existsSync(join("/run/netns", name))) await command("ip", ["netns", "delete", name]);
    }
    await rm(file);
    await rm(join(pluginResults, `cni-loopback-${pod}-lo`), { force: true });
  }
}

async function readSettings(names: readonly string[]): Promise<Record<string, string>> {
  const values: Record<string, string> = {};
  for (const name of names) {
    const value = await readFile(join("/proc/sys", name), "utf8").catch(() => undefined);
    if (value !== undefined) values[name] = value.trim();
  }
  return values;
}

async function writeSettings(values: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, value] of Object.entries(values)) {
    const file = join("/proc/sys", name);
    if (existsSync(file) && (await readFile(file, "utf8")).trim() !== value) await writeFile(file, value);
  }
}
