import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { z } from "zod";
import { type Bundle, bundle, packageVersion } from "../bundle.ts";
import { type ClusterTools, loadImage } from "../local-cluster/cluster.ts";
import { command } from "../local-cluster/command.ts";
import { testnodeImages } from "../local-cluster/image-names.ts";
import { step } from "../local-cluster/progress.ts";
import { operatorImageName, writeOperatorImage } from "../operator-image.ts";
import type { Kubectl } from "./kubectl.ts";

const root = join(import.meta.dirname, "../..");
export const operatorNamespace = "evnode-system";
const deployment = "deployment/evnode-operator";
const ROLLOUT_SECONDS = 120;

/**
 * Builds the operator's image, from this checkout where no other program is given, and loads it; answers its tag, which
 * changes with its content.
 */
export async function provideOperatorImage(given?: Bundle): Promise<string> {
  return step("building and loading the operator's image", async () => {
    const program = given ?? (await bundle());
    const hash = createHash("sha256");
    for (const path of program.files) hash.update(path).update(readFileSync(join(program.folder, path)));
    const tag = `${packageVersion()}-${hash.digest("hex").slice(0, 12)}`;
    const { file } = await writeOperatorImage(
      join(program.folder, "evnode-operator.tar"),
      operatorImageName(tag),
      program,
    );
    await loadImage(file);
    return tag;
  });
}

export async function installOperator(
  tools: Pick<ClusterTools, "helm" | "kubeconfig">,
  kubectl: Kubectl,
  tag: string,
): Promise<void> {
  await step("installing the operator with helm", async () => {
    const release = [
      "upgrade",
      "--install",
      "evnode-operator",
      join(root, "helm"),
      "--namespace",
      operatorNamespace,
    ];
    // A CRD that was applied by hand before is taken over instead of refused.
    const options = ["--create-namespace", "--take-ownership", "--set", `image.tag=${tag},replicas=1`];
    await command(tools.helm, [...release, ...options], { env: { KUBECONFIG: tools.kubeconfig } });
    await operatorReady(kubectl);
  });
}

async function operatorReady(kubectl: Kubectl): Promise<void> {
  const wait = [
    "rollout",
    "status",
    deployment,
    "--namespace",
    operatorNamespace,
    `--timeout=${ROLLOUT_SECONDS}s`,
  ];
  try {
    await kubectl.run(wait, { timeoutMs: (ROLLOUT_SECONDS + 10) * 1000 });
  } catch (error) {
    const logs = ["logs", deployment, "--namespace", operatorNamespace, "--tail=20"];
    const said = await kubectl.run(logs).catch(() => "(no log)\n");
    throw new Error(
      `the operator is not ready after ${ROLLOUT_SECONDS} s. Its log ends with:\n${said}` +
        `Look at it with: kubectl --namespace ${operatorNamespace} describe pods`,
      { cause: error },
    );
  }
}

const manifestSchema = z.looseObject({
  metadata: z.looseObject({ name: z.string() }),
  spec: z.looseObject({}),
});

/** The smallest example, with what differs on this cluster: the image and where it comes from. */
function demoManifest(members: number): { readonly name: string; readonly text: string } {
  const example = manifestSchema.parse(parse(readFileSync(join(root, "examples/minimal.yaml"), "utf8")));
  const spec = { ...example.spec, replicas: members, image: testnodeImages[0], storage: { size: "1Gi" } };
  return { name: example.metadata.name, text: stringify({ ...example, spec }) };
}

/** Applies the demo's namespace, under the strictest Pod Security level, its data availability layer and its cluster. */
export async function createCluster(kubectl: Kubectl, namespace: string, members: number): Promise<string> {
  const { name, text } = demoManifest(members);
  await refuseOtherSize(kubectl, namespace, name, members);
  const labels = { "pod-security.kubernetes.io/enforce": "restricted" };
  const into = (file: string) => ["apply", "--namespace", namespace, "--filename", file];
  await kubectl.run(["apply", "--filename", "-"], {
    input: stringify({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace, labels } }),
  });
  await kubectl.run(into(join(root, "hack/local-cluster/manifests/local-da.yaml")));
  await kubectl.run(into("-"), { input: text });
  return name;
}

async function refuseOtherSize(
  kubectl: Kubectl,
  namespace: string,
  name: string,
  members: number,
): Promise<void> {
  const get = ["get", "evnodecluster", name, "--namespace", namespace, "--ignore-not-found"];
  const replicas = (await kubectl.run([...get, "--output", "jsonpath={.spec.replicas}"])).trim();
  if (replicas === "" || replicas === String(members)) return;
  throw new Error(
    `the demo runs with ${replicas} members already, and another number is a change of its own: docs/membership.md. ` +
      `Run it with --real --members ${replicas}, or start anew after: npm run demo -- --down`,
  );
}
