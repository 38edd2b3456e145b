import { describe, expect, it } from "vitest";
import { kinds } from "../../src/model/kinds.ts";
import type { OwnerReference } from "../../src/model/kube-object.ts";
import type { Pod, PodDisruptionBudget } from "../../src/model/objects.ts";
import { budget, gatedPod, gatedSet, identityOf, strangeUid } from "../conformance/objects.ts";
import { updateBudgets } from "./disruption-controller.ts";
import { evict } from "./eviction.ts";
import { tendStatefulSets } from "./node/stateful-sets.ts";
import type { Registry } from "./registry.ts";
import { namespace, newWorld } from "./world.ts";

const name = "seq";

function setReady(registry: Registry, { metadata }: Pod, status: "True" | "False" = "True"): void {
  const pod = registry.require(kinds.pod, metadata);
  const conditions = [{ type: "Ready", status }];
  registry.replaceStatus(kinds.pod, { ...pod, status: { ...pod.status, phase: "Running", conditions } });
}

/** A set of three pods under a budget, all ready but for some. */
function guarded(spec: PodDisruptionBudget["spec"] = {}, unready = 0) {
  const world = newWorld();
  const { registry } = world;
  const { maxUnavailable: _, ...shared } = budget(namespace, name).spec ?? {};
  registry.create(kinds.disruptionBudget, { ...budget(namespace, name), spec: { ...shared, ...spec } });
  registry.create(kinds.statefulSet, gatedSet(namespace, name, 3));
  tendStatefulSets(registry);
  const pods = () => registry.store.all(kinds.pod);
  pods().forEach((pod, at) => setReady(registry, pod, at < unready ? "False" : "True"));
  const status = () => {
    updateBudgets(registry);
    return registry.require(kinds.disruptionBudget, { namespace, name }).status;
  };
  const evictPod = (pod: Pod | undefined, uid = pod?.metadata.uid ?? "") =>
    evict(registry, { namespace, name: pod?.metadata.name ?? "" }, { preconditions: { uid } });
  return { ...world, pods, status, evictPod };
}

describe("a budget over a set of three", () => {
  it.each<[string, PodDisruptionBudget["spec"], number, readonly [number, number, number]]>([
    ["of one that may be away", { maxUnavailable: 1 }, 0, [1, 2, 3]],
    ["of one that may be away, and one is", { maxUnavailable: 1 }, 1, [0, 2, 2]],
    ["of more than there are", { maxUnavailable: 5 }, 0, [3, 0, 3]],
    ["of a third, rounded up", { maxUnavailable: "30%" }, 0, [1, 2, 3]],
    ["of two that have to stay", { minAvailable: 2 }, 0, [1, 2, 3]],
    ["of half that has to stay, rounded up", { minAvailable: "50%" }, 1, [0, 2, 2]],
  ])("%s", (_, spec, unready, [disruptionsAllowed, desiredHealthy, currentHealthy]) => {
    expect(guarded(spec, unready).status()).toEqual({
      disruptionsAllowed,
      desiredHealthy,
      currentHealthy,
      expectedPods: 3,
      observedGeneration: 1,
      conditions: [
        {
          type: "DisruptionAllowed",
          status: disruptionsAllowed > 0 ? "True" : "False",
          reason: disruptionsAllowed > 0 ? "SufficientPods" : "InsufficientPods",
          message: "",
          observedGeneration: 1,
          lastTransitionTime: "2030-01-01T00:00:00Z",
        },
      ],
    });
  });

  it("is written only when it counts something else", () => {
    const { status, store } = guarded({ maxUnavailable: 1 });
    const first = status();
    const { version } = store;
    expect([status(), store.version]).toEqual([first, version]);
  });
});

