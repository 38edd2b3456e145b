import { expect, it } from "vitest";
import { kinds } from "../../src/model/kinds.ts";
import type { Pod } from "../../src/model/objects.ts";
import type { Environment } from "./environment.ts";
import { gatedPod, identityOf, strangeUid } from "./objects.ts";

type PodSpec = NonNullable<Pod["spec"]>;
type Container = PodSpec["containers"][number];

const image = "other.example.com/b:2";

/** A pod with a container that is started before its main one and stays, as the agent beside ev-node. */
function podWithSidecar(namespace: string, name: string): Pod {
  const pod = gatedPod(namespace, name);
  const sidecar = { name: "first", image: "registry.example.com/first:1", restartPolicy: "Always" };
  return { ...pod, spec: { containers: [], ...pod.spec, initContainers: [sidecar] } };
}

function withSpec(pod: Pod, change: (spec: PodSpec) => Partial<PodSpec>): Pod {
  const spec = pod.spec ?? { containers: [] };
  return { ...pod, spec: { ...spec, ...change(spec) } };
}

const withContainers = (pod: Pod, change: (container: Container) => Container): Pod =>
  withSpec(pod, ({ containers }) => ({ containers: containers.map(change) }));

export function podUpdateConformance(env: () => Environment): void {
  it("takes new images and annotations in one whole write", async () => {
    const { api, namespace } = env();
    const created = await api.create(kinds.pod, podWithSidecar(namespace, "in-place"));
    const annotations = { "example.com/token": "1" };
    const wanted = withSpec(
      withContainers({ ...created, metadata: { ...created.metadata, annotations } }, (one) => ({
        ...one,
        image,
      })),
      ({ initContainers = [] }) => ({ initContainers: initContainers.map((one) => ({ ...one, image })) }),
    );
    const updated = await api.replace(kinds.pod, wanted);
    expect(updated.metadata.annotations).toEqual(annotations);
    const { containers = [], initContainers = [] } = updated.spec ?? {};
    expect([...initContainers, ...containers].map((one) => one.image)).toEqual([image, image]);
    expect(identityOf(updated).uid).toBe(identityOf(created).uid);
  });

  it("takes no whole write on an old version, or for another pod of the name", async () => {
    const { api, namespace } = env();
    const created = await api.create(kinds.pod, gatedPod(namespace, "in-place-stale"));
    const wanted = withContainers(created, (one) => ({ ...one, image }));
    const { uid } = identityOf(created);
    const now = await api.patch(kinds.pod, created.metadata, { metadata: { labels: { a: "b" } } }, { uid });
    await expect(api.replace(kinds.pod, wanted)).rejects.toMatchObject({ kind: "Conflict" });
    const strange = { ...wanted, metadata: { ...now.metadata, uid: strangeUid } };
    await expect(api.replace(kinds.pod, strange)).rejects.toMatchObject({ kind: "Conflict" });
    expect(await api.get(kinds.pod, created.metadata)).toEqual(now);
  });

  it.each<[string, (pod: Pod) => Pod]>([
    ["command", (pod) => withContainers(pod, (one) => ({ ...one, command: ["other"] }))],
    ["environment", (pod) => withContainers(pod, (one) => ({ ...one, env: [{ name: "A", value: "b" }] }))],
    [
      "resources",
      (pod) => withContainers(pod, (one) => ({ ...one, resources: { requests: { cpu: "20m" } } })),
    ],
    [
      "containers",
      (pod) => withSpec(pod, ({ containers }) => ({ containers: [...containers, { name: "more", image }] })),
    ],
    ["period of grace", (pod) => withSpec(pod, () => ({ terminationGracePeriodSeconds: 7 }))],
    ["host name", (pod) => withSpec(pod, () => ({ hostname: "other" }))],
  ])("takes no other %s, and with it nothing else", async (what, change) => {
    const { api, namespace } = env();
    const name = `in-place-${what.replaceAll(" ", "-")}`;
    const created = await api.create(kinds.pod, gatedPod(namespace, name));
    const wanted = change(withContainers(created, (one) => ({ ...one, image })));
    await expect(api.replace(kinds.pod, wanted)).rejects.toMatchObject({ kind: "Invalid" });
    expect(await api.get(kinds.pod, created.metadata)).toEqual(created);
  });
}
