import { expect, it } from "vitest";
import { LeaderElection } from "../../src/kube/lease.ts";
import { kinds } from "../../src/model/kinds.ts";
import { type Environment, settled } from "./environment.ts";

const timing = { leaseDurationMs: 3_000, renewDeadlineMs: 2_000, retryPeriodMs: 300 };

export function leaseConformance(env: () => Environment): void {
  it("take time stamps with six digits, and none with three", async () => {
    const { api, namespace } = env();
    const lease = (name: string, renewTime: string) => ({
      apiVersion: "coordination.k8s.io/v1" as const,
      kind: "Lease" as const,
      metadata: { namespace, name },
      spec: { holderIdentity: "a", renewTime },
    });
    await expect(api.create(kinds.lease, lease("three", "2030-01-01T00:00:00.123Z"))).rejects.toMatchObject({
      kind: "BadRequest",
    });
    const created = await api.create(kinds.lease, lease("six", "2030-01-01T00:00:00.123000Z"));
    expect(created.spec?.renewTime).toBe("2030-01-01T00:00:00.123000Z");
  });

  it("pass from one leader to the next when they are released", async () => {
    const { api, namespace, clock, random } = env();
    const lease = { namespace, name: "election" };
    const failures: unknown[] = [];
    const elect = (identity: string) => {
      const common = {
        clock,
        random,
        timing,
        onFailure: (error: unknown) => failures.push(error),
      };
      return new LeaderElection({ api, lease, identity, ...common }).acquire(new AbortController().signal);
    };
    const first = await settled(env(), "the first election", elect("a"));
    const next = elect("b");
    await env().pass(2_500);
    expect(first?.stillLeading()).toBe(true);
    await first?.release();
    const second = await settled(env(), "the second election", next);
    expect([first?.stillLeading(), second?.stillLeading()]).toEqual([false, true]);
    const spec = (await api.get(kinds.lease, lease))?.spec;
    expect(spec).toMatchObject({ holderIdentity: "b", leaseTransitions: 1, leaseDurationSeconds: 3 });
    await second?.release();
    expect(failures).toEqual([]);
  });
}
