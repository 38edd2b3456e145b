import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Pod } from "../../../src/model/objects.ts";
import { leadsTo } from "../harness/endpoints.ts";
import { environment } from "../harness/environment.ts";
import { useObserved } from "../harness/observed.ts";
import { edit, isRolledOut } from "../harness/owner.ts";
import { killEvnode } from "../harness/processes.ts";
import { RolloutWatch } from "../harness/rollout-watch.ts";
import { until } from "../harness/until.ts";
import { useWorld } from "../harness/world.ts";
import { AuditTape } from "./audit.ts";
import { LeaseWatch } from "./lease-watch.ts";
import { activeOperator, loseOperator, stopOperator, useOperators } from "./operator.ts";

/** Alone: the operator is one of two, and both come and go. */

const world = useWorld("operators");
useOperators(world, 2);
const observed = useObserved(() => world().cluster("seq"));

let lease: LeaseWatch;
let tape: AuditTape | undefined;
beforeAll(async () => {
  lease = await LeaseWatch.start(world());
  const { machine } = environment();
  if (machine) tape = await AuditTape.start(machine.auditLog);
});
afterAll(() => lease.stop());

/** Waits until another one than this holds the Lease. */
async function isTakenOver(before: Pod): Promise<Pod> {
  return until(
    "another operator with the Lease",
    async () => {
      const now = await activeOperator(world());
      return now.metadata.name === before.metadata.name ? { missing: "the old one has it" } : { found: now };
    },
    { withinMs: 60_000 },
  );
}

describe("of two operators", () => {
  it("the second one goes on with a rollout where the first was lost in the middle of it", async () => {
    const { cluster, observer } = observed();
    const leader = (await cluster.leaderPod()).metadata.name;
    const followers = cluster.memberNames.toReversed().filter((member) => member !== leader);
    const watch = await RolloutWatch.during(cluster, async (seen) => {
      await edit(cluster, { log: { level: "debug" } });
      await until(
        "the first restart of the rollout",
        async () => (seen.restarts.length > 0 ? { found: true } : { missing: "nobody was restarted" }),
        { withinMs: 120_000 },
      );
      const lost = await activeOperator(world());
      await loseOperator(world(), lost);
      // Between two members: one that was told to restart before does so without any operator.
      expect(seen.restarts.length).toBeLessThan(cluster.members);
      await isTakenOver(lost);
      await isRolledOut(cluster);
    });
    expect(watch.restarts).toEqual(
      [...followers, leader].map((member) => ({ member, isSamePod: true, isSameAddress: true })),
    );
    await observer.goesOn();
    expect(observer.record.withdrawn()).toEqual([]);
  });

  it("the second one leads the leader's Service to the new leader, where the first is being stopped", async () => {
    const { cluster, observer } = observed();
    const leader = await cluster.leaderPod();
    const stopped = await activeOperator(world());
    await stopOperator(world(), stopped);
    await killEvnode(world(), leader);
    await isTakenOver(stopped);
    await observer.goesOn();
    await cluster.isRunning();
    const { metadata } = await cluster.leaderPod();
    await leadsTo(cluster, `${cluster.name}-leader`, [metadata.name]);
    expect((await cluster.agent(metadata.name))?.node.isLeader).toBe(true);
  });

  it("never are two at work at once: nobody writes after another one did", async () => {
    const { observer } = observed();
    const holders = lease.holders.filter((holder) => holder !== "");
    expect(holders.length).toBe(3);
    expect(new Set(holders).size).toBe(3);
    expect((await tape?.writers()) ?? holders).toEqual(holders);
    await observer.hasReadAll();
    expect(observer.record.problems()).toEqual([]);
    expect(observer.record.withdrawn().length).toBeLessThanOrEqual(1);
  });
});
