import { afterAll, describe, expect, it } from "vitest";
import type { KubeObject } from "../../../src/model/kube-object.ts";
import type { PersistentVolumeClaim } from "../../../src/model/objects.ts";
import { type Cluster, isReady } from "../harness/cluster.ts";
import { environment } from "../harness/environment.ts";
import { Observer } from "../harness/observer.ts";
import { operatorName } from "../harness/operator-names.ts";
import { edit, isRolledOut } from "../harness/owner.ts";
import { useWorld } from "../harness/world.ts";
import { type AuditedRequest, AuditTape, describeRequest } from "./audit.ts";
import { isLookedAfter, withoutOperator } from "./operator.ts";
import { releaseOf, useInstalled } from "./release.ts";

/** Alone: the installed operator, which looks after all namespaces, is away meanwhile. */

const world = useWorld("namespaced");
const installed = useInstalled(world);
let observer: Observer | undefined;
afterAll(() => observer?.stop());

/** What everybody may ask who has a token: it is about no object. */
const aboutNobody = ["/version"];

const isInNamespace = ({ objectRef, requestURI }: AuditedRequest) =>
  objectRef ? objectRef.namespace === world().namespace : aboutNobody.includes(requestURI);

/** As the local cluster's claims name it, so that the operator has a class by name that it could ask about. */
async function className(): Promise<string> {
  const classes = await world().api.list<KubeObject>("/apis/storage.k8s.io/v1/storageclasses");
  const isDefault = "storageclass.kubernetes.io/is-default-class";
  const found = classes.find(({ metadata }) => metadata.annotations?.[isDefault] === "true");
  if (!found) throw new Error("there is no default StorageClass");
  return found.metadata.name;
}

/** All that an operator does for a cluster from its first to its last day. */
async function live(cluster: Cluster): Promise<void> {
  observer = new Observer(cluster);
  await cluster.apply();
  await cluster.isRunning();
  await edit(cluster, { image: environment().images.otherNode });
  await isRolledOut(cluster);
  await isLookedAfter(cluster);
  await observer.goesOn();
  await observer.hasReadAll();
  expect(observer.record.problems()).toEqual([]);
  expect((await cluster.pods()).filter(isReady)).toHaveLength(cluster.members);
  const claims = await cluster.api.list<PersistentVolumeClaim>(cluster.path("claims"));
  expect(claims).toHaveLength(cluster.members);
  await cluster.delete();
}

describe("an operator for one namespace", () => {
  it("runs a cluster there, and asks for nothing that is anywhere else", async () => {
    const { namespace } = world();
    const { image } = installed().values;
    const operator = releaseOf(world(), operatorName, namespace);
    const { machine } = environment();
    const tape = machine && (await AuditTape.start(machine.auditLog));
    let requests: readonly AuditedRequest[] = [];
    await withoutOperator(world(), async () => {
      await operator.install({ image, replicas: 1, watchNamespace: namespace, crds: { install: false } });
      try {
        const storage = { size: "1Gi", storageClassName: await className() };
        await live(world().cluster("seq", { spec: { storage } }));
        // Its roles go with it, and before it: what it asks then is refused.
        const user = `system:serviceaccount:${namespace}:${operatorName}`;
        requests = (await tape?.requestsOf(user)) ?? [];
      } finally {
        await operator.uninstall();
      }
    });
    if (!tape) return;
    expect(requests.length).toBeGreaterThan(50);
    expect(requests.filter((request) => !isInNamespace(request)).map(describeRequest)).toEqual([]);
    const refused = requests.filter(({ responseStatus }) => responseStatus?.code === 403);
    expect(refused.map(describeRequest)).toEqual([]);
  });
});
