import { expect, it } from "vitest";
import { kinds } from "../../src/model/kinds.ts";
import type { ControllerRevision, StatefulSet } from "../../src/model/objects.ts";
import { type Environment, eventually } from "./environment.ts";
import { gatedSet, identityOf } from "./objects.ts";

const LABEL = "controller-revision-hash";

async function setNow({ api, namespace }: Environment, name: string): Promise<StatefulSet> {
  const set = await api.get(kinds.statefulSet, { namespace, name });
  if (set === undefined) throw new Error(`there is no StatefulSet ${name}`);
  return set;
}

/** The set once its controller has acted on what it is now, and said so. */
async function untilObserved(env: Environment, name: string, updated: number): Promise<StatefulSet> {
  await eventually(env, `${name} has ${updated} updated pods`, async () => {
    const { metadata, status } = await setNow(env, name);
    return status?.observedGeneration === metadata.generation && (status?.updatedReplicas ?? 0) === updated;
  });
  return setNow(env, name);
}

/** Gives the set another template, which differs in an annotation. */
async function edit(env: Environment, name: string, step: string): Promise<void> {
  const { api, namespace } = env;
  const { uid } = identityOf(await setNow(env, name));
  const template = { metadata: { annotations: { step } } };
  await api.patch(kinds.statefulSet, { namespace, name }, { spec: { template } }, { uid });
}

async function revisionsOf({ api, namespace }: Environment, name: string) {
  const { items } = await api.list(kinds.controllerRevision, { namespace, labelSelector: `set=${name}` });
  return items.toSorted((one, other) => one.revision - other.revision);
}

const namesOf = (revisions: readonly ControllerRevision[]) => revisions.map(({ metadata }) => metadata.name);

async function podLabels({ api, namespace }: Environment, name: string): Promise<unknown> {
  const { items } = await api.list(kinds.pod, { namespace, labelSelector: `set=${name}` });
  return items.map(({ metadata }) => metadata.labels?.[LABEL]);
}

/** The revisions of a set's template under `OnDelete`, by which a pod tells what it was made from. */
export function revisionConformance(env: () => Environment): void {
  it("keeps its template in a revision, by whose name its pods are labelled", async () => {
    const { api, namespace } = env();
    const set = await api.create(kinds.statefulSet, gatedSet(namespace, "revised", 1));
    const { status, spec } = await untilObserved(env(), "revised", 1);
    const name = status?.updateRevision ?? "";
    expect(status?.currentRevision).toBe(name);
    expect(await podLabels(env(), "revised")).toEqual([name]);
    const revision = await api.get(kinds.controllerRevision, { namespace, name });
    const { uid } = identityOf(set);
    const owner = { kind: "StatefulSet", name: "revised", uid, controller: true };
    expect(revision).toMatchObject({
      apiVersion: "apps/v1",
      kind: "ControllerRevision",
      metadata: { ownerReferences: [owner], labels: { set: "revised" } },
      revision: 1,
      data: { spec: { template: { ...spec?.template, $patch: "replace" } } },
    });
  });

  it("makes a revision for another template, and takes the old one again when that comes back", async () => {
    const { api, namespace } = env();
    await api.create(kinds.statefulSet, gatedSet(namespace, "to-and-fro", 1));
    const first = (await untilObserved(env(), "to-and-fro", 1)).status?.updateRevision ?? "";
    await edit(env(), "to-and-fro", "1");
    const second = (await untilObserved(env(), "to-and-fro", 0)).status?.updateRevision ?? "";
    expect(namesOf(await revisionsOf(env(), "to-and-fro"))).toEqual([first, second]);
    // Nobody deletes the pod, so it stays as it was made.
    expect(await podLabels(env(), "to-and-fro")).toEqual([first]);
    const { uid } = identityOf(await setNow(env(), "to-and-fro"));
    const back = { spec: { template: { metadata: { annotations: null } } } };
    await api.patch(kinds.statefulSet, { namespace, name: "to-and-fro" }, back, { uid });
    const third = await untilObserved(env(), "to-and-fro", 1);
    expect(third.status?.updateRevision).toBe(first);
    const revisions = await revisionsOf(env(), "to-and-fro");
    expect(namesOf(revisions)).toEqual([second, first]);
    expect(revisions.map(({ revision }) => revision)).toEqual([2, 3]);
  });

  it("counts a pod as updated that is labelled so, whoever labelled it", async () => {
    const { api, namespace } = env();
    await api.create(kinds.statefulSet, gatedSet(namespace, "relabelled", 2));
    await untilObserved(env(), "relabelled", 2);
    await edit(env(), "relabelled", "1");
    const { status } = await untilObserved(env(), "relabelled", 0);
    const pod = await api.get(kinds.pod, { namespace, name: "relabelled-0" });
    if (pod === undefined) throw new Error("the pod is gone");
    const patch = { metadata: { labels: { [LABEL]: status?.updateRevision } } };
    await api.patch(kinds.pod, pod.metadata, patch, identityOf(pod));
    await untilObserved(env(), "relabelled", 1);
    expect((await api.get(kinds.pod, pod.metadata))?.metadata.uid).toBe(pod.metadata.uid);
  });

  it("has revisions that nobody changes but for their number", async () => {
    const { api, namespace } = env();
    await api.create(kinds.statefulSet, gatedSet(namespace, "unchanged", 1));
    const { status } = await untilObserved(env(), "unchanged", 1);
    const ref = { namespace, name: status?.updateRevision ?? "" };
    const revision = await api.get(kinds.controllerRevision, ref);
    if (revision === undefined) throw new Error("the revision is gone");
    const { uid } = identityOf(revision);
    const other = { data: { spec: { template: { metadata: { labels: { a: "b" } } } } } };
    await expect(api.patch(kinds.controllerRevision, ref, other, { uid })).rejects.toMatchObject({
      kind: "Invalid",
    });
    const renumbered = await api.patch(kinds.controllerRevision, ref, { revision: 7 }, { uid });
    expect(renumbered).toMatchObject({ revision: 7, data: revision.data });
  });
}
