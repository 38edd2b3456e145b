import { existsSync } from "node:fs";
import { cp, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Cluster, processesOf } from "./harness/cluster.ts";
import { environment } from "./harness/environment.ts";
import { patchByHand } from "./harness/kubectl.ts";
import { useObserved } from "./harness/observed.ts";
import { killEvnode } from "./harness/processes.ts";
import { holds, until } from "./harness/until.ts";
import { configFolder, deletePod, volumeFolder } from "./harness/volumes.ts";
import { useWorld } from "./harness/world.ts";

const world = useWorld("broken");
const WATCHED_MS = 8_000;

/** A member that is not the leader, so that the chain goes on without it. */
async function aFollower(cluster: Cluster): Promise<string> {
  const leader = await cluster.leaderPod();
  const follower = cluster.memberNames.find((member) => member !== leader.metadata.name);
  if (follower === undefined) throw new Error("there is no follower");
  return follower;
}

const evnodeOf = async (cluster: Cluster, member: string) =>
  (await cluster.pod(member)).status?.containerStatuses?.find(({ name }) => name === "evnode");

/** ev-node was started on what is broken, and ended by itself. */
async function endsByItself(cluster: Cluster, member: string, after: number): Promise<string> {
  return until(
    `an end of ev-node of ${member}`,
    async () => {
      const evnode = await evnodeOf(cluster, member);
      const end = evnode?.state?.terminated ?? evnode?.lastState?.terminated;
      // The kill itself is the first restart; the end that counts is of the process that came after it.
      const isAfter =
        (evnode?.restartCount ?? 0) > after + 1 ||
        (evnode?.restartCount === after + 1 && evnode.state?.terminated);
      return isAfter && end ? { found: end.message ?? "" } : { missing: `${evnode?.restartCount} restarts` };
    },
    { withinMs: 60_000 },
  );
}

/** A member that came up alone would lead, or answer at all. */
async function doesNotAnswer(cluster: Cluster, member: string): Promise<void> {
  await holds(
    `${member} not in service`,
    async () => {
      const node = (await cluster.agent(member))?.node;
      return node?.kind === "open" ? `${member} answers with height ${node.height}` : undefined;
    },
    { forMs: WATCHED_MS },
  );
}

async function approve(cluster: Cluster, member: string): Promise<void> {
  await patchByHand(world().kubectl, cluster.manifest, {
    metadata: { annotations: { "evnode.dev/approve-rejoin": member } },
  });
}

async function replacePod(cluster: Cluster, member: string): Promise<void> {
  const { uid } = (await cluster.pod(member)).metadata;
  await deletePod(cluster, member);
  await until(
    `another pod of ${member}`,
    async () => {
      // For a moment there is none.
      const pod = (await cluster.pods()).find(({ metadata }) => metadata.name === member);
      const isOther = pod !== undefined && pod.metadata.uid !== uid;
      return isOther ? { found: true } : { missing: "it is still the old one, or there is none" };
    },
    { withinMs: 120_000 },
  );
  // The status still speaks of the pod before.
  await cluster.becomesReady(member);
}

const restartsOf = async (cluster: Cluster, member: string) =>
  (await evnodeOf(cluster, member))?.restartCount ?? 0;

