import { describe, expect, it } from "vitest";
import { annotations } from "../../src/model/annotations.ts";
import { kinds } from "../../src/model/kinds.ts";
import { claimName } from "../../src/model/names.ts";
import { MAIN } from "../sim/run/wanted.ts";
import { OperatedWorld } from "./operated-world.ts";
import { RecordedTerminal } from "./recorded-terminal.ts";

const startsOf = ({ universe }: OperatedWorld) =>
  Object.fromEntries([...universe.runs.values()].map(({ name, container }) => [name, container.starts]));

describe("drill", () => {
  it("lets the leader step down once, and tells the gap", async () => {
    const world = await OperatedWorld.start();
    const { leader } = world.cluster.status ?? {};
    const { code, text } = await world.plugin(["drill", "seq"]);
    const { lastDrill } = world.cluster.status ?? {};
    expect({ code, result: lastDrill?.result, from: lastDrill?.from }).toEqual({
      code: 0,
      result: "Succeeded",
      from: leader,
    });
    expect(text).toBe(
      `succeeded: ${leader} stepped down and ${lastDrill?.to} leads. The gap was ${lastDrill?.gapMs} ms, in which ${lastDrill?.blocksMissed} blocks would have fitted.`,
    );
    expect(world.noteOf(annotations.drill)).toBeUndefined();
    expect(world.troubles).toEqual([]);
  });

  it("asks again while it is refused for a moment", async () => {
    const world = await OperatedWorld.start();
    const follower = [...world.universe.runs.values()].find(({ process }) => process?.role === "follower");
    if (follower === undefined) throw new Error("one follows");
    world.universe.kubelet.containers.exit(follower, 1, "a bad moment");
    const { code, told } = await world.plugin(["drill", "seq", "-o", "json"]);
    expect(told).toMatch(/^refused: .*; asked again in 3s/);
    expect(code).toBe(0);
    expect(world.troubles).toEqual([]);
  });

  it("does not ask again where the spec speaks against it", async () => {
    const world = await OperatedWorld.start();
    world.edit({ rollout: { mode: "Paused" } });
    const { code, text, told } = await world.plugin(["drill", "seq"]);
    expect({ code, text, told }).toEqual({ code: 3, text: "refused: spec.rollout.mode is Paused", told: "" });
  });

  it("takes the request back when no operator takes it", async () => {
    const world = await OperatedWorld.start();
    world.stopOperator();
    const { code, told } = await world.plugin(["drill", "seq"]);
    expect(code).toBe(4);
    expect(told).toMatch(/^the request is withdrawn\nerror: no operator has taken the drill within 61 s/);
    expect(world.noteOf(annotations.drill)).toBeUndefined();
  });

  it("does not overwrite the request of somebody else", async () => {
    const world = await OperatedWorld.start();
    world.stopOperator();
    world.universe.registry.patch(kinds.cluster, MAIN, {
      metadata: { annotations: { [annotations.drill]: "monday" } },
    });
    const { code, told } = await world.plugin(["drill", "seq"]);
    expect(code).toBe(3);
    expect(told).toMatch(/^error: drill "monday" is asked for already/);
    expect(world.noteOf(annotations.drill)).toBe("monday");
  });
});

