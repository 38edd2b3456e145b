import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { KubeObject } from "../../../src/model/kube-object.ts";
import { type Cluster, processesOf } from "../harness/cluster.ts";
import { Observer } from "../harness/observer.ts";
import { operatorName, operatorNamespace } from "../harness/operator-names.ts";
import { useWorld } from "../harness/world.ts";
import { deploymentPath, isLookedAfter, operatorDeployment } from "./operator.ts";
import { editFile, hold, releaseOf, useInstalled, withChartCopy, withEmptyChart } from "./release.ts";

/** Alone: the chart is changed, rolled back, taken away and installed again. */

const world = useWorld("chart");
const installed = useInstalled(world);

let cluster: Cluster;
let observer: Observer;
beforeAll(() => {
  cluster = world().cluster("seq");
  observer = new Observer(cluster);
});
afterAll(() => observer.stop());

/** One look: what holds as soon as Helm has ended, and is not waited for. */
async function conditions(): Promise<Readonly<Record<string, string>>> {
  const { metadata, status } = await cluster.get();
  const now = status?.conditions?.filter(
    ({ observedGeneration }) => observedGeneration === metadata.generation,
  );
  return Object.fromEntries((now ?? []).map(({ type, reason }) => [type, reason]));
}

describe("a Helm release that holds a cluster", () => {
  it("is installed, with --wait, when the cluster is Ready, and upgraded when the rollout is over", async () => {
    const { namespace } = world();
    await withEmptyChart(async (folder) => {
      const release = releaseOf(world(), "chain", namespace, folder);
      await hold(folder, cluster.manifest);
      await release.install();
      expect(await conditions()).toMatchObject({ Ready: "AllMembersReady", Reconciling: "Converged" });

      const spec = { ...cluster.manifest.spec, log: { level: "debug" } };
      await hold(folder, { ...cluster.manifest, spec } as KubeObject);
      await release.upgrade();
      expect(await conditions()).toMatchObject({ Ready: "AllMembersReady", RolloutComplete: "UpToDate" });
      const { status } = await cluster.get();
      expect(status?.lastRollout).toMatchObject({ result: "Completed", changes: ["log.level"] });
    });
  });
});

const definitionPath = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/evnodeclusters.evnode.dev";

interface Definition extends KubeObject {
  readonly spec: {
    readonly versions: readonly [
      { readonly schema: { readonly openAPIV3Schema: { readonly properties: { readonly spec: Schema } } } },
    ];
  };
}

interface Schema {
  readonly properties: Readonly<Record<string, unknown>>;
}

/** A field that the cluster of this file does not use. */
const NEW_FIELD = "pprof";

async function hasNewField(): Promise<boolean> {
  const { spec } = await world().api.get<Definition>(definitionPath);
  return NEW_FIELD in spec.versions[0].schema.openAPIV3Schema.properties.spec.properties;
}

const inOperatorNamespace = (group: string, plural: string, name: string) =>
  `${group}/namespaces/${operatorNamespace}/${plural}/${name}`;
const policies = [
  inOperatorNamespace("/apis/networking.k8s.io/v1", "networkpolicies", operatorName),
  inOperatorNamespace("/apis/policy/v1", "poddisruptionbudgets", operatorName),
  inOperatorNamespace("/api/v1", "configmaps", `${operatorName}-dashboard`),
];
const removed = inOperatorNamespace("/api/v1", "configmaps", "of-an-older-chart");

/** What is off as the suite installs the operator, and can be on without anything of others. */
const everythingOn = {
  replicas: 2,
  networkPolicy: { enabled: true },
  metrics: { dashboard: { enabled: true } },
  podAnnotations: { "example.org/team": "chain" },
  log: { level: "debug" },
};

async function present(paths: readonly string[]): Promise<readonly boolean[]> {
  return Promise.all(paths.map(async (path) => (await world().api.find(path)) !== undefined));
}

/** A chart as an earlier version might have been: a field less in the definition, and an object more. */
async function makeEarlier(folder: string): Promise<void> {
  await editFile(join(folder, "Chart.yaml"), /^version: .*$/m, "version: 0.0.9");
  // Its lines, up to the next of no deeper level.
  const field = new RegExp(`^ {16}${NEW_FIELD}:\\n(?: {17,}.*\\n)+`, "m");
  await editFile(join(folder, "templates/crd.yaml"), field, "");
  const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "of-an-older-chart" }, data: {} };
  await writeFile(join(folder, "templates/of-an-older-chart.yaml"), JSON.stringify(object));
}

/** What no installation, upgrade or removal of the operator may change. */
async function footing(): Promise<object> {
  const { api } = world();
  const { metadata, spec } = await cluster.statefulSet();
  const claims = await api.list<KubeObject>(cluster.path("claims"));
  return {
    processes: processesOf(await cluster.pods()),
    set: [metadata.uid, metadata.generation, spec?.template],
    claims: claims.map(({ metadata: { name, uid } }) => [name, uid]),
    cluster: (await cluster.get()).metadata.uid,
    definition: (await api.get(definitionPath)).metadata.uid,
  };
}

/** `--wait` has ended, so everything is as it should be: looked at once. */
async function expectReady(replicas: number): Promise<void> {
  const { spec, status } = await operatorDeployment(world());
  expect(spec.replicas).toBe(replicas);
  expect(status).toMatchObject({ replicas, updatedReplicas: replicas, readyReplicas: replicas });
}

describe("the operator's own release", () => {
  let found: object;
  let revision: number;

  beforeAll(async () => {
    found = await footing();
  });

  it("is upgraded from an earlier chart, with its definition, its policies and two replicas", async () => {
    const { operator, values } = installed();
    await withChartCopy(async (folder) => {
      await makeEarlier(folder);
      await operator.upgrade(values, folder);
    });
    expect(await hasNewField()).toBe(false);
    expect(await present([...policies, removed])).toEqual([false, false, false, true]);
    revision = await operator.revision();

    await operator.upgrade({ ...values, ...everythingOn });
    await expectReady(2);
    expect(await hasNewField()).toBe(true);
    expect(await present([...policies, removed])).toEqual([true, true, true, false]);
    await isLookedAfter(cluster);
    expect(await footing()).toEqual(found);
  });

  it("is rolled back to it, and the definition with it", async () => {
    await installed().operator.rollBack(revision);
    await expectReady(1);
    expect(await hasNewField()).toBe(false);
    expect(await present([...policies, removed])).toEqual([false, false, false, true]);
    await isLookedAfter(cluster);
    expect(await footing()).toEqual(found);
  });

  it("leaves members, volumes and the definition when it is uninstalled", async () => {
    await installed().operator.uninstall();
    expect(await present([deploymentPath, removed])).toEqual([false, false]);
    await observer.goesOn();
    expect(await footing()).toEqual(found);
  });

  it("adopts what it finds when it is installed again, and restarts nothing", async () => {
    const { operator, values } = installed();
    await operator.install(values);
    await expectReady(1);
    expect(await hasNewField()).toBe(true);
    await isLookedAfter(cluster);
    await observer.goesOn();
    expect(await footing()).toEqual(found);
  });

  it("was no matter for the chain", async () => {
    await observer.hasReadAll();
    expect(observer.record.problems()).toEqual([]);
    expect(observer.record.withdrawn()).toEqual([]);
  });
});
