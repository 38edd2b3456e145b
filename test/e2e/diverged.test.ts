import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { AGENT_PORT, BLOCKS_PATH, blockAnswerSchema } from "../../src/model/agent-protocol.ts";
import { annotations } from "../../src/model/annotations.ts";
import type { Cluster } from "./harness/cluster.ts";
import { environment } from "./harness/environment.ts";
import { makeFork } from "./harness/forked-volume.ts";
import { annotate, edit, isRolledOut } from "./harness/owner.ts";
import { holds, until } from "./harness/until.ts";
import { volumeFolder } from "./harness/volumes.ts";
import { useWorld } from "./harness/world.ts";

const world = useWorld("diverged");
/** Back-off of kubelet, a long poll, and the requests for blocks. */
const FOUND_MS = 180_000;
const FROZEN_MS = 15_000;

/** What a member's agent says that it holds at a height; undefined while it does not tell. */
async function hashAt(cluster: Cluster, member: string, height: number): Promise<string | undefined> {
  const path = `${BLOCKS_PATH}${height}`;
  const answer = await world().reach(await cluster.pod(member), AGENT_PORT, { path });
  if (answer?.status !== 200) return undefined;
  const { block } = blockAnswerSchema.parse(JSON.parse(answer.text));
  return block.kind === "held" ? block.hash : undefined;
}

describe.skipIf(environment().machine === undefined)("a member whose blocks are others", () => {
  it("is found and named, all is frozen, and it is rebuilt when its owner says so, with its blocks kept", async () => {
    const { namespace } = world();
    // Its checkpoints reach back for two minutes.
    const chain = { id: `${namespace}-seq`, blockTime: "1s" };
    const cluster = world().cluster("seq", { spec: { chain, repair: { mode: "Approve" } } });
    await cluster.apply();
    await cluster.isRunning();
    await cluster.reachesHeight(20, 120_000);
    const leader = (await cluster.leaderPod()).metadata.name;
    const member = cluster.memberNames.find((name) => name !== leader) ?? "";

    await makeFork(cluster, member);
    const words = [/It is the first height at which they differ/, new RegExp(`approve-rejoin=${member}`)];
    const { message } = await cluster.becomes("ChainSafe", "HashesDiffer", words, FOUND_MS);
    const height = Number(/At height (\d+), /.exec(message)?.[1]);
    const at = (name: string, h: number) => hashAt(cluster, name, h);
    expect(await at(member, height)).not.toBe(await at(leader, height));
    expect(await at(member, height - 1)).toBe(await at(leader, height - 1));

    const before = (await cluster.pods()).map(({ metadata }) => metadata.annotations);
    await edit(cluster, { log: { level: "debug" } });
    await holds(
      "nothing is changed",
      async () => {
        const now = (await cluster.pods()).map(({ metadata }) => metadata.annotations);
        return JSON.stringify(now) === JSON.stringify(before) ? undefined : "a pod was written to";
      },
      { forMs: FROZEN_MS },
    );

    await annotate(cluster, { [annotations.approveRejoin]: member });
    await cluster.becomes("ChainSafe", "NoForkSeen", [], FOUND_MS);
    await until(
      "the same block on both",
      async () => {
        const [own, other] = [await at(member, height), await at(leader, height)];
        const isSame = own !== undefined && own === other;
        return isSame ? { found: true } : { missing: `they hold ${own} and ${other}` };
      },
      { withinMs: FOUND_MS },
    );
    const kept = await readdir(join(await volumeFolder(cluster, member), ".evnode-operator"));
    expect(kept).toEqual(expect.arrayContaining(["data.aside-1", "raft-1.aside-1"]));
    await isRolledOut(cluster);
    await cluster.isRunning();
  });
});
