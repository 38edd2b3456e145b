import { join } from "node:path";
import { packageVersion } from "../bundle.ts";
import { command, tryCommand } from "../local-cluster/command.ts";
import { step } from "../local-cluster/progress.ts";
import { operatorImageName } from "../operator-image.ts";
import type { DemoCluster } from "./demo-cluster.ts";

const root = join(import.meta.dirname, "../..");
/** The name that `hack/kind/up.sh` gives it, too. */
const clusterName = () => process.env["KIND_CLUSTER"] ?? "evnode-operator";
const UP_TIMEOUT_MS = 30 * 60_000;
const BUILD_TIMEOUT_MS = 15 * 60_000;

const programs = [
  ["docker", "info"],
  ["kind", "version"],
  ["kubectl", "version", "--client"],
  ["helm", "version"],
] as const;

/** Whether all that kind needs is there and works: a client of Docker without its daemon does not. */
export async function hasKind(): Promise<boolean> {
  const found = await Promise.all(
    programs.map(async ([program, ...args]) => {
      const result = await tryCommand(program, args).catch(() => undefined);
      return result?.code === 0;
    }),
  );
  return found.every(Boolean);
}

export async function kindUp(): Promise<DemoCluster> {
  await step("making the cluster with kind", async () =>
    command("sh", [join(root, "hack/kind/up.sh")], { timeoutMs: UP_TIMEOUT_MS }),
  );
  const kubeconfig = join(root, "dist/kind-kubeconfig");
  return { kubeconfig, kubectl: "kubectl", helm: "helm", hasReachableServices: false, provideOperatorImage };
}

/** Its tag changes with its content. */
async function provideOperatorImage(): Promise<string> {
  return step("building and loading the operator's image", async () => {
    const timeoutMs = BUILD_TIMEOUT_MS;
    const id = (await command("docker", ["build", "--quiet", root], { timeoutMs })).trim();
    const tag = `${packageVersion()}-${id.replace("sha256:", "").slice(0, 12)}`;
    const image = operatorImageName(tag);
    await command("docker", ["tag", id, image]);
    await command("kind", ["load", "docker-image", "--name", clusterName(), image], { timeoutMs });
    return tag;
  });
}

/** True when there was one. */
export async function kindDown(): Promise<boolean> {
  const clusters = (await command("kind", ["get", "clusters"])).split("\n");
  if (!clusters.includes(clusterName())) return false;
  await command("kind", ["delete", "cluster", "--name", clusterName()], { timeoutMs: UP_TIMEOUT_MS });
  return true;
}
