import { existsSync } from "node:fs";
import { afterEach, expect, test } from "vitest";
import { nodePaths } from "../../hack/local-cluster/go-build.ts";
import type { AgentAnswer, Order } from "../../src/model/agent-protocol.ts";
import { canMount, type RealChain, type RealMember, startChain, votersOf } from "./real-members.ts";

/** From one member to three and back to one, with the real ev-node and orders given by hand. */
const { testnode, localDa } = await nodePaths();
const isAble = existsSync(testnode) && existsSync(localDa) && canMount();

const PATIENCE_MS = 90_000;
const LOOK_EVERY_MS = 100;

let chain: RealChain | undefined;
afterEach(() => chain?.stop());

async function eventually<T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> {
  for (const endMs = Date.now() + PATIENCE_MS; Date.now() < endMs; ) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  const said = await Promise.all(chain?.members.map((member) => member.answer()) ?? []);
  throw new Error(`never came true: ${what}; the members say ${JSON.stringify(said, undefined, 1)}`);
}

type Says = (answer: AgentAnswer) => boolean;

const all = (members: readonly RealMember[], what: string, says: Says) =>
  eventually(what, async () => {
    const answers = await Promise.all(members.map((member) => member.answer()));
    return answers.every((answer) => answer !== undefined && says(answer));
  });

const change = ({ volume }: AgentAnswer) => (volume.kind === "intact" ? volume.change : undefined);
const holds =
  (height: number): Says =>
  ({ node }) =>
    node.kind === "open" && (node.height ?? 0) >= height;
const isStarted =
  (epoch: number): Says =>
  ({ volume }) =>
    volume.kind === "intact" && volume.epoch === epoch && volume.started && volume.change === undefined;

/** The one height that all hold, once nobody makes blocks any more. */
const agreed = (members: readonly RealMember[]) =>
  eventually("all hold the same block", async () => {
    const answers = await Promise.all(members.map((member) => member.answer()));
    const heads = answers.map((answer) => {
      const isSettled = answer !== undefined && change(answer)?.settled === true;
      return isSettled && answer.node.kind === "open" ? answer.node.head : undefined;
    });
    const [first] = heads;
    return first !== undefined && heads.every((head) => head?.hash === first.hash) && first.height;
  });

/**
 * The block after the last one of an epoch is built on that, and all hold the same. A member that is being restarted
 * tells none; what all tell is compared once.
 */
async function expectOneChain(members: readonly RealMember[], height: number): Promise<void> {
  const [last, next] = await eventually(`all tell blocks ${height} and ${height + 1}`, async () => {
    const rows = [height, height + 1].map((one) => Promise.all(members.map((member) => member.block(one))));
    const [low = [], high = []] = await Promise.all(rows);
    return [...low, ...high].every((block) => block !== undefined) && ([low, high] as const);
  });
  expect(new Set(last.map((block) => block?.hash)).size).toBe(1);
  expect(new Set(next.map((block) => block?.hash)).size).toBe(1);
  expect(next[0]?.lastHeaderHash).toBe(last[0]?.hash);
}

