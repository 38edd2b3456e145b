import { existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { command, toolEnvironment, tryCommand } from "./command.ts";
import { step } from "./progress.ts";

/** Debian package -> a file that proves that it is installed. */
const packages: Readonly<Record<string, string>> = {
  containerd: "containerd",
  runc: "runc",
  "containernetworking-plugins": "/usr/lib/cni/bridge",
  iptables: "iptables",
  iproute2: "ip",
  conntrack: "conntrack",
  openssl: "openssl",
};

const INSTALL_TIMEOUT_MS = 10 * 60_000;
const elsewhere = "On a machine with Docker use hack/kind instead.";

/** Refuses, with the reason and the way out, on a machine that cannot run the cluster; installs what Debian has. */
export async function prepareMachine(): Promise<void> {
  requireRootOnLinux();
  await requireGo();
  await installMissingPackages();
}

export function requireRootOnLinux(): void {
  if (process.platform !== "linux") {
    throw new Error(`the local cluster needs Linux, this is ${process.platform}. ${elsewhere}`);
  }
  if (process.getuid?.() !== 0) {
    throw new Error(`the local cluster needs root: it starts containerd and changes iptables. ${elsewhere}`);
  }
}

async function requireGo(): Promise<void> {
  const installed = await tryCommand("go", ["env", "GOVERSION"]).catch(() => undefined);
  const [, minor] = /^go1\.(\d+)/.exec(installed?.stdout ?? "") ?? [];
  if (installed?.code === 0 && Number(minor) >= 25) return;
  const found = installed?.stdout.trim() || "none";
  throw new Error(`the local cluster is built with Go 1.25 or newer, found ${found}. ${elsewhere}`);
}

async function installMissingPackages(): Promise<void> {
  const missing = Object.entries(packages)
    .filter(([, proof]) => !isInstalled(proof))
    .map(([name]) => name);
  if (missing.length === 0) return;
  if (!isDebian()) {
    throw new Error(
      `these programs are missing: ${missing.join(", ")} (names of Debian packages). ` +
        `Only Debian and Ubuntu are set up automatically; install them, or: ${elsewhere}`,
    );
  }
  const options = { timeoutMs: INSTALL_TIMEOUT_MS, env: { DEBIAN_FRONTEND: "noninteractive" } };
  await step(`installing ${missing.join(" ")}`, async () => {
    await command("apt-get", ["update", "-qq"], options);
    await command("apt-get", ["install", "-y", "-qq", "--no-install-recommends", ...missing], options);
  });
}

function isInstalled(proof: string): boolean {
  if (proof.startsWith("/")) return existsSync(proof);
  const folders = (toolEnvironment()["PATH"] ?? "").split(delimiter);
  return folders.some((folder) => folder !== "" && existsSync(join(folder, proof)));
}

function isDebian(): boolean {
  try {
    return /^ID(_LIKE)?=.*(debian|ubuntu)/m.test(readFileSync("/etc/os-release", "utf8"));
  } catch {
    return false;
  }
}
