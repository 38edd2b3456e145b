import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundle } from "../bundle.ts";
import { command } from "../local-cluster/command.ts";
import { provideHelm } from "../local-cluster/helm.ts";
import { youngFlag } from "../operator-image.ts";
import { writeKubeconfigOf } from "./account-kubeconfig.ts";
import { fenceNamespace } from "./fence.ts";
import { newOperatorProcess, type OperatorProcess } from "./operator-process.ts";
import { operatorImage } from "./provide-cluster.ts";
import type { Session } from "./session.ts";

const root = join(import.meta.dirname, "../..");
const release = "evnode-operator";
/** What the chart's memory limit of 256 MiB and the image's flag of 75 % come down to; its other flags are the image's. */
export const HEAP_MIB = 192;
/** Each reconcile reads the Secret with this end from the server, and once. */
export const IDENTITY_READ = "-identity";

/** The operator of this checkout, with the rights that the chart gives it and no others. It reaches what listens on this machine. */
export async function provideOwnOperator(session: Session, namespace: string): Promise<OperatorProcess> {
  const newOperator = await provideOwnOperators(session, namespace);
  return newOperator("measured");
}

/** Makes operators of the same namespace, each under a name of its own: one of them holds the lease. */
export async function provideOwnOperators(session: Session, namespace: string): Promise<NewOperator> {
  await fenceNamespace(session, namespace);
  return newOperators(session, namespace, {
    image: await operatorImage(session.kubectl),
    heapMib: HEAP_MIB,
    watchNamespace: namespace,
  });
}

type NewOperator = (name: string) => Promise<OperatorProcess>;

interface OwnOperatorOptions {
  /** Of the agents. */
  readonly image: string;
  readonly heapMib: number;
  /** Empty for all. */
  readonly watchNamespace: string;
}

/** The same where no operator is installed. */
export async function newOperators(
  session: Session,
  namespace: string,
  { image, heapMib, watchNamespace }: OwnOperatorOptions,
): Promise<NewOperator> {
  const folder = await mkdtemp(join(tmpdir(), "measure-operator-"));
  session.atEnd(`folder ${folder}`, async () => rm(folder, { recursive: true, force: true }));
  await bundle(join(folder, "dist"));
  await grantRights(session, namespace, watchNamespace);
  const kubeconfig = join(folder, "kubeconfig");
  await writeKubeconfigOf({ namespace, name: release }, session, kubeconfig);
  return async (name) =>
    newOperatorProcess(session, {
      user: `system:serviceaccount:${namespace}:${release}`,
      program: process.execPath,
      args: ({ health, metrics }) => [
        `--max-old-space-size=${heapMib}`,
        youngFlag,
        join(folder, "dist/main.js"),
        "run",
        `--watch-namespace=${watchNamespace}`,
        `--health-port=${health}`,
        `--metrics-port=${metrics}`,
        "--metrics-access=loopback",
      ],
      logFile: join(folder, `${name}.log`),
      env: {
        NODE_ENV: "production",
        KUBECONFIG: kubeconfig,
        POD_NAME: name,
        POD_NAMESPACE: namespace,
        AGENT_IMAGE: image,
      },
    });
}

/** The chart's own Roles. */
async function grantRights({ kubectl }: Session, namespace: string, watchNamespace: string): Promise<void> {
  const shown = ["templates/rbac.yaml", "templates/serviceaccount.yaml"].flatMap((file) => [
    "--show-only",
    file,
  ]);
  const set = ["--namespace", namespace, "--set", `watchNamespace=${watchNamespace}`];
  const manifests = await command(await provideHelm(), [
    "template",
    release,
    join(root, "helm"),
    ...set,
    ...shown,
  ]);
  await kubectl.run(["apply", "--filename", "-"], { input: manifests });
}
