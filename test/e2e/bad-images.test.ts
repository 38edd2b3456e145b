import { beforeAll, describe, expect, it } from "vitest";
import { labels, REHEARSAL_NAME } from "../../src/model/annotations.ts";
import type { Pod } from "../../src/model/objects.ts";
import { processesOf } from "./harness/cluster.ts";
import { environment } from "./harness/environment.ts";
import { provideForeignImage } from "./harness/foreign-image.ts";
import { useObserved } from "./harness/observed.ts";
import { edit, isRolledOut } from "./harness/owner.ts";
import { RolloutWatch } from "./harness/rollout-watch.ts";
import { holds, until } from "./harness/until.ts";
import { useWorld } from "./harness/world.ts";

const world = useWorld("bad-images");
const observed = useObserved(() => world().cluster("seq"));
const ABSENT = "evnode.dev/absent:1";
const FOREIGN = "evnode.dev/foreign:1";
const COMPLETE_MS = 300_000;

interface BadImage {
  readonly what: string;
  readonly spec: { readonly image?: string; readonly imagePullPolicy?: "Always" };
  readonly back: { readonly image?: string; readonly imagePullPolicy?: null };
  readonly says: RegExp;
}

const node = () => environment().images.node;

const badImages = (): readonly BadImage[] => [
  {
    what: "does not exist",
    spec: { image: ABSENT },
    back: { image: node() },
    says: /image evnode\.dev\/absent:1 on node .*: (ErrImagePull|ImagePullBackOff): .*absent:1/,
  },
  {
    what: "cannot be pulled again",
    spec: { imagePullPolicy: "Always" },
    back: { imagePullPolicy: null },
    says: /: (ErrImagePull|ImagePullBackOff): /,
  },
  // Only on the local cluster: elsewhere such an image would have to be in a registry.
  ...(environment().machine
    ? [
        {
          what: "is for another machine",
          spec: { image: FOREIGN },
          back: { image: node() },
          says: /image evnode\.dev\/foreign:1 on node .*exec format error/,
        },
      ]
    : []),
];

async function rehearsals(): Promise<readonly string[]> {
  const { cluster } = observed();
  const selector = encodeURIComponent(`${labels.name}=${REHEARSAL_NAME}`);
  const pods = await cluster.api.list<Pod>(`${cluster.path("pods")}?labelSelector=${selector}`);
  return pods.map(({ metadata }) => metadata.name);
}

describe("an image that is tried before any member is touched", () => {
  beforeAll(async () => {
    if (environment().machine) await provideForeignImage();
  });

  it.each(badImages())("and $what is refused with the runtime's own words", async ({ spec, back, says }) => {
    const { cluster, observer } = observed();
    const before = processesOf(await cluster.pods());
    const { image } = (await cluster.statefulSet()).spec?.template.spec?.containers[0] ?? {};
    await edit(cluster, spec);
    await cluster.becomes("RolloutComplete", "RehearsalFailed", [/^No member was touched: /, says], 90_000);
    expect(await cluster.condition("Stalled")).toMatchObject({ status: "True", reason: "RehearsalFailed" });
    expect(await cluster.condition("Ready")).toMatchObject({ status: "True" });
    await observer.goesOn();
    const { containers = [] } = (await cluster.statefulSet()).spec?.template.spec ?? {};
    expect(containers[0]?.image).toBe(image);

    await edit(cluster, back);
    await isRolledOut(cluster);
    expect(processesOf(await cluster.pods())).toEqual(before);
    await until(
      "end of the trials",
      async () => {
        const left = await rehearsals();
        return left.length === 0 ? { found: true } : { missing: left.join(", ") };
      },
      { withinMs: 60_000 },
    );
  });
});

describe("an image that does not exist and was not tried", () => {
  it("breaks one follower, which goes back to what it ran (Revert)", async () => {
    const { cluster, observer } = observed();
    const leader = (await cluster.leaderPod()).metadata.name;
    const rollout = { rehearsal: { enabled: false }, progressDeadlineSeconds: 20 };
    await edit(cluster, { rollout });
    const watch = await RolloutWatch.during(cluster, async (seen) => {
      await edit(cluster, { image: ABSENT });
      const says = [/taken back: seq-\d does not run with image evnode\.dev\/absent:1: ErrImagePull: /];
      await cluster.becomes("RolloutComplete", "RolloutReverted", says, COMPLETE_MS);
      await observer.goesOn();
      await cluster.isRunning();
      const broken = seen.givenTo(ABSENT).join();
      await holds(
        "a change that was taken back",
        async () => (seen.order.join() === broken ? undefined : `restarted were ${seen.order.join(", ")}`),
        { forMs: 10_000 },
      );
    });
    const [broken = "", ...more] = watch.givenTo(ABSENT);
    expect([broken !== leader, more, watch.leaders]).toEqual([true, [], [leader]]);
    expect((await cluster.condition("RolloutComplete"))?.message).toContain(broken);
    const { status } = await cluster.get();
    expect(status?.lastRollout).toMatchObject({ result: "Reverted", changes: ["image"] });
    expect(status?.updatePending).toEqual(["image"]);
    await cluster.tells("RolloutReverted", /taken back: .*absent:1/);
  });

  it("is over when the spec is set back, and nobody is restarted for that", async () => {
    const { cluster } = observed();
    const before = processesOf(await cluster.pods());
    await edit(cluster, { image: node() });
    await isRolledOut(cluster);
    expect(processesOf(await cluster.pods())).toEqual(before);
  });

  it("stays where it is (Hold), and a corrected spec heals the broken member first", async () => {
    const { cluster, observer } = observed();
    const { otherNode } = environment().images;
    const leader = (await cluster.leaderPod()).metadata.name;
    const rollout = { rehearsal: { enabled: false }, progressDeadlineSeconds: 20, onStall: "Hold" as const };
    await edit(cluster, { rollout });
    let broken: readonly string[] = [];
    const watch = await RolloutWatch.during(cluster, async (seen) => {
      // It was taken back before, and is tried again because the spec was set back in between.
      await edit(cluster, { image: ABSENT });
      const says = [/seq-\d does not run with image evnode\.dev\/absent:1: ErrImagePull: /];
      await cluster.becomes("RolloutComplete", "RolloutStalled", says, COMPLETE_MS);
      await observer.goesOn();
      broken = seen.givenTo(ABSENT);
      expect([broken.length, broken.includes(leader), seen.order, seen.leaders]).toEqual([
        1,
        false,
        [],
        [leader],
      ]);
      await edit(cluster, { image: otherNode });
      await isRolledOut(cluster);
    });
    expect(watch.order.slice(0, 1)).toEqual(broken);
    expect(watch.order.at(-1)).toBe(leader);
    expect(watch.order.toSorted()).toEqual(cluster.memberNames);
    expect(watch.givenTo(ABSENT)).toEqual(broken);
    expect(watch.leaders.length).toBe(2);
  });

  it("left one chain behind, and no block that was served is gone", async () => {
    const { observer } = observed();
    await observer.hasReadAll();
    expect(observer.record.problems()).toEqual([]);
    expect(observer.record.servedTwice()).toEqual([]);
  });
});