test.skipIf(!isAble)(
  "one chain from one member to three, and back to one",
  { timeout: 600_000 },
  async () => {
    chain = await startChain(testnode, localDa);
    const { members } = chain;
    const [first, ...joiners] = members as [RealMember, ...RealMember[]];
    const tell = async (to: readonly RealMember[], epoch: number, count: number, order: Order) => {
      for (const member of to) await member.patch(epoch, count, order);
    };

    await tell([first], 1, 1, { id: "bootstrap-1", kind: "bootstrap", epoch: 1, voters: votersOf(1) });
    await all(
      [first],
      "the first waits",
      ({ prepare }) => prepare.kind === "waiting" && prepare.for === "start",
    );
    await tell([first], 1, 1, { id: "start-1", kind: "start", epoch: 1 });
    await all([first], "the first makes blocks", holds(5));

    await tell(joiners, 2, 3, { id: "join-2", kind: "join", epoch: 2, voters: votersOf(3) });
    await all(
      joiners,
      "the others follow as full nodes",
      (said) => change(said)?.settled === true && holds(5)(said),
    );
    await tell([first], 1, 1, { id: "freeze-2", kind: "freeze", epoch: 1, to: 2 });
    const last = await agreed(members);
    const voters = votersOf(3);
    await tell([first], 1, 1, { id: "bootstrap-2", kind: "bootstrap", epoch: 2, voters });
    await tell(joiners, 2, 3, { id: "bootstrap-2", kind: "bootstrap", epoch: 2, voters });
    await all(members, "all are prepared", (said) => change(said)?.prepared === true);
    await tell(members, 2, 3, { id: "start-2", kind: "start", epoch: 2 });
    await all(
      members,
      "all go on, in Raft",
      (said) => isStarted(2)(said) && holds(last + 5)(said) && said.ready.ok,
    );
    await expectOneChain(members, last);

    await tell(members, 2, 3, { id: "freeze-3", kind: "freeze", epoch: 2, to: 3 });
    const frozen = await agreed(members);
    await tell(members, 2, 3, { id: "thaw-3", kind: "thaw", epoch: 2, to: 3 });
    await all(members, "the freeze is taken back", (said) => isStarted(2)(said) && holds(frozen + 5)(said));
    await expectOneChain(members, frozen);

    await tell(members, 2, 3, { id: "freeze-4", kind: "freeze", epoch: 2, to: 4 });
    const end = await agreed(members);
    await tell([first], 2, 3, { id: "bootstrap-4", kind: "bootstrap", epoch: 4, voters: votersOf(1) });
    await all([first], "it is prepared", (said) => change(said)?.prepared === true);
    await tell([first], 4, 1, { id: "start-4", kind: "start", epoch: 4 });
    await all(
      [first],
      "it goes on alone",
      (said) => isStarted(4)(said) && said.mode?.kind === "single" && said.ready.ok,
    );
    await all([first], "it makes blocks", holds(end + 5));
    await expectOneChain([first], end);
    await Promise.all(joiners.map((member) => member.restartAgent()));
    for (const member of joiners) member.killNode();
    await all(joiners, "who is left stays frozen, whatever starts anew", (said) => {
      return change(said)?.settled === true && said.node.kind === "open" && said.mode?.kind === "level";
    });
    // As any full node they get the blocks of the one that goes on, and make none.
    const own = await first.block(end + 1);
    for (const member of joiners)
      expect([own?.hash, undefined]).toContain((await member.block(end + 1))?.hash);
  },
);

test.skipIf(!isAble)(
  "a copy of a member's blocks is read alone, followed from once it is proven, and gone on with",
  { timeout: 600_000 },
  async () => {
    chain = await startChain(testnode, localDa);
    const { members } = chain;
    const [first, copied, empty] = members as [RealMember, RealMember, RealMember];
    const copyOf = (answer: AgentAnswer | undefined) => {
      const way = answer && change(answer);
      return way?.kind === "joining" ? way.copy : undefined;
    };
    const join = { kind: "join", epoch: 2, voters: votersOf(3) } as const;

    await first.patch(1, 1, { id: "bootstrap-1", kind: "bootstrap", epoch: 1, voters: votersOf(1) });
    await all([first], "the first is prepared", ({ volume }) => volume.kind === "intact");
    await first.patch(1, 1, { id: "start-1", kind: "start", epoch: 1 });
    await all([first], "the first makes blocks", holds(20));
    await first.copyBlocksTo(copied);
    await copied.patch(2, 3, { id: "join-2", ...join });
    await all([copied], "it refuses", ({ refusedOrder }) => refusedOrder?.id === "join-2");
    expect((await copied.answer())?.volume).toMatchObject({ kind: "foreign", copy: true });

    await copied.patch(2, 3, { id: "join-2-copy", ...join, copy: {} });
    const head = await eventually("the copy is read", async () => copyOf(await copied.answer())?.head);
    expect(head.height).toBeGreaterThanOrEqual(20);
    await all([first], "the first goes on", holds(head.height + 20));
    expect((await first.block(head.height))?.hash).toBe(head.hash);
    const before = await copied.answer();
    expect([before && change(before)?.settled, before?.node]).toMatchObject([
      undefined,
      { kind: "open", height: head.height },
    ]);
    expect(await copied.block(head.height + 1)).toBeUndefined();

    await copied.patch(2, 3, { id: "join-2-copy-proven", ...join, copy: { proven: head } });
    await empty.patch(2, 3, { id: "join-2", ...join });
    const isAhead = holds(head.height + 30);
    await all([copied, empty], "both follow", (said) => change(said)?.settled === true && isAhead(said));

    await first.patch(1, 1, { id: "freeze-2", kind: "freeze", epoch: 1, to: 2 });
    const last = await agreed(members);
    const prepare = { id: "bootstrap-2", kind: "bootstrap", epoch: 2, voters: votersOf(3) } as const;
    await first.patch(1, 1, prepare);
    for (const member of [copied, empty]) await member.patch(2, 3, prepare);
    await all(members, "all are prepared", (said) => change(said)?.prepared === true);
    for (const member of members) await member.patch(2, 3, { id: "start-2", kind: "start", epoch: 2 });
    await all(members, "all go on, in Raft", (said) => isStarted(2)(said) && holds(last + 5)(said));
    await expectOneChain(members, last);
    await expectOneChain([first, copied], head.height);
  },
);
