import { describe, expect, it } from "vitest";
import { AGENT_PORT, type AgentAnswer } from "../../src/model/agent-protocol.ts";
import type { Pod } from "../../src/model/objects.ts";
import { useObserved } from "./harness/observed.ts";
import { edit } from "./harness/owner.ts";
import { resize, withMembers } from "./harness/resize.ts";
import { readFromAll, writeAndRead } from "./harness/transactions.ts";
import { until } from "./harness/until.ts";
import { useWorld } from "./harness/world.ts";

const world = useWorld("membership");
const observed = useObserved(() => world().cluster("seq", { members: 1 }));

type Size = 1 | 3 | 5;

const of = (members: Size) => withMembers(observed().cluster, members);

async function changes(before: Size, after: Size) {
  const change = await resize(of(after));
  expect(change).toMatchObject({ from: before, to: after });
  expect(change.gapMs).toBeGreaterThan(0);
  await goesOnWith(after, `with-${after}-after-${before}`);
  expect(await of(after).pods()).toHaveLength(after);
  expect(await readFromAll(of(after), "first")).toEqual(Array.from({ length: after }, () => "kept"));
  return change;
}

const GHOST = "seq-4";

/** The same pod, on the same volume, of nobody's. */
function asStranger({ apiVersion, kind, metadata, spec }: Pod): Pod {
  const { name, namespace = "", annotations = {} } = metadata;
  return { apiVersion, kind, metadata: { name, namespace, annotations }, ...(spec && { spec }) };
}

/** What its agent says, of which only this is looked at. */
async function stateOf(pod: Pod): Promise<AgentAnswer | undefined> {
  const answer = await world().reach(pod, AGENT_PORT, { path: "/v1/state" });
  return answer?.status === 200 ? (JSON.parse(answer.text) as AgentAnswer) : undefined;
}

async function goesOnWith(members: Size, transaction: string): Promise<void> {
  const { observer } = observed();
  await writeAndRead(of(members), transaction, "kept");
  await observer.goesOn(5);
  expect(observer.record.problems()).toEqual([]);
  expect(observer.record.servedTwice()).toEqual([]);
}

describe("the number of members", () => {
  it("is not changed before its owner approves that", async () => {
    const { cluster } = observed();
    await writeAndRead(cluster, "first", "kept");
    await edit(cluster, { replicas: 3 });
    await cluster.becomes("MembershipComplete", "MembershipAwaitsApproval", [/approvedEpoch to 2/]);
    expect(await cluster.pods()).toHaveLength(1);
  });

  it.each<[Size, Size]>([
    [1, 3],
    [3, 5],
  ])("grows from %i to %i on the same chain, with one interruption that is told", async (before, after) => {
    expect(await changes(before, after)).toMatchObject({ result: "Completed" });
  });

  it("shrinks from 5 to 3, and a member of before that somebody starts again takes no part", async () => {
    const ghost = asStranger(await of(5).pod(GHOST));
    await changes(5, 3);
    await world().api.send(of(3).path("pods"), { method: "POST", body: JSON.stringify(ghost) });
    const told = await until(
      "what the agent of the ghost says of its volume",
      async () => {
        const answer = await stateOf(await of(3).pod(GHOST));
        const isHeld = answer?.volume.kind === "intact" && answer.volume.change !== undefined;
        return answer && (isHeld || answer.prepare.kind === "refused")
          ? { found: answer }
          : { missing: JSON.stringify(answer) };
      },
      { withinMs: 120_000 },
    );
    expect(told.node.kind === "open" ? told.node.isLeader : told.node.raftPortOpen).not.toBe(true);
    const { observer } = observed();
    await observer.goesOn(10);
    expect(observer.record.problems()).toEqual([]);
    expect(observer.record.servedTwice()).toEqual([]);
    await world().api.send(of(3).path("pods", GHOST), { method: "DELETE" });
    await until(
      "the end of the ghost",
      async () => {
        const left = await world().api.find(of(3).path("pods", GHOST));
        return left ? { missing: "it is still there" } : { found: true };
      },
      { withinMs: 120_000 },
    );
  });

  it("shrinks from 3 to 1", async () => {
    expect(await changes(3, 1)).toMatchObject({ result: "Completed" });
  });
});
