import type { Pod } from "../../../src/model/objects.ts";
import type { Cluster } from "./cluster.ts";
import { ask, passedOn } from "./reach.ts";
import { until } from "./until.ts";

const KV_PORT = 8080;

/** A member that loses its lead forgets what waits for a block, so a client posts again what does not arrive. */
const POSTS = 4;
const ARRIVES_MS = 20_000;

/** Posts `key=value` to the leader Service, as a client does, until every member has it in its store. */
export async function writeAndRead(cluster: Cluster, key: string, value: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    await post(cluster, `${key}=${value}`);
    const arrival = arrived(cluster, key, value);
    if (attempt === POSTS) return arrival;
    const hasArrived = await arrival.then(
      () => true,
      () => false,
    );
    if (hasArrived) return;
  }
}

async function arrived(cluster: Cluster, key: string, value: string): Promise<void> {
  await until(
    `${key} in the store of every member`,
    async () => {
      const values = await readFromAll(cluster, key);
      const found = values.filter((one) => one === value).length;
      return found === cluster.members
        ? { found: true }
        : { missing: `${found} of ${cluster.members} have it` };
    },
    { withinMs: ARRIVES_MS },
  );
}

/** What every member has under a key. */
export async function readFromAll(cluster: Cluster, key: string): Promise<readonly (string | undefined)[]> {
  return Promise.all((await cluster.pods()).map((pod) => valueAt(cluster, pod, key)));
}

/** Tries again while the Service has nobody behind it; a transaction is accepted once. */
async function post(cluster: Cluster, transaction: string): Promise<void> {
  await until(
    `acceptance of ${transaction}`,
    async () => {
      const answer = await postOnce(cluster, transaction);
      return answer?.status === 202
        ? { found: true }
        : { missing: `answered was ${answer?.status ?? "nothing"}` };
    },
    { withinMs: 30_000 },
  );
}

async function postOnce(cluster: Cluster, body: string) {
  const { world, namespace, name, api } = cluster;
  const question = { method: "POST", body } as const;
  if (!world.environment.machine) {
    return passedOn(api, `/api/v1/namespaces/${namespace}/services/${name}-leader:kv/proxy/tx`, question);
  }
  const service = await cluster.service("-leader");
  return ask(`http://${service.spec?.clusterIP}:${KV_PORT}/tx`, question);
}

async function valueAt({ world }: Cluster, pod: Pod, key: string): Promise<string | undefined> {
  const answer = await world.reach(pod, KV_PORT, { path: `/kv?key=${key}` });
  return answer?.status === 200 ? answer.text : undefined;
}
