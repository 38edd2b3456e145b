import { dirname } from "node:path";
import { down, up } from "../local-cluster/cluster.ts";
import { say } from "../local-cluster/progress.ts";
import type { DemoCluster } from "./demo-cluster.ts";
import { createCluster, installOperator, operatorNamespace, provideOperatorImage } from "./install.ts";
import { hasKind, kindDown, kindUp } from "./kind.ts";
import { type Kubectl, newKubectl } from "./kubectl.ts";
import { follow, look, type Scene } from "./scene.ts";
import { newScreen } from "./screen.ts";
import { allInSync, missing, topHeight } from "./view.ts";

const namespace = "demo";
const LOOK_EVERY_MS = 500;
const SYNC_TIMEOUT_MS = 5 * 60_000;

/** From nothing to blocks. Answers the exit code. */
export async function real(members: number): Promise<number> {
  const cluster = await demoCluster();
  const kubectl = newKubectl(cluster.kubectl, cluster.kubeconfig);
  await installOperator(cluster, kubectl, await cluster.provideOperatorImage());
  const name = await createCluster(kubectl, namespace, members);
  const lacking = await watchUntilRunning(kubectl, name);
  if (lacking.length > 0) {
    console.error(`\nAfter ${SYNC_TIMEOUT_MS / 60_000} minutes this is missing:`);
    for (const what of lacking) console.error(`  ${what}`);
    console.error("\nLook further with:");
    console.error(`  ${environmentOf(cluster)}`);
    console.error(`  kubectl --namespace ${namespace} describe evnodecluster ${name}`);
    console.error(`  kubectl --namespace ${operatorNamespace} logs deployment/evnode-operator`);
    return 1;
  }
  await showResult(cluster, kubectl, name);
  return 0;
}

async function demoCluster(): Promise<DemoCluster> {
  if (await hasKind()) return kindUp();
  say("Docker, kind, kubectl and helm are not all there: a cluster is built from Go modules instead");
  return { ...(await up()), hasReachableServices: true, provideOperatorImage };
}

function environmentOf({ kubeconfig, kubectl }: DemoCluster): string {
  const path = dirname(kubectl) === "." ? "" : ` PATH=${dirname(kubectl)}:$PATH`;
  return `export KUBECONFIG=${kubeconfig}${path}`;
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

async function showResult(cluster: DemoCluster, kubectl: Kubectl, name: string): Promise<void> {
  const here = ["--namespace", namespace];
  const jsonpath = async (what: string, path: string) =>
    (await kubectl.run(["get", ...what.split(" "), ...here, "--output", `jsonpath={${path}}`])).trim();
  const leader = await jsonpath(`evnodecluster ${name}`, ".status.leader");
  const addressOf = async (service: string) =>
    `${await jsonpath(`service ${service}`, ".spec.clusterIP")}:8080`;
  const [writes, reads] = cluster.hasReachableServices
    ? [await addressOf(`${name}-leader`), await addressOf(`${name}-rpc`)]
    : ["localhost:8080", "localhost:8080"];
  const forward = `kubectl --namespace ${namespace} port-forward service/${name}-leader 8080 &\n  `;
  console.log(`\n$ kubectl get evnodeclusters --namespace ${namespace}`);
  console.log(await kubectl.run(["get", "evnodeclusters", ...here]));
  console.log(`Try next:

  ${environmentOf(cluster)}
  kubectl --namespace ${namespace} describe evnodecluster ${name}

  # A transaction goes to the leader and can be read from every member.
  ${cluster.hasReachableServices ? "" : forward}curl --data hello=world http://${writes}/tx
  curl 'http://${reads}/kv?key=hello'

  # Take the leader away: another one goes on with the next block.
  kubectl --namespace ${namespace} delete pod ${leader} --wait=false
  kubectl --namespace ${namespace} get evnodeclusters --watch

  # The end.
  npm run demo -- --down`);
}

/** Removes what `real` made, in whichever way. Answers the exit code. */
export async function remove(): Promise<number> {
  if ((await hasKind()) && (await kindDown())) {
    console.log("the cluster that kind made is gone");
    return 0;
  }
  await down();
  console.log("the local cluster is gone; its programs stay cached for the next start");
  return 0;
}
