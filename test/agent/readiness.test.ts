import { expect, test } from "vitest";
import type { Findings } from "../../src/agent/findings.ts";
import { judgeReadiness } from "../../src/agent/readiness.ts";
import { closedNode, inSync, layer, NOW, openNode, peer } from "./findings.ts";

const tolerated = 10;
const tooOld = NOW - 5_001;
const unreached = { raftReachedAtMs: tooOld };

const cases: readonly [title: string, changes: Partial<Findings>, ok: boolean, message: string][] = [
  ["a member in sync is ready", {}, true, "in sync"],
  ["a leader in sync is ready", { node: openNode({ isLeader: true }) }, true, "in sync"],
  [
    "not before prepare is done",
    { prepare: { kind: "waiting", for: "start", message: "" } },
    false,
    "the member is not prepared yet",
  ],
  ["not without a process", { node: closedNode() }, false, "ev-node does not run"],
  [
    "not without a leader",
    { node: closedNode({ metricsPortOpen: true }) },
    false,
    "ev-node runs, but its HTTP server is closed: it knows no leader",
  ],
  ["not without a height", { node: openNode({ height: undefined }) }, false, "ev-node's height is not known"],
  [
    "not with a height that is too old to be known",
    { node: openNode({ height: { value: 50, atMs: tooOld } }) },
    false,
    "ev-node's height is not known",
  ],
  [
    "as far behind as is tolerated is ready",
    { peers: [peer("chain-1", { height: { value: 60, atMs: NOW } }), peer("chain-2")] },
    true,
    "in sync",
  ],
  [
    "one block further behind is not",
    { peers: [peer("chain-1"), peer("chain-2", { height: { value: 61, atMs: NOW } })] },
    false,
    "11 blocks behind chain-2, tolerated are 10",
  ],
  [
    "blocks that a peer made since the own height was read are no lag",
    {
      node: openNode({ height: { value: 50, atMs: NOW - 900 } }),
      peers: [
        peer("chain-1", {
          height: { value: 75, atMs: NOW },
          heightBefore: { value: 58, atMs: NOW - 1_000 },
        }),
        peer("chain-2", { height: { value: 75, atMs: NOW } }),
      ],
    },
    true,
    "in sync",
  ],
  [
    "but those before it are",
    {
      node: openNode({ height: { value: 50, atMs: NOW - 900 } }),
      peers: [
        peer("chain-1", {
          height: { value: 75, atMs: NOW },
          heightBefore: { value: 61, atMs: NOW - 900 },
        }),
        peer("chain-2"),
      ],
    },
    false,
    "11 blocks behind chain-1, tolerated are 10",
  ],
  [
    "a peer's old height does not count",
    { peers: [peer("chain-1"), peer("chain-2", { height: { value: 99, atMs: tooOld } })] },
    true,
    "in sync",
  ],
  [
    "ahead of peers that lag is ready",
    { peers: [peer("chain-1", { height: { value: 3, atMs: NOW } }), peer("chain-2", { height: undefined })] },
    true,
    "in sync",
  ],
  [
    "one of two peers reached is a majority of three",
    { peers: [peer("chain-1", unreached), peer("chain-2")] },
    true,
    "in sync",
  ],
  [
    "none of two is not, however equal the heights are",
    { peers: [peer("chain-1", unreached), peer("chain-2", { raftReachedAtMs: undefined })] },
    false,
    "reaches 1 of 3 members on the raft port, itself included, needs 2; not reached: chain-1, chain-2",
  ],
  [
    "one of four peers is no majority of five",
    { peers: [peer("a"), peer("b", unreached), peer("c", unreached), peer("d", unreached)] },
    false,
    "reaches 2 of 5 members on the raft port, itself included, needs 3; not reached: b, c, d",
  ],
  [
    "a single lost probe within the last seconds is forgiven",
    {
      peers: [
        peer("chain-1", { raft: { kind: "timedOut", atMs: NOW }, raftReachedAtMs: NOW - 5_000 }),
        peer("chain-2", unreached),
      ],
    },
    true,
    "in sync",
  ],
  ["with an execution layer that is level it is ready", { execution: layer() }, true, "in sync"],
  [
    "with one as far behind as is tolerated too",
    { execution: layer({ blocksBehind: { value: 10, atMs: NOW } }) },
    true,
    "in sync",
  ],
  [
    "one block further behind it is not",
    { execution: layer({ blocksBehind: { value: 11, atMs: NOW } }) },
    false,
    "the execution layer is 11 blocks behind ev-node's own, tolerated are 10",
  ],
  [
    "nor before its execution client has answered",
    { execution: layer({ height: undefined, blocksBehind: undefined, engine: "unknown" }) },
    false,
    "the height of the execution layer is not known",
  ],
  [
    "nor when that has fallen silent",
    { execution: layer({ height: { value: 50, atMs: tooOld } }) },
    false,
    "the height of the execution layer is not known",
  ],
  [
    "nor when the two heights were not seen together lately",
    { execution: layer({ blocksBehind: { value: 0, atMs: tooOld } }) },
    false,
    "it is not known how far the execution layer is behind",
  ],
  [
    "nor with an engine that takes nothing, however level the layer was",
    { execution: layer({ engine: "closed" }) },
    false,
    "the execution client does not run: its engine port is closed",
  ],
  [
    "an engine that was not heard of in time is not closed",
    { execution: layer({ engine: "unknown" }) },
    true,
    "in sync",
  ],
  [
    "of a pod in which nothing runs both are named",
    { node: closedNode(), execution: layer({ height: undefined, engine: "closed" }) },
    false,
    "ev-node does not run, nor does its execution client",
  ],
  [
    "a member that is frozen is not ready, whatever it holds",
    {
      mode: { kind: "level", loggedHeight: 50 },
      volume: { kind: "intact", epoch: 1, started: true, change: { kind: "frozen", to: 2 } },
    },
    false,
    "is frozen in epoch 1, for the change of the membership to epoch 2: it runs as a full node until then",
  ],
  [
    "nor is one that joins",
    {
      mode: { kind: "level", loggedHeight: 0 },
      volume: { kind: "intact", epoch: 2, started: false, change: { kind: "joining" } },
    },
    false,
    "joins for epoch 2, which has not begun: it runs as a full node until then",
  ],
  ["a member without peers is a majority by itself", { peers: [] }, true, "in sync"],
  [
    "a raft folder lost under a running member does not make it unready: it still takes part",
    { volume: { kind: "damaged", message: "the folder raft-1 is missing" } },
    true,
    "in sync",
  ],
];

test.each(cases)("%s", (_, changes, ok, message) => {
  expect(judgeReadiness({ ...inSync, ...changes }, tolerated, NOW)).toEqual({ ok, message });
});
