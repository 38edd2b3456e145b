import { dirname } from "node:path";
import { type ClusterTools, down, up } from "../local-cluster/cluster.ts";
import { createCluster, installOperator, operatorNamespace, provideOperatorImage } from "./install.ts";
import { type Kubectl, newKubectl } from "./kubectl.ts";
import { follow, look, type Scene } from "./scene.ts";
import { newScreen } from "./screen.ts";
import { allInSync, missing, topHeight } from "./view.ts";

const namespace = "demo";
const LOOK_EVERY_MS = 500;
const SYNC_TIMEOUT_MS = 5 * 60_000;

/** From nothing to blocks. Answers the exit code. */
export async function real(members: number): Promise<number> {
  const tools = await up();
  const kubectl = newKubectl(tools.kubectl, tools.kubeconfig);
  await installOperator(tools, kubectl, await provideOperatorImage());
  const name = await createCluster(kubectl, namespace, members);
  const lacking = await watchUntilRunning(kubectl, name);
  if (lacking.length > 0) {
    console.error(`\nAfter ${SYNC_TIMEOUT_MS / 60_000} minutes this is missing:`);
    for (const what of lacking) console.error(`  ${what}`);
    console.error("\nLook further with:");
    console.error(`  export KUBECONFIG=${tools.kubeconfig} PATH=${dirname(tools.kubectl)}:$PATH`);
    console.error(`  kubectl --namespace ${namespace} describe evnodecluster ${name}`);
    console.error(`  kubectl --namespace ${operatorNamespace} logs deployment/evnode-operator`);
    return 1;
  }
  await showResult(tools, kubectl, name);
  return 0;
}

/** Answers what is still missing when the time is over; nothing once blocks rise with all members in sync. */
async function watchUntilRunning(kubectl: Kubectl, name: string): Promise<readonly string[]> {
  const screen = newScreen(process.stdout);
  let heightInSync: number | undefined;
  let lacking: readonly string[] = ["the EvNodeCluster has not been seen"];
  const judge = (scene: Scene) => {
    screen.show(scene);
    if (allInSync(scene)) heightInSync ??= topHeight(scene);
    lacking = missing(scene, heightInSync);
    return lacking.length === 0;
  };
  await follow(() => look(kubectl, namespace, name), judge, {
    everyMs: LOOK_EVERY_MS,
    timeoutMs: SYNC_TIMEOUT_MS,
  });
  return lacking;
}

async function showResult(tools: ClusterTools, kubectl: Kubectl, name: string): Promise<void> {
  const here = ["--namespace", namespace];
  const jsonpath = async (what: string, path: string) =>
    (await kubectl.run(["get", ...what.split(" "), ...here, "--output", `jsonpath={${path}}`])).trim();
  const leader = await jsonpath(`evnodecluster ${name}`, ".status.leader");
  const service = await jsonpath(`service ${name}-leader`, ".spec.clusterIP");
  const readers = await jsonpath(`service ${name}-rpc`, ".spec.clusterIP");
  console.log(`\n$ kubectl get evnodeclusters --namespace ${namespace}`);
  console.log(await kubectl.run(["get", "evnodeclusters", ...here]));
  console.log(`Try next:

  export KUBECONFIG=${tools.kubeconfig} PATH=${dirname(tools.kubectl)}:$PATH
  kubectl --namespace ${namespace} describe evnodecluster ${name}

  # A transaction goes to the leader and can be read from every member.
  curl --data hello=world http://${service}:8080/tx
  curl 'http://${readers}:8080/kv?key=hello'

  # Take the leader away: another one goes on with the next block.
  kubectl --namespace ${namespace} delete pod ${leader} --wait=false
  kubectl --namespace ${namespace} get evnodeclusters --watch

  # The end.
  npm run demo -- --down`);
}

export async function remove(): Promise<number> {
  await down();
  console.log("the local cluster is gone; its programs stay cached for the next start");
  return 0;
}
