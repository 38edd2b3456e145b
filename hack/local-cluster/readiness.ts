import { Resolver } from "node:dns/promises";
import { connect } from "./api-client.ts";
import { tryCommand } from "./command.ts";
import type { ComponentName } from "./components.ts";
import { endpoints, network, nodeName } from "./layout.ts";
import { explain, runningProcess } from "./supervisor.ts";
import { type Readiness, ready, waitUntil } from "./wait.ts";

/** Generous, because the machine may be busy with builds and tests. */
const READY_TIMEOUT_MS = 180_000;

const checks: Readonly<Record<ComponentName, () => Promise<Readiness>>> = {
  etcd: async () => httpReady(`${endpoints.etcd}/health`),
  apiserver: async () => {
    const answer = await (await connect("admin")).send("GET", "/readyz");
    return answer.status === 200 ? ready : answer.text.slice(0, 300);
  },
  "controller-manager": async () => {
    // The last thing it does for a new namespace is the root certificate, which every pod mounts.
    const path = "/api/v1/namespaces/default/configmaps/kube-root-ca.crt";
    const answer = await (await connect("admin")).send("GET", path);
    return answer.status === 200 ? ready : `kube-root-ca.crt: status ${answer.status}`;
  },
  scheduler: async () => alive("scheduler"),
  containerd: async () => {
    const result = await tryCommand("ctr", ["--address", endpoints.containerd, "version"], {
      timeoutMs: 5_000,
    });
    return result.code === 0 ? ready : result.stderr.trim();
  },
  kubelet: async () => {
    // The node's condition may still be the one of a kubelet that was stopped.
    const health = await httpReady("http://127.0.0.1:10248/healthz");
    if (health !== ready) return health;
    const answer = await (await connect("admin")).send("GET", `/api/v1/nodes/${nodeName}`);
    return answer.status === 200 ? readyCondition(answer.text) : `node: status ${answer.status}`;
  },
  coredns: async () => {
    const resolver = new Resolver({ timeout: 1_000, tries: 1 });
    resolver.setServers([network.nodeAddress]);
    await resolver.resolve4("kubernetes.default.svc.cluster.local");
    return ready;
  },
  proxy: async () => httpReady("http://127.0.0.1:10256/healthz"),
  provisioner: async () => alive("provisioner"),
};

/** Waits until a component answers; a component that has ended fails at once, with the end of its log. */
export async function waitForComponent(name: ComponentName): Promise<void> {
  let ended = false;
  try {
    await waitUntil(
      name,
      async () => {
        ended = (await runningProcess(name)) === undefined;
        return ended ? ready : checks[name]();
      },
      { timeoutMs: READY_TIMEOUT_MS },
    );
  } catch (error) {
    throw new Error(`${String(error)}\n${await explain(name)}`, { cause: error });
  }
  if (ended) throw new Error(await explain(name));
}

export function readyCondition(node: string): Readiness {
  const parsed = JSON.parse(node) as {
    status?: { conditions?: { type: string; status: string; message: string }[] };
  };
  const condition = parsed.status?.conditions?.find(({ type }) => type === "Ready");
  return condition?.status === "True" ? ready : (condition?.message ?? "node has no Ready condition");
}

async function httpReady(url: string): Promise<Readiness> {
  const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
  return response.ok ? ready : `${url}: status ${response.status}`;
}

async function alive(name: ComponentName): Promise<Readiness> {
  return (await runningProcess(name)) ? ready : `${name} does not run`;
}
