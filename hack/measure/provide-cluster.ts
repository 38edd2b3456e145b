import { resolve } from "node:path";
import { z } from "zod";
import { installOperator, operatorNamespace, provideOperatorImage } from "../demo/install.ts";
import { type Kubectl, newKubectl } from "../demo/kubectl.ts";
import { up } from "../local-cluster/cluster.ts";
import { paths } from "../local-cluster/layout.ts";

export interface ProvidedCluster {
  readonly kubeconfig: string;
  readonly kubectl: Kubectl;
}

const deploymentSchema = z.object({
  spec: z.object({
    template: z.object({
      spec: z.object({
        serviceAccountName: z.string(),
        containers: z.array(z.object({ name: z.string(), image: z.string() })),
      }),
    }),
  }),
});

/**
 * The cluster of KUBECONFIG as it is, with the operator that runs there; without KUBECONFIG the local one, brought
 * up and with the operator installed where it is missing.
 */
export async function provideCluster(): Promise<ProvidedCluster> {
  const given = process.env["KUBECONFIG"];
  if (given !== undefined && given !== "") {
    return { kubeconfig: given, kubectl: newKubectl("kubectl", given) };
  }
  const tools = await up();
  const kubectl = newKubectl(tools.kubectl, tools.kubeconfig);
  const find = [
    "get",
    "deployment",
    "evnode-operator",
    "--namespace",
    operatorNamespace,
    "--ignore-not-found",
  ];
  if ((await kubectl.run(find)).trim() === "") {
    await installOperator(tools, kubectl, await provideOperatorImage());
  }
  return { kubeconfig: tools.kubeconfig, kubectl };
}

/** The name under which the installed operator talks to the API server. */
export async function operatorUser(kubectl: Kubectl): Promise<string> {
  const { serviceAccountName } = await installedOperator(kubectl);
  return `system:serviceaccount:${operatorNamespace}:${serviceAccountName}`;
}

/** The image of the installed operator, which the agents run, too. */
export async function operatorImage(kubectl: Kubectl): Promise<string> {
  const { containers } = await installedOperator(kubectl);
  const found = containers.find(({ name }) => name === "operator");
  if (!found) throw new Error("the operator's Deployment has no container of this name");
  return found.image;
}

async function installedOperator(kubectl: Kubectl) {
  const get = ["get", "deployment", "evnode-operator", "--namespace", operatorNamespace];
  const { spec } = await kubectl.json(deploymentSchema, get);
  return spec.template.spec;
}

/** For what can only be seen on the local cluster: its API server's audit log, and processes of its node. */
export function requireLocal({ kubeconfig }: { readonly kubeconfig: string }): { readonly auditLog: string } {
  if (resolve(kubeconfig) === paths.kubeconfig) return { auditLog: paths.auditLog };
  throw new Error(
    `this campaign needs the local cluster (npm run cluster -- up), and ${kubeconfig} is another one`,
  );
}
