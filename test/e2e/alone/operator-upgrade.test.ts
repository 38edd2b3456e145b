import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, describe, expect, it } from "vitest";
import type { KubeObject } from "../../../src/model/kube-object.ts";
import { EVNODE_CONTAINER } from "../../../src/model/member.ts";
import { later } from "../../later-version.ts";
import { type Cluster, processesOf } from "../harness/cluster.ts";
import { environment } from "../harness/environment.ts";
import { useWorld } from "../harness/world.ts";
import { makeLater, provideLaterImage } from "./later-version.ts";
import { isLookedAfter, operatorDeployment } from "./operator.ts";
import { useInstalled, withChartCopy } from "./release.ts";

/** Alone: the operator becomes another version, which is made here. */

const world = useWorld("upgrade");
const installed = useInstalled(world);
const TIME_MS = 8_000;

/** Small ones: a machine with few cores has ten of them to start. */
function smallCluster(name: string, members: 1 | 3): Cluster {
  const chain = { id: `${world().namespace}-${name}`, blockTime: "1s" };
  return world().cluster(name, { members, spec: { chain } });
}

const newClusters = () =>
  Array.from({ length: 10 }, (_, index) => smallCluster(`seq${index}`, index < 2 ? 3 : 1));

/** One that the later version makes. */
const youngest = () => smallCluster("young", 1);

/** What an upgrade may not change of a cluster: its StatefulSet, pods with all that they were given, and claims. */
async function footing(cluster: Cluster): Promise<object> {
  const { metadata, spec, status } = await cluster.statefulSet();
  const pods = await cluster.pods();
  const claims = await cluster.api.list<KubeObject>(cluster.path("claims"));
  const ours = claims.filter(({ metadata: { name } }) => name.startsWith(`data-${cluster.name}-`));
  return {
    set: [metadata.uid, metadata.generation, spec, status?.updateRevision],
    processes: processesOf(pods),
    pods: pods.map(({ metadata: { name, annotations }, spec: of }) => [name, annotations, of]),
    configs: (await cluster.secret(`${cluster.name}-config`)).data,
    claims: ours.map(({ metadata: { name, uid } }) => [name, uid]),
  };
}

const footings = async (clusters: readonly Cluster[]) =>
  Object.fromEntries(await Promise.all(clusters.map(async (one) => [one.name, await footing(one)] as const)));

/** Every cluster is looked at by the operator that runs now, which has time for what it would like to change. */
async function expectUntouched(clusters: readonly Cluster[], before: object): Promise<void> {
  await Promise.all(clusters.map(isLookedAfter));
  await sleep(TIME_MS);
  expect(await footings(clusters)).toEqual(before);
}

const imageNow = async () =>
  (await operatorDeployment(world())).spec.template.spec?.containers[0]?.image ?? "";

/** Only on the local cluster: an image is made, and loaded into its node. */
describe.skipIf(environment().machine === undefined)(
  "ten clusters whose operator becomes another version",
  () => {
    let clusters: readonly Cluster[];
    let before: object;
    let revision: number;

    beforeAll(async () => {
      clusters = newClusters();
      await world().kubectl.apply(...clusters.map(({ manifest }) => manifest));
      await Promise.all(clusters.map((cluster) => cluster.isRunning()));
      before = await footings(clusters);
      revision = await installed().operator.revision();
    });

    it("are left as they are by a later one with other defaults, another rendering and a new field", async () => {
      const tag = await provideLaterImage();
      const { operator, values } = installed();
      await withChartCopy(async (folder) => {
        await makeLater(folder);
        await operator.upgrade({ ...values, image: { ...(values["image"] as object), tag } }, folder);
      });
      expect(await imageNow()).toContain(tag);
      await expectUntouched(clusters, before);
    });

    it("do not keep it from giving a new cluster what is new", async () => {
      const young = youngest();
      await young.apply();
      await young.isRunning();
      const { template } = (await young.statefulSet()).spec ?? {};
      expect(template?.spec?.terminationGracePeriodSeconds).toBe(later.gracePeriod);
      const evnode = template?.spec?.containers.find(({ name }) => name === EVNODE_CONTAINER);
      expect(evnode?.env).toContainEqual({ name: "GOGC", value: String(later.gcPercent) });
      const [config = ""] = Object.values((await young.secret(`${young.name}-config`)).data ?? {});
      expect(Buffer.from(config, "base64").toString("utf8")).toMatch(
        new RegExp(`level: "?${later.logLevel}`),
      );
      expect((await young.get()).status?.effective?.defaultsVersion).toBe(2);
    });

    it("are left as they are by the earlier one, too, and so is the new cluster, which it does not understand", async () => {
      const young = youngest();
      const all = { ...before, ...(await footings([young])) };
      await installed().operator.rollBack(revision);
      await young.becomes("ConfigValid", "IntentUnreadable", [/version 2/]);
      await expectUntouched(clusters, before);
      expect(await footings([...clusters, young])).toEqual(all);
    });
  },
);
