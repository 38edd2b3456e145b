import { setTimeout } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { Status } from "../../src/api/evnodecluster.ts";
import { annotations } from "../../src/model/annotations.ts";
import { processesOf } from "./harness/cluster.ts";
import { useObserved } from "./harness/observed.ts";
import { annotate } from "./harness/owner.ts";
import { RolloutWatch } from "./harness/rollout-watch.ts";
import { writeAndRead } from "./harness/transactions.ts";
import { until } from "./harness/until.ts";
import { useWorld } from "./harness/world.ts";

const world = useWorld("drills");
const observed = useObserved(() => world().cluster("seq"));

/** Ten in a row are a measurement, as Kubernetes holds back what is restarted again and again: `drills`. */
const IN_A_ROW = 2;
/** Kubernetes holds back for minutes what is restarted again and again. */
const DRILL_MS = 400_000;
const MOST_REQUESTS = 10;
const ASK_AGAIN_MS = 3_000;

/** Asks for a drill, and answers what the status tells of it when it is over. */
async function drill(request: string): Promise<NonNullable<Status["lastDrill"]>> {
  const { cluster } = observed();
  await annotate(cluster, { [annotations.drill]: request });
  return until(
    `the end of drill ${request}`,
    async () => {
      const { lastDrill } = (await cluster.get()).status ?? {};
      const isOver = lastDrill?.request === request && lastDrill.result !== "UnderWay";
      return isOver ? { found: lastDrill } : { missing: `told is ${JSON.stringify(lastDrill)}` };
    },
    { withinMs: DRILL_MS },
  );
}

/** A member that came back a moment ago is no help yet, and Kubernetes may hold one back: then it is asked again. */
async function drillOnceAllowed(request: string): ReturnType<typeof drill> {
  for (let again = 1; ; again++) {
    await observed().cluster.isRunning();
    const told = await drill(`${request}-${again}`);
    if (told.result !== "Refused" || again === MOST_REQUESTS) return told;
    await setTimeout(ASK_AGAIN_MS);
  }
}

const requestOn = async () =>
  (await observed().cluster.get()).metadata.annotations?.[annotations.drill] ?? "none";

describe("a failover drill", () => {
  it.each(Array.from({ length: IN_A_ROW }, (_, index) => index + 1))(
    "takes the lead from its member once, and tells for how long no block was made (%i in a row)",
    async (count) => {
      const { cluster, observer } = observed();
      await cluster.isRunning();
      const leader = (await cluster.leaderPod()).metadata.name;
      const watch = await RolloutWatch.during(cluster, async () => {
        const told = await drillOnceAllowed(`in-a-row-${count}`);
        expect(told).toMatchObject({ result: "Succeeded", from: leader });
        expect(told.gapMs).toBeGreaterThan(0);
        expect(told.to).toBeDefined();
      });
      expect(watch.restarts[0]).toEqual({ member: leader, isSamePod: true, isSameAddress: true });
      expect(await requestOn()).toBe("none");
      await cluster.isRunning();
      await observer.goesOn();
      await writeAndRead(cluster, `after-drill-${count}`, "arrived");
    },
    DRILL_MS + 120_000,
  );

  it("is refused while a member is down, and touches nobody", async () => {
    const { cluster, observer } = observed();
    await cluster.isRunning();
    const leader = (await cluster.leaderPod()).metadata.name;
    const down = cluster.memberNames.find((name) => name !== leader) ?? "";
    const before = processesOf((await cluster.pods()).filter(({ metadata }) => metadata.name !== down));
    await cluster.api.send(cluster.path("pods", down), { method: "DELETE" });
    const told = await drill("with-a-member-down");
    expect(told).toMatchObject({ result: "Refused", message: expect.stringContaining(down) });
    await cluster.tells("DrillRefused", /with-a-member-down/);
    expect(await requestOn()).toBe("none");
    await cluster.isRunning();
    expect(processesOf((await cluster.pods()).filter(({ metadata }) => metadata.name !== down))).toEqual(
      before,
    );
    await observer.goesOn();
  });

  it(
    "that was carried out is not carried out again for the same text",
    async () => {
      const { cluster } = observed();
      const done = await drillOnceAllowed("only-once");
      expect(done.result).toBe("Succeeded");
      await cluster.isRunning();
      const before = processesOf(await cluster.pods());
      await annotate(cluster, { [annotations.drill]: done.request ?? null });
      await cluster.tells("RequestDone", /only-once/);
      expect(await requestOn()).toBe("none");
      expect((await cluster.get()).status?.lastDrill).toEqual(done);
      expect(processesOf(await cluster.pods())).toEqual(before);
    },
    DRILL_MS + 120_000,
  );
});
