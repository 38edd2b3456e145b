import { command, tryCommand } from "./command.ts";
import { network } from "./layout.ts";

/**
 * Answers the input for `iptables-restore --noflush` that removes everything Kubernetes and our pod network
 * added to one saved table set, or undefined when there is nothing of theirs.
 */
export function removalScript(saved: string): string | undefined {
  const tables = saved
    .split(/^\*/m)
    .slice(1)
    .map((text) => removalOfTable(text))
    .filter((lines) => lines !== undefined);
  return tables.length === 0 ? undefined : tables.flat().join("\n").concat("\n");
}

function removalOfTable(text: string): readonly string[] | undefined {
  const [name, ...lines] = text.split("\n");
  const rules = lines.filter((line) => line.startsWith("-A "));
  const ownChains = new Set(
    lines.filter((line) => line.startsWith(":KUBE-")).map((line) => line.slice(1).split(" ")[0] ?? ""),
  );
  for (const rule of rules) {
    const target = / -j (CNI-[0-9a-f]+)\b/.exec(rule)?.[1];
    if (target !== undefined && rule.includes(network.cniName)) ownChains.add(target);
  }
  const chains = [...ownChains].sort();
  const jumps = rules.filter((rule) => isJumpInto(rule, ownChains)).map((rule) => rule.replace("-A ", "-D "));
  if (chains.length === 0) return undefined;
  return [
    `*${name}`,
    ...jumps,
    ...chains.map((chain) => `-F ${chain}`),
    ...chains.map((chain) => `-X ${chain}`),
    "COMMIT",
  ];
}

/** A rule in a foreign chain that leads into one of ours; rules inside our chains go by flushing them. */
function isJumpInto(rule: string, chains: ReadonlySet<string>): boolean {
  const [, chain = ""] = rule.split(" ");
  const target = / -j (\S+)/.exec(rule)?.[1] ?? "";
  return chains.has(target) && !chains.has(chain);
}

/** Two Kubernetes share no firewall, and `down` could not tell their rules apart. */
export async function requireFreeFirewall(): Promise<void> {
  const saved = await tryCommand("iptables-save", []);
  if (removalScript(saved.stdout) === undefined) return;
  throw new Error(
    "this machine's iptables already have chains of Kubernetes (KUBE-…), and no local cluster is recorded: " +
      "another Kubernetes runs here, or was not cleaned up (a restart of the machine does that)",
  );
}

export async function removeFirewallRules(): Promise<void> {
  for (const tool of ["iptables", "ip6tables"]) {
    // A machine without IPv6 has no rules of that kind to remove.
    const saved = await tryCommand(`${tool}-save`, []).catch(() => undefined);
    const script = saved?.code === 0 ? removalScript(saved.stdout) : undefined;
    if (script !== undefined) await command(`${tool}-restore`, ["--noflush"], { input: script });
  }
}
