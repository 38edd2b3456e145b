import { describe, expect, it } from "vitest";
import { Witness } from "../../../hack/demo/simulated/witness.ts";
import { type Head, nextBlock } from "../../sim/member/block.ts";
import type { NodeProcess, PodRun } from "../../sim/member/pod-run.ts";

const block = (parent: Head, id: string) => nextBlock(parent, { term: 1, id, timeMs: 0 });

/** As much of a member as is looked at. */
function run(name: string, stored: Head, process?: Partial<NodeProcess>): PodRun {
  return {
    name,
    volume: { stored },
    process: process && { image: "a", role: "follower", ...process },
  } as unknown as PodRun;
}

describe("the witness", () => {
  it("counts blocks once, whoever holds them", () => {
    const witness = new Witness(2);
    const first = block(undefined, "b1");
    witness.look([run("c-0", first), run("c-1", undefined)], 0);
    witness.look([run("c-0", block(first, "b2")), run("c-1", first)], 250);
    expect(witness.past).toMatchObject({ blocks: 2, replaced: 0, firstBlockAtMs: 0 });
  });

  it("sees a block that was made a second time, by the same member or by another one", () => {
    const first = block(undefined, "b1");
    const second = block(first, "b2");
    const witness = new Witness(2);
    witness.look([run("c-0", second)], 0);
    witness.look([run("c-0", second), run("c-1", block(first, "other"))], 250);
    expect(witness.replaced).toBe(1);
    witness.look([run("c-0", block(first, "again"))], 500);
    expect(witness.replaced).toBe(2);
  });

  it("tells who ended, who led, and for how long no block came", () => {
    const witness = new Witness(2);
    const first = block(undefined, "b1");
    const follower = run("c-1", first, {});
    witness.look([run("c-0", first, { role: "leader" }), follower], 0);
    witness.begin(1_000);
    witness.look([run("c-0", first), follower], 1_250);
    if (follower.process !== undefined) follower.process.role = "leader";
    witness.look([run("c-0", first), follower], 2_000);
    expect(witness.past).toMatchObject({
      endings: [{ member: "c-0", wasLeader: true, image: "a", atMs: 1_250 }],
      leaders: ["c-0", "c-1"],
      longestPauseMs: 1_000,
      mostAway: 1,
      blocks: 0,
    });
  });
});
