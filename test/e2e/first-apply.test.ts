import { describe, expect, it } from "vitest";
import type { Cluster } from "./harness/cluster.ts";
import { environment } from "./harness/environment.ts";
import { Observer } from "./harness/observer.ts";
import { edit, isRolledOut } from "./harness/owner.ts";
import { until } from "./harness/until.ts";
import { useWorld } from "./harness/world.ts";

const world = useWorld("first-apply");
const ABSENT = "evnode.dev/absent:1";

/** Waits until the status says this of a member, in its message or in its last words. */
async function saysOfMember(cluster: Cluster, words: RegExp): Promise<void> {
  await until(
    `${words} of a member of ${cluster.name}`,
    async () => {
      const { members = [] } = (await cluster.get()).status ?? {};
      const told = members.map(({ name, message = "", lastExit = "" }) => `${name}: ${message} ${lastExit}`);
      return told.some((text) => words.test(text)) ? { found: true } : { missing: told.join("; ") };
    },
    { withinMs: 120_000 },
  );
}

describe("a first apply that is wrong", () => {
  it("comes up by itself once image and flags are right", async () => {
    const { node } = environment().images;
    const cluster = world().cluster("seq", { spec: { image: ABSENT } });
    const observer = new Observer(cluster);
    try {
      await cluster.apply();
      await saysOfMember(cluster, /(ErrImagePull|ImagePullBackOff): .*absent:1/);
      await edit(cluster, { image: node, app: { extraArgs: ["--no-such-flag=1"] } });
      await saysOfMember(cluster, /no-such-flag/);
      await edit(cluster, { app: null });
      await isRolledOut(cluster);
      await observer.goesOn();
      await observer.hasReadAll();
      expect(observer.record.problems()).toEqual([]);
    } finally {
      await observer.stop();
    }
  });
});
