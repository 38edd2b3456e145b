import { z } from "zod";
import { installOperator, operatorNamespace, provideOperatorImage } from "../demo/install.ts";
import { type Kubectl, newKubectl } from "../demo/kubectl.ts";
import { up } from "../local-cluster/cluster.ts";

export interface ProvidedCluster {
  readonly kubeconfig: string;
  readonly kubectl: Kubectl;
}

const deploymentSchema = z.object({
  spec: z.object({ template: z.object({ spec: z.object({ serviceAccountName: z.string() }) }) }),
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
  const get = ["get", "deployment", "evnode-operator", "--namespace", operatorNamespace];
  const { spec } = await kubectl.json(deploymentSchema, get);
  return `system:serviceaccount:${operatorNamespace}:${spec.template.spec.serviceAccountName}`;
}