describe.skipIf(environment().machine === undefined)("a member of a running cluster", () => {
  const observed = useObserved(() => world().cluster("seq", { spec: { repair: { mode: "Approve" } } }));

  it("does not run alone when its raft directory is gone and its process restarts in place", async () => {
    const { cluster, observer } = observed();
    const member = await aFollower(cluster);
    const before = await restartsOf(cluster, member);
    await rm(join(await volumeFolder(cluster, member), "raft-1"), { recursive: true });
    await killEvnode(world(), await cluster.pod(member));

    expect(await endsByItself(cluster, member, before)).toContain("expecting nodeID@address for peer");
    await cluster.becomes("VolumesReady", "VolumeLost", [new RegExp(`${member} has lost data.*raft-1`)]);
    await doesNotAnswer(cluster, member);
    await observer.goesOn();

    await approve(cluster, member);
    await cluster.isRunning();
    await observer.goesOn();
    await observer.hasReadAll(120_000);
    expect(observer.record.problems()).toEqual([]);
  });

  it("does not run a config that somebody cut off in the Secret: it waits until the operator has put it back", async () => {
    const { cluster, observer } = observed();
    const member = await aFollower(cluster);
    const others = cluster.memberNames.filter((name) => name !== member);
    const before = processesOf(await Promise.all(others.map((name) => cluster.pod(name))));
    const name = `${cluster.name}-config`;
    const secret = await cluster.secret(name);
    const [entry = "", text = ""] =
      Object.entries(secret.data ?? {}).find(([key]) => key.startsWith(member)) ?? [];
    const whole = Buffer.from(text, "base64");
    const cut = whole.subarray(0, whole.length / 2).toString("base64");
    expect(cut).not.toBe("");
    await patchByHand(world().kubectl, secret, { data: { [entry]: cut } });

    await replacePod(cluster, member);
    await cluster.isRunning();
    expect((await cluster.secret(name)).data).toEqual(secret.data);
    expect((await cluster.tells("Restored", new RegExp(`Secret ${name} was put back`))).type).toBe("Warning");
    expect(processesOf(await Promise.all(others.map((other) => cluster.pod(other))))).toEqual(before);
    await observer.hasReadAll(120_000);
    expect(observer.record.problems()).toEqual([]);
  });

  it.each([
    { what: "all of it", length: () => 0 },
    { what: "the section of raft", length: (text: string) => text.indexOf("raft:") },
  ])(
    "does not run alone when its installed config lacks $what: its agent puts it right",
    async ({ length }) => {
      const { cluster, observer } = observed();
      const member = await aFollower(cluster);
      const pod = await cluster.pod(member);
      const file = join(configFolder(pod), "evnode.yaml");
      const whole = await readFile(file, "utf8");
      expect(length(whole)).toBeGreaterThanOrEqual(0);
      await writeFile(file, whole.slice(0, length(whole)));
      await killEvnode(world(), pod);

      await until(
        `the config of ${member} as it was`,
        async () =>
          (await readFile(file, "utf8")) === whole ? { found: true } : { missing: "it is another one" },
        { withinMs: 10_000 },
      );
      await observer.goesOn();
      await cluster.becomesReady(member);
      await cluster.isRunning();
      await observer.hasReadAll(120_000);
      expect(observer.record.problems()).toEqual([]);
    },
  );
});

describe.skipIf(environment().machine === undefined)(
  "a cluster whose volumes were confused while it was deleted",
  () => {
    const observed = useObserved(() => world().cluster("mix"));

    async function swap(first: string, second: string): Promise<void> {
      const { cluster } = observed();
      const [one, other] = await Promise.all([volumeFolder(cluster, first), volumeFolder(cluster, second)]);
      await rename(one, `${one}.swap`);
      await rename(other, one);
      await rename(`${one}.swap`, other);
    }

    it("does not start members on each other's volumes, and says whose they are", async () => {
      const { cluster, observer } = observed();
      await observer.goesOn();
      await cluster.delete();
      const { top } = observer.record;
      await swap("mix-0", "mix-1");
      await cluster.apply();
      await cluster.becomes("VolumesReady", "VolumeForeign", [
        /mix-0 does not start: .* is of member mix-1, expected mix-0/,
        /mix-1 does not start: .* is of member mix-0, expected mix-1/,
      ]);
      await doesNotAnswer(cluster, "mix-0");
      // One member alone is no majority: it levels, and shows its last block, which nobody may have asked for before. A
      // chain that goes on makes forty blocks in this time.
      expect(observer.record.top).toBeLessThanOrEqual(top + 2);
      expect(observer.record.problems()).toEqual([]);
    });

    it("goes on when they are back in their places", async () => {
      const { cluster, observer } = observed();
      await cluster.delete();
      await swap("mix-0", "mix-1");
      await cluster.apply();
      await cluster.isRunning();
      await observer.goesOn();
      await observer.hasReadAll(120_000);
      expect(observer.record.problems()).toEqual([]);
    });

    it("does not start a member on data of somebody else", async () => {
      const { cluster, observer } = observed();
      await cluster.delete();
      const folder = await volumeFolder(cluster, "mix-2");
      await rename(folder, `${folder}.kept`);
      await mkdir(join(folder, "data"), { recursive: true, mode: 0o777 });
      await cp(join(`${folder}.kept`, "data"), join(folder, "data"), { recursive: true });
      await cluster.apply();
      await cluster.becomes("VolumesReady", "VolumeForeign", [
        /mix-2 does not start: .*data but no identity of a member: data/,
      ]);
      await doesNotAnswer(cluster, "mix-2");
      // What is not its own is left as it is.
      expect(existsSync(join(folder, "raft-1"))).toBe(false);
      await observer.goesOn();
      expect(observer.record.problems()).toEqual([]);

      await cluster.delete();
      await rm(folder, { recursive: true });
      await rename(`${folder}.kept`, folder);
      await cluster.apply();
      await cluster.isRunning();
      await observer.goesOn();
      await observer.hasReadAll(120_000);
      expect(observer.record.problems()).toEqual([]);
    });
  },
);
