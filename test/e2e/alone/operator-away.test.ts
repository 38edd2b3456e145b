import { describe, expect, it } from "vitest";
import { restartComponent } from "../../../hack/local-cluster/cluster.ts";
import { type Cluster, isReady, processesOf } from "../harness/cluster.ts";
import { leadsTo } from "../harness/endpoints.ts";
import { environment } from "../harness/environment.ts";
import { useObserved } from "../harness/observed.ts";
import { killEvnode } from "../harness/processes.ts";
import { until } from "../harness/until.ts";
import { deletePod } from "../harness/volumes.ts";
import { useWorld } from "../harness/world.ts";
import { withoutOperator } from "./operator.ts";

/** Alone: the operator of every cluster is away meanwhile, and kubelet is restarted. */

const world = useWorld("away");
const observed = useObserved(() => world().cluster("seq"));
const READY_MS = 240_000;

async function followers(cluster: Cluster): Promise<readonly string[]> {
  const leader = await cluster.leaderPod();
  return cluster.memberNames.filter((member) => member !== leader.metadata.name);
}

/** Asks as `kubectl drain` does; answers the HTTP status. */
async function evict(cluster: Cluster, member: string): Promise<number> {
  const eviction = {
    apiVersion: "policy/v1",
    kind: "Eviction",
    metadata: { name: member, namespace: cluster.namespace },
  };
  const path = `${cluster.path("pods", member)}/eviction`;
  return (await cluster.api.send(path, { method: "POST", body: JSON.stringify(eviction) })).status;
}

async function grantsDisruptions(cluster: Cluster, count: number): Promise<void> {
  await until(
    `a budget that grants ${count} disruptions`,
    async () => {
      const granted = (await cluster.budget()).status?.disruptionsAllowed;
      return granted === count ? { found: true } : { missing: `it grants ${granted}` };
    },
    { withinMs: READY_MS },
  );
}

async function isReplaced(cluster: Cluster, member: string, before: string | undefined): Promise<void> {
  await until(
    `a new pod of ${member} that is ready`,
    async () => {
      const pod = (await cluster.pods()).find(({ metadata }) => metadata.name === member);
      if (!pod || pod.metadata.uid === before) return { missing: "the old one is there, or none" };
      return isReady(pod) ? { found: true } : { missing: "the new one is not ready" };
    },
    { withinMs: READY_MS },
  );
}

/** The process that was killed runs again and follows the chain. */
async function isBack(cluster: Cluster, member: string, restartsBefore: number): Promise<void> {
  await until(
    `${member} restarted and ready`,
    async () => {
      const pod = await cluster.pod(member);
      const restarts = restartsOf(pod);
      return restarts > restartsBefore && isReady(pod)
        ? { found: true }
        : { missing: `${restarts} restarts, ${isReady(pod) ? "ready" : "not ready"}` };
    },
    { withinMs: READY_MS },
  );
}

const restartsOf = ({ status }: Awaited<ReturnType<Cluster["pod"]>>) =>
  status?.containerStatuses?.find(({ name }) => name === "evnode")?.restartCount ?? 0;

describe("a cluster whose operator is away", () => {
  it("lives on: members come back, another one leads, and a drain takes no second member", async () => {
    const { cluster, observer } = observed();
    const [first = "", second = ""] = await followers(cluster);
    const leader = await cluster.leaderPod();
    await grantsDisruptions(cluster, 1);

    await withoutOperator(world(), async () => {
      const before = (await cluster.pod(first)).metadata.uid;
      await deletePod(cluster, first);
      await grantsDisruptions(cluster, 0);
      expect(await evict(cluster, second)).toBe(429);
      await observer.goesOn();
      await isReplaced(cluster, first, before);

      await killEvnode(world(), leader);
      await observer.goesOn(10, READY_MS);
      await isBack(cluster, leader.metadata.name, restartsOf(leader));
      await grantsDisruptions(cluster, 1);
    });
    expect((await cluster.pod(second)).metadata.deletionTimestamp).toBeUndefined();
    await observer.hasReadAll(120_000);
    expect(observer.record.problems()).toEqual([]);
    expect(observer.record.withdrawn().length).toBeLessThanOrEqual(1);
  });

  it("has its leader's label in the right place again as soon as the operator is back", async () => {
    const { cluster } = observed();
    await cluster.isRunning();
    // The status may still be of the time before.
    const leader = await until(
      "a status that names who leads",
      async () => {
        const { status } = await cluster.get();
        const answers = await Promise.all(cluster.memberNames.map((name) => cluster.agent(name)));
        const leading = cluster.memberNames.filter((_, at) => answers[at]?.node.isLeader === true);
        const [only, ...more] = leading;
        return only !== undefined && more.length === 0 && only === status?.leader
          ? { found: only }
          : { missing: `it names ${status?.leader}, and ${leading.join()} leads` };
      },
      { withinMs: READY_MS },
    );
    await leadsTo(cluster, `${cluster.name}-leader`, [leader]);
    expect((await cluster.leaderPod()).metadata.name).toBe(leader);
  });

  it.skipIf(environment().machine === undefined)("does not notice that kubelet is restarted", async () => {
    const { cluster, observer } = observed();
    await cluster.isRunning();
    const before = processesOf(await cluster.pods());
    await withoutOperator(world(), async () => {
      await restartComponent("kubelet");
      await observer.goesOn(20);
      await until(
        "every member ready after the restart of kubelet",
        async () => {
          const unready = (await cluster.pods()).filter((pod) => !isReady(pod));
          return unready.length === 0 ? { found: true } : { missing: `${unready.length} are not` };
        },
        { withinMs: READY_MS },
      );
    });
    expect(processesOf(await cluster.pods())).toEqual(before);
  });
});
