import { rm } from "node:fs/promises";
import type { TestProject, Vitest } from "vitest/node";
import { provideOperatorImage } from "../../../hack/demo/install.ts";
import { command } from "../../../hack/local-cluster/command.ts";
import { operatorImageName } from "../../../hack/operator-image.ts";
import { secretsFolder } from "./artifacts.ts";
import { type Environment, findEnvironment } from "./environment.ts";
import { newKubectl } from "./kubectl.ts";
import { operatorName, operatorNamespace } from "./operator-names.ts";

const CHART = new URL("../../../helm", import.meta.url).pathname;
const READY_SECONDS = 180;

/** Once for the whole run, whichever of its projects comes first: a cluster, and the operator of this checkout on it. */
export default async function setUp({ vitest }: TestProject): Promise<(() => Promise<void>) | undefined> {
  if ("environment" in vitest.getProvidedContext()) return undefined;
  const environment = await findEnvironment();
  await provideOperator(environment);
  // For what starts kubectl by itself.
  process.env["KUBECONFIG"] = environment.kubeconfig;
  process.env["KUBECTL"] = environment.kubectl;
  vitest.provide("environment", environment);
  return () => tidyUp(vitest, environment);
}

/** E2E_OPERATOR=installed takes the operator that is there, whatever it was built from. */
async function provideOperator(environment: Environment): Promise<void> {
  const { helm, kubeconfig } = environment;
  if (process.env["E2E_OPERATOR"] !== "installed") {
    const [repository = "", tag = ""] = (await operatorImage(environment)).split(/:(?=[^/]*$)/);
    const release = [
      "upgrade",
      "--install",
      operatorName,
      CHART,
      "--namespace",
      operatorNamespace,
      "--create-namespace",
    ];
    // One, so that a test that kills the operator leaves none.
    const values = ["--set", `image.repository=${repository},image.tag=${tag},replicas=1`];
    await command(helm, [...release, "--take-ownership", ...values], { env: { KUBECONFIG: kubeconfig } });
  }
  const status = ["rollout", "status", `deployment/${operatorName}`, "--namespace", operatorNamespace];
  await newKubectl(environment).run([...status, `--timeout=${READY_SECONDS}s`], {
    timeoutMs: (READY_SECONDS + 10) * 1_000,
  });
}

async function operatorImage({ machine }: Environment): Promise<string> {
  const given = process.env["E2E_OPERATOR_IMAGE"];
  if (given) return given;
  if (machine) return operatorImageName(await provideOperatorImage());
  throw new Error(
    "E2E_OPERATOR_IMAGE is missing: on a cluster that is not the local one, the operator's image has to be where its nodes can pull it",
  );
}

/** Secrets go in any case; what was said is kept for a person when something failed. */
async function tidyUp(vitest: Vitest, environment: Environment): Promise<void> {
  await rm(secretsFolder(environment), { recursive: true, force: true });
  const hasFailures = vitest.state.getTestModules().some((file) => !file.ok());
  if (hasFailures) console.log(`logs, events and objects of the run: ${environment.runDir}`);
  else await rm(environment.runDir, { recursive: true, force: true });
}