describe("a budget whose pods", () => {
  const of = (ownerReferences: readonly OwnerReference[], spec: PodDisruptionBudget["spec"]) => {
    const { registry } = newWorld();
    const pod = gatedPod(namespace, "alone", { set: name });
    const metadata = { ...pod.metadata, ownerReferences };
    setReady(registry, registry.create(kinds.pod, { ...pod, metadata }));
    registry.create(kinds.disruptionBudget, {
      ...budget(namespace, name),
      spec: { ...budget(namespace, name).spec, ...spec },
    });
    updateBudgets(registry);
    return registry.require(kinds.disruptionBudget, { namespace, name }).status;
  };
  const lost = [
    { apiVersion: "apps/v1", kind: "StatefulSet", name: "lost", uid: strangeUid, controller: true },
  ];

  it("nobody controls allows nothing, as it does not know how many there should be", () => {
    expect(of([], {})).toMatchObject({ disruptionsAllowed: 0, expectedPods: 0, currentHealthy: 1 });
  });

  it("are controlled by what is not there says that it could not count", () => {
    expect(of(lost, {})).toMatchObject({
      disruptionsAllowed: 0,
      conditions: [
        { status: "False", reason: "SyncFailed", message: 'found no controllers for pod "alone"' },
      ],
    });
  });
});

describe("an eviction", () => {
  it("is refused by a budget that nobody has counted yet, for ten seconds", () => {
    const { pods, evictPod } = guarded({ maxUnavailable: 1 });
    expect(() => evictPod(pods()[0])).toThrow(
      expect.objectContaining({ code: 429, details: expect.objectContaining({ retryAfterSeconds: 10 }) }),
    );
  });

  it("that failed for its uid counts its pod as away for two minutes", async () => {
    const { clock, status, pods, evictPod } = guarded({ maxUnavailable: 1 });
    expect(status()?.disruptionsAllowed).toBe(1);
    expect(() => evictPod(pods()[0], strangeUid)).toThrow(expect.objectContaining({ code: 409 }));
    expect(status()).toMatchObject({ disruptionsAllowed: 0, currentHealthy: 2 });
    await clock.advance(120_000);
    expect(status()).toMatchObject({ disruptionsAllowed: 0, currentHealthy: 2 });
    await clock.advance(1_000);
    expect(status()).toMatchObject({ disruptionsAllowed: 1, currentHealthy: 3 });
    expect(status()).not.toHaveProperty("disruptedPods");
  });

  it("of several at once is granted as often as the budget says, before anybody counts again", () => {
    const { status, pods, evictPod } = guarded({ maxUnavailable: 2 });
    status();
    const results = pods().map((pod) => {
      try {
        evictPod(pod);
        return "granted";
      } catch (error) {
        return (error as Error).message;
      }
    });
    const refused = "Cannot evict pod as it would violate the pod's disruption budget.";
    expect(results).toEqual(["granted", "granted", refused]);
  });

  it("of pods that are not ready is refused by a budget that wants no pod at all, as it has nothing to give", () => {
    const { status, pods, evictPod } = guarded({ maxUnavailable: 5 }, 3);
    expect(status()).toMatchObject({ disruptionsAllowed: 0, desiredHealthy: 0, currentHealthy: 0 });
    expect(() => evictPod(pods()[0])).toThrow(expect.objectContaining({ code: 429 }));
  });

  it("takes any pod that is not ready where the policy always allows it", () => {
    const { status, pods, evictPod } = guarded(
      { maxUnavailable: 1, unhealthyPodEvictionPolicy: "AlwaysAllow" },
      3,
    );
    expect(status()).toMatchObject({ disruptionsAllowed: 0, currentHealthy: 0 });
    for (const pod of pods()) evictPod(pod);
    expect(pods()).toEqual([]);
  });

  it("of a pod that has ended asks no budget", () => {
    const { registry, status, pods, evictPod } = guarded({ maxUnavailable: 0 });
    status();
    const [pod] = pods();
    if (pod === undefined) throw new Error("there are three");
    registry.replaceStatus(kinds.pod, { ...pod, status: { ...pod.status, phase: "Failed" } });
    evictPod(pod);
    expect(identityOf(pod).uid).not.toBe(pods()[0]?.metadata.uid);
  });
});