describe("restart", () => {
  it("takes all members along, the leader last, and waits for the end", async () => {
    const world = await OperatedWorld.start();
    const before = startsOf(world);
    const { code, text } = await world.plugin(["restart", "seq", "--wait"]);
    expect(code).toBe(0);
    expect(text).toMatch(/^seq: a restart of all members is asked for\.[^]*seq: the restart is over\. /);
    const after = startsOf(world);
    expect(Object.keys(after)).toHaveLength(3);
    for (const [name, starts] of Object.entries(after)) expect(starts).toBe((before[name] ?? 0) + 1);
    expect(world.troubles).toEqual([]);
  });

  it("takes one member", async () => {
    const world = await OperatedWorld.start();
    const before = startsOf(world);
    const { code, text } = await world.plugin(["restart", "seq", "--member", "seq-1", "--wait"]);
    expect(code).toBe(0);
    // Not as soon as it is away.
    expect(text).toMatch(/\nseq: the restart is over\. Every member runs the spec\.$/);
    expect(world.reasonOf("Ready")).toBe("AllMembersReady");
    expect(startsOf(world)).toEqual({ ...before, "seq-1": (before["seq-1"] ?? 0) + 1 });
  });

  it("refuses what is no member", async () => {
    const world = await OperatedWorld.start();
    const { code, told } = await world.plugin(["restart", "seq", "--member", "seq-7"]);
    expect({ code, told }).toEqual({
      code: 2,
      told: "error: seq-7 is no member, expected one of seq-0, seq-1, seq-2",
    });
    expect(world.noteOf(annotations.restartMember)).toBeUndefined();
  });

  it("says that nobody knows when no operator carries it out", async () => {
    const world = await OperatedWorld.start();
    world.stopOperator();
    const { code, text } = await world.plugin(["restart", "seq", "--wait", "--timeout", "30s"]);
    expect(code).toBe(4);
    expect(text).toMatch(/seq: it is not over yet\./);
  });
});

describe("resize", () => {
  it("asks for another number of members and approves its epoch, after a question", async () => {
    const world = await OperatedWorld.start();
    const wanted = ["resize", "seq", "--replicas", "5"];
    expect(await world.plugin(wanted)).toMatchObject({ code: 2 });
    expect(world.cluster.spec.replicas).toBeUndefined();

    const { code, text } = await world.plugin([...wanted, "--yes"]);
    expect({ code, text }).toMatchObject({ code: 0, text: expect.stringContaining("5 members, in epoch 2") });
    expect(world.cluster.spec).toMatchObject({ replicas: 5, membership: { approvedEpoch: 2 } });
  });

  it.each([
    ["the number that it has", "3", 3],
    ["a number that cannot be", "4", 2],
  ])("refuses %s", async (_, replicas, code) => {
    const world = await OperatedWorld.start();
    expect(await world.plugin(["resize", "seq", "--replicas", replicas, "--yes"])).toMatchObject({ code });
    expect(world.cluster.spec.membership).toBeUndefined();
  });
});

describe("suspend and resume", () => {
  it("stop all members after a question, and let them go on", async () => {
    const world = await OperatedWorld.start();
    const asked = await world.plugin(["suspend", "seq"]);
    expect({ code: asked.code, told: asked.told }).toMatchObject({ code: 2 });
    expect(world.cluster.spec.suspend).toBeUndefined();

    const { code, text } = await world.plugin(["suspend", "seq", "--yes", "--wait"]);
    expect({ code, runs: world.universe.runs.size }).toEqual({ code: 0, runs: 0 });
    expect(text).toMatch(/^seq: all members are told to stop\.[^]*seq: no member runs any more\.$/);
    expect(await world.plugin(["suspend", "seq", "--yes"])).toMatchObject({ code: 3 });

    const resumed = await world.plugin(["resume", "seq", "--wait"]);
    expect(resumed).toMatchObject({ code: 0, text: expect.stringMatching(/seq: every member is ready\.$/) });
    expect(world.reasonOf("Ready")).toBe("AllMembersReady");
    expect(world.troubles).toEqual([]);
  });

  it("say that nobody knows when no operator carries it out", async () => {
    const world = await OperatedWorld.start();
    world.stopOperator();
    const { code, text } = await world.plugin(["suspend", "seq", "--yes", "--wait", "--timeout", "30s"]);
    expect({ code, text }).toMatchObject({ code: 4, text: expect.stringContaining("it is not over yet") });
  });
});

