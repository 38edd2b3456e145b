import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Cluster } from "./harness/cluster.ts";
import { Observer } from "./harness/observer.ts";
import { OutsideSequencer } from "./harness/outside.ts";
import { edit } from "./harness/owner.ts";
import { resize, withMembers } from "./harness/resize.ts";
import { readFromAll, writeAndRead } from "./harness/transactions.ts";
import { useWorld } from "./harness/world.ts";

const world = useWorld("migration");

/** Longer than the silence that is asked for, and than blocks have to stand still. */
const LONG_MS = 45_000;

let outside: OutsideSequencer;
let cluster: Cluster;
let observer: Observer;
let last = 0;
/** The copy has this block of the sequencer outside, at least. */
let copiedTo = 0;
const COPIED = "seq-0";

beforeAll(async () => {
  outside = await OutsideSequencer.start(world());
  const { migration, ...spec } = outside.spec;
  const accepting = { ...spec, ...(migration && { migration: { ...migration, copies: "Accept" as const } }) };
  cluster = new Cluster(world(), "seq", { members: 3, spec: accepting });
  // Copied while it stands still, and started again: the blocks that it makes since, the member gets like all others.
  copiedTo = await outside.reaches(1);
  await outside.stop();
  await outside.copyTo(cluster, COPIED);
  await outside.startAgain();
  observer = new Observer(cluster);
  await cluster.apply();
});

afterAll(async () => {
  await observer?.stop();
});

const says = (oldSequencer: "Running" | "Stopped") => edit(cluster, { migration: { oldSequencer } });

const leader = async () => (await cluster.get()).status?.leader;

/** Blocks of the sequencer outside and of the members are one chain. */
const forks = () => [...observer.record.problems(), ...observer.record.servedTwice()];

describe("the chain of a sequencer outside", () => {
  it("is followed by members that make no blocks", async () => {
    await cluster.becomes("MembershipComplete", "Migrating", [/all members follow it closely/], 240_000);
    const height = await outside.reaches(1);
    expect(height).toBeGreaterThan(copiedTo);
    await observer.risesAbove(height);
    expect(await leader()).toBeUndefined();
    await outside.recordInto(observer.record, 1, height);
    const answer = (await cluster.agent(COPIED))?.volume;
    expect(answer).toMatchObject({ kind: "intact", change: { kind: "joining", copy: { proven: true } } });
    expect(Number(answer?.change?.copy?.head?.height)).toBeGreaterThanOrEqual(copiedTo);
    expect(forks()).toEqual([]);
  });

  it("is not gone on with while it makes blocks, whatever its owner says", async () => {
    await says("Stopped");
    await cluster.becomes("MembershipComplete", "MigrationHeld", [/something answers/]);
    const height = await outside.reaches(1);
    await sleep(LONG_MS);
    await cluster.becomes("MembershipComplete", "MigrationHeld", [/something answers/]);
    expect(await leader()).toBeUndefined();
    last = await outside.reaches(height + 20);
    await outside.recordInto(observer.record, Math.max(1, last - 20), last);
    expect(forks()).toEqual([]);
  });

  it("goes on at its next block once it has ended", async () => {
    await outside.stop();
    await cluster.isRunning();
    await observer.goesOn(20);
    await observer.hasReadAll();
    expect(observer.record.top).toBeGreaterThan(last);
    expect(forks()).toEqual([]);
    await writeAndRead(cluster, "taken-over", "kept");
    await cluster.becomes("MembershipComplete", "MembershipAsAsked");
  });

  it("is watched: one that comes back is told, and the members go on", async () => {
    await outside.startAgain();
    await cluster.becomes("Stalled", "OldSequencerAnswers", [/Stop it for good/], 240_000);
    await observer.goesOn(20);
    expect(forks()).toEqual([]);
    await outside.stop();
    await cluster.becomes("Stalled", "NotStalled", [], 120_000);
  });

  it("needs nothing of it any more", async () => {
    await edit(cluster, { migration: null });
    await cluster.isRunning();
    await cluster.becomes("RolloutComplete", "UpToDate");
    expect((await cluster.get()).status?.membership).toEqual({ epoch: 1, nextEpoch: 2 });
    await observer.goesOn(5);
    expect(forks()).toEqual([]);
  });

  it("goes back to one member, and to three again, on the same chain", async () => {
    const alone = withMembers(cluster, 1);
    await edit(cluster, { replicas: 1 });
    await cluster.becomes("MembershipComplete", "MembershipAwaitsApproval", [
      /Blocks stop for some seconds/,
      /approvedEpoch to 2/,
    ]);
    const back = await resize(alone);
    expect(back).toMatchObject({ from: 3, to: 1, result: "Completed" });
    const { height = 0 } = (await alone.get()).status ?? {};
    await writeAndRead(alone, "rolled-back", "kept");
    await alone.reachesHeight(height + 20, 60_000);
    const again = await resize(cluster);
    expect(again).toMatchObject({ from: 1, to: 3, result: "Completed" });
    expect(Math.min(back.gapMs ?? 0, again.gapMs ?? 0)).toBeGreaterThan(0);
    await observer.risesAbove(height + 20);
    await observer.goesOn(20);
    await observer.hasReadAll();
    expect(forks()).toEqual([]);
    const { record } = observer;
    const heights = Array.from({ length: record.top }, (_, index) => index + 1);
    expect(heights.filter((one) => record.hashAt(one) === undefined)).toEqual([]);
    for (const key of ["taken-over", "rolled-back"])
      expect(await readFromAll(cluster, key)).toEqual(["kept", "kept", "kept"]);
  });
});
