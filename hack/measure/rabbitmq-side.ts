import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Kind } from "../../src/model/kinds.ts";
import type { KubeObject } from "../../src/model/kube-object.ts";
import { buildBinary, rabbitmqSource } from "../local-cluster/go-build.ts";
import { writeKubeconfigOf } from "./account-kubeconfig.ts";
import { FEW, inLanes } from "./lanes.ts";
import { newOperatorProcess, type OperatorProcess } from "./operator-process.ts";
import { allStatefulSets, type Place, type Side } from "./scale-phases.ts";
import type { Session } from "./session.ts";

interface RabbitmqCluster extends KubeObject {
  readonly spec: Readonly<Record<string, unknown>>;
}

const rabbitmqClusters: Kind<RabbitmqCluster> = {
  apiVersion: "rabbitmq.com/v1beta1",
  kind: "RabbitmqCluster",
  plural: "rabbitmqclusters",
  namespaced: true,
};

const NAME = "rabbitmq-operator";
/** A week and a second: one more than it gives by itself. */
const GRACE_SECONDS = 604_801;

/** The folder of its resource's definition. */
export async function rabbitmqResource(): Promise<string> {
  return join(await rabbitmqSource(), "config/crd/bases");
}

/**
 * RabbitMQ's operator, with clusters of three whose pods nothing runs. Its webhook needs a certificate, and its look
 * for deprecated features needs running members: both are off.
 */
export async function rabbitmqSide(place: Place, namespace: string): Promise<Side> {
  const { session, clusters, namespaceOf } = place;
  const operator = await provideOperator(session, namespace);
  const numbers = Array.from({ length: clusters }, (_, number) => number);
  const check = async () => operator.check();
  return {
    name: "RabbitMQ's operator",
    operator,
    secretSuffix: "-default-user",
    check,
    async create() {
      await inLanes(FEW, numbers, async (number) => {
        const metadata = { namespace: namespaceOf(number), name: `chain-${number}` };
        const spec = { replicas: 3, image: "rabbitmq:4.2.6-management" };
        const { apiVersion, kind } = rabbitmqClusters;
        await session.api.create(rabbitmqClusters, { apiVersion, kind, metadata, spec });
      });
    },
    settle: async () => allStatefulSets(place, check),
    kind: rabbitmqClusters,
    change: { spec: { terminationGracePeriodSeconds: GRACE_SECONDS } },
    isChanged: ({ spec }) => spec?.template.spec?.terminationGracePeriodSeconds === GRACE_SECONDS,
  };
}

async function provideOperator(session: Session, namespace: string): Promise<OperatorProcess> {
  const { kubectl } = session;
  const folder = await mkdtemp(join(tmpdir(), "measure-rabbitmq-"));
  session.atEnd(`folder ${folder}`, async () => rm(folder, { recursive: true, force: true }));
  await kubectl.run(["create", "serviceaccount", NAME, "--namespace", namespace]);
  // Its rights are not what is measured, and the API server is thrown away.
  const account = `--serviceaccount=${namespace}:${NAME}`;
  await kubectl.run(["create", "clusterrolebinding", NAME, "--clusterrole=cluster-admin", account]);
  const kubeconfig = join(folder, "kubeconfig");
  await writeKubeconfigOf({ namespace, name: NAME }, session, kubeconfig);
  return newOperatorProcess(session, {
    user: `system:serviceaccount:${namespace}:${NAME}`,
    program: await buildBinary("rabbitmq-operator"),
    args: ({ health, metrics }) => [
      `--health-probe-bind-address=127.0.0.1:${health}`,
      `--metrics-bind-address=127.0.0.1:${metrics}`,
    ],
    logFile: join(folder, "operator.log"),
    env: {
      KUBECONFIG: kubeconfig,
      OPERATOR_NAMESPACE: namespace,
      ENABLE_WEBHOOKS: "false",
      DISABLE_DEPRECATED_FEATURES_CHECK: "true",
    },
  });
}