describe("plan and approve", () => {
  async function planned(): Promise<{ world: OperatedWorld; hash: string }> {
    const world = await OperatedWorld.start();
    world.edit({ rollout: { mode: "Plan" }, image: "example.org/testapp:2" });
    await world.until("a plan waits", () => world.reasonOf("RolloutComplete") === "PlanAwaitsApproval");
    return { world, hash: world.cluster.status?.rollout?.planHash ?? "" };
  }

  it("show the plan, ask, and carry it out", async () => {
    const { world, hash } = await planned();
    const shown = await world.plugin(["plan", "seq"]);
    expect(shown.code).toBe(3);
    expect(shown.text).toContain("changes   image");
    expect(shown.text).toContain(
      `To carry it out: kubectl evnode approve seq --namespace rollup --plan ${hash}`,
    );
    const terminal = new RecordedTerminal(["y"]);
    const { code, text } = await world.plugin(["approve", "seq"], terminal);
    expect({ code, text }).toEqual({
      code: 0,
      text: `seq: plan ${hash} is approved. kubectl evnode status seq --namespace rollup --watch`,
    });
    expect(terminal.questions).toEqual([`Approve plan ${hash}? [y/N] `]);
    await world.until("all members run it", () => world.reasonOf("RolloutComplete") === "UpToDate");
    expect(world.cluster.status?.image).toBe("example.org/testapp:2");
    expect((await world.plugin(["plan", "seq"])).code).toBe(0);
    expect(world.troubles).toEqual([]);
  });

  it.each([
    { name: "another hash", args: ["--plan", "0123456789"], code: 3, says: /no plan 0123456789 waits/ },
    { name: "a member", args: ["--member", "seq-1"], code: 3, says: /the rebuild of seq-1 does not wait/ },
    { name: "both", args: ["--plan", "a", "--member", "seq-1"], code: 2, says: /are two approvals/ },
    { name: "nobody who answers", args: [], code: 2, says: /nobody is there to ask/ },
  ])("refuse $name, and write nothing", async ({ args, code, says }) => {
    const { world } = await planned();
    const ended = await world.plugin(["approve", "seq", ...args]);
    expect(ended.code).toBe(code);
    expect(ended.told).toMatch(says);
    expect(world.noteOf(annotations.approveRollout)).toBeUndefined();
    expect(world.noteOf(annotations.approveRejoin)).toBeUndefined();
  });

  it("does nothing after a no", async () => {
    const { world } = await planned();
    const ended = await world.plugin(["approve", "seq"], new RecordedTerminal(["n"]));
    expect(ended.code).toBe(3);
    expect(world.noteOf(annotations.approveRollout)).toBeUndefined();
  });
});

describe("approve of a lost member", () => {
  it("has it rebuilt from the others", async () => {
    const world = await OperatedWorld.start({ asks: true });
    const { registry, approvals } = world.universe;
    registry.delete(kinds.claim, { ...MAIN, name: claimName("seq", 1) });
    registry.delete(kinds.pod, { ...MAIN, name: "seq-1" });
    await world.until("its owner is asked", () => world.reasonOf("VolumesReady") === "VolumeLost");
    const asked = await world.plugin(["why", "seq"]);
    expect(asked.code).toBe(3);
    expect(asked.text).toMatch(/^ {2}kubectl evnode approve seq --namespace rollup --member seq-1$/m);
    expect((await world.plugin(["approve", "seq", "--member", "seq-2"])).code).toBe(3);

    approvals.allow(MAIN.namespace, "seq-1");
    const { code, text } = await world.plugin(["approve", "seq", "--yes"]);
    expect(code).toBe(0);
    expect(text).toMatch(/^seq: the rebuild of seq-1 is approved\./);
    await world.until("it takes part again", () => world.reasonOf("Ready") === "AllMembersReady");
    await world.until("the repair is told", () => world.cluster.status?.repairs?.[0]?.doneAt !== undefined);
    const { text: shown } = await world.plugin(["status", "seq"]);
    expect(shown).toMatch(/last repair {3}seq-1 was rebuilt, ordered \d+s ago; it took part again \d+s ago/);
    expect(world.troubles).toEqual([]);
  });
});
