import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { inject } from "vitest";
import { up } from "../../../hack/local-cluster/cluster.ts";
import { provideHelm } from "../../../hack/local-cluster/helm.ts";
import { localDaImage, testnodeImages } from "../../../hack/local-cluster/image-names.ts";
import { paths } from "../../../hack/local-cluster/layout.ts";

/** The Kubernetes cluster that the suite runs on; the same for every file of a run. */
export interface Environment {
  readonly kubectl: string;
  readonly kubeconfig: string;
  readonly helm: string;
  /** What was seen in the run: for a person after a failure, and for the search for secrets. */
  readonly runDir: string;
  readonly images: {
    readonly node: string;
    /** Behaves like `node` and is another image. */
    readonly otherNode: string;
    readonly da: string;
  };
  /** Present on the cluster that hack/local-cluster made: its node is this machine. */
  readonly machine: { readonly auditLog: string } | undefined;
}

declare module "vitest" {
  interface ProvidedContext {
    readonly environment: Environment;
  }
}

export const environment = (): Environment => inject("environment");

/**
 * The cluster that KUBECONFIG names; without it, the local cluster, which is brought up when it is not there.
 * Elsewhere the images come from E2E_NODE_IMAGE, E2E_OTHER_NODE_IMAGE and E2E_DA_IMAGE.
 */
export async function findEnvironment(): Promise<Environment> {
  const { kubectl, kubeconfig } = await findCluster();
  const isLocal = resolve(kubeconfig) === paths.kubeconfig;
  return {
    kubectl,
    kubeconfig,
    helm: process.env["HELM"] || (await provideHelm()),
    runDir: await mkdtemp(join(tmpdir(), "evnode-e2e-")),
    images: {
      node: process.env["E2E_NODE_IMAGE"] || testnodeImages[0],
      otherNode: process.env["E2E_OTHER_NODE_IMAGE"] || testnodeImages[1],
      da: process.env["E2E_DA_IMAGE"] || localDaImage,
    },
    machine: isLocal ? { auditLog: paths.auditLog } : undefined,
  };
}

async function findCluster(): Promise<{ readonly kubectl: string; readonly kubeconfig: string }> {
  const given = process.env["KUBECONFIG"];
  if (given) return { kubeconfig: given, kubectl: process.env["KUBECTL"] || "kubectl" };
  return up();
}
