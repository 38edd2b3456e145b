import { expect, it } from "vitest";
import { kinds } from "../../src/model/kinds.ts";
import type { Pod, PodDisruptionBudget } from "../../src/model/objects.ts";
import { type Environment, eventually } from "./environment.ts";
import { guardedPods, statusOf, untilHealthy } from "./guarded-pods.ts";

type Status = NonNullable<PodDisruptionBudget["status"]>;

const nameOf = ({ metadata }: Pod) => metadata.name;

/** An RFC 3339 time in whole seconds, so long ago. */
const ago = ({ clock }: Environment, ms: number) =>
  new Date(clock.nowMs() - ms).toISOString().replace(/\.\d+Z$/, "Z");

/** Writes the status as the eviction handler does, past whoever else writes it. */
async function writeStatus(env: Environment, name: string, change: Partial<Status>): Promise<void> {
  const { api, namespace } = env;
  await eventually(env, `the status of ${name} is written`, async () => {
    const budget = await api.get(kinds.disruptionBudget, { namespace, name });
    if (budget?.status === undefined) return false;
    const wanted = { ...budget, status: { ...budget.status, ...change } };
    return api.replaceStatus(kinds.disruptionBudget, wanted).then(
      () => true,
      () => false,
    );
  });
}

async function untilDisrupted(env: Environment, name: string, pods: readonly string[]): Promise<void> {
  await eventually(env, `the disrupted pods of ${name} are ${pods.join(", ")}`, async () => {
    const { disruptedPods = {} } = (await statusOf(env, name)) ?? {};
    return Object.keys(disruptedPods).join() === pods.join();
  });
}

/** What the controller of the budget makes of a status that somebody else wrote. */
export function budgetConformance(env: () => Environment): void {
  claimConformance(env);
  recountConformance(env);
}

function claimConformance(env: () => Environment): void {
  it("makes the pod count as away, so that no eviction is granted, until it is taken back", async () => {
    const [first, second] = await guardedPods(env(), "claimed");
    await writeStatus(env(), "claimed", {
      disruptionsAllowed: 0,
      disruptedPods: { [nameOf(first)]: ago(env(), 0) },
    });
    await untilHealthy(env(), "claimed", 2);
    expect(await statusOf(env(), "claimed")).toMatchObject({ disruptionsAllowed: 0, expectedPods: 3 });
    for (const { metadata } of [first, second]) {
      const refused = env().api.evict(metadata, { preconditions: { uid: metadata.uid ?? "" } });
      await expect(refused).rejects.toMatchObject({ kind: "DisruptionBudget" });
    }
    await writeStatus(env(), "claimed", { disruptedPods: {} });
    await untilHealthy(env(), "claimed", 3);
    expect((await statusOf(env(), "claimed"))?.disruptionsAllowed).toBe(1);
  });

  it("passes from one pod to another in one write", async () => {
    const [first, second] = await guardedPods(env(), "passed-on");
    const claim = (pod: Pod) => ({
      disruptionsAllowed: 0,
      disruptedPods: { [nameOf(pod)]: ago(env(), 0) },
    });
    await writeStatus(env(), "passed-on", claim(first));
    await untilHealthy(env(), "passed-on", 2);
    await writeStatus(env(), "passed-on", claim(second));
    await env().pass(500);
    await untilHealthy(env(), "passed-on", 2);
    await untilDisrupted(env(), "passed-on", [nameOf(second)]);
    expect((await statusOf(env(), "passed-on"))?.disruptionsAllowed).toBe(0);
  });
}

function recountConformance(env: () => Environment): void {
  it.each([
    ["of a pod that is not there", "nobody", 0],
    ["that is more than two minutes old", "expired-0", 125_000],
  ])("is dropped when it is one %s", async (_, pod, ageMs) => {
    const name = pod === "nobody" ? "stranger" : "expired";
    await guardedPods(env(), name);
    await writeStatus(env(), name, { disruptionsAllowed: 0, disruptedPods: { [pod]: ago(env(), ageMs) } });
    await untilDisrupted(env(), name, []);
    await untilHealthy(env(), name, 3);
    expect((await statusOf(env(), name))?.disruptionsAllowed).toBe(1);
  });

  it("that grants more than there is is counted again", async () => {
    await guardedPods(env(), "generous");
    await writeStatus(env(), "generous", { disruptionsAllowed: 3 });
    const allowed = async () => (await statusOf(env(), "generous"))?.disruptionsAllowed;
    await eventually(env(), "it was counted", async () => (await allowed()) !== 3);
    expect(await allowed()).toBe(1);
  });

  it("is refused on an old version, and when it is less than nothing", async () => {
    const { api, namespace } = env();
    await guardedPods(env(), "refused");
    const ref = { namespace, name: "refused" };
    const budget = await api.get(kinds.disruptionBudget, ref);
    if (budget?.status === undefined) throw new Error("the budget has no status");
    const { status } = budget;
    const impossible = { ...budget, status: { ...status, disruptionsAllowed: -1 } };
    await expect(api.replaceStatus(kinds.disruptionBudget, impossible)).rejects.toMatchObject({
      kind: "Invalid",
    });
    const wanted = { ...budget, status: { ...status, disruptionsAllowed: 0 } };
    await api.replaceStatus(kinds.disruptionBudget, wanted);
    await expect(api.replaceStatus(kinds.disruptionBudget, wanted)).rejects.toMatchObject({
      kind: "Conflict",
    });
  });
}
