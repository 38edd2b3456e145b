import { describe, expect, test } from "vitest";
import { type AgentAnswer, orderSchema } from "../../src/model/agent-protocol.ts";
import { bootstrap } from "../../src/plan/bootstrap.ts";
import type { Snapshot } from "../../src/plan/snapshot.ts";
import type { Step } from "../../src/plan/step.ts";
import {
  brief,
  briefPlan,
  cluster,
  converged,
  has,
  isEmpty,
  isPrepared,
  leader,
  type MemberShape,
  member,
  NOW_MS,
  peer,
  present,
  snapshot,
  unstarted,
  withIntent,
} from "../builders.ts";

const unmarked = { epoch: undefined, started: undefined };
const isStarted = has({ kind: "intact", epoch: 1, started: true });
const isForeign = has({ kind: "foreign", message: "the volume is of member x-1, expected seq-1" });
const isDamaged = has({ kind: "damaged", message: "the folder raft-1 is missing" });
const isSilent = { says: "nothing" } as const;

/** What one decider wants, in short. */
const wants = (step: Step) =>
  brief({
    decided: step.stages ? [{ by: "bootstrap", stages: step.stages }] : [],
    blockers: [],
    recheckAfterMs: 0,
  });

/** Members that have never started, each in its own state. */
const before = (...shapes: readonly MemberShape[]) =>
  unstarted({}, { members: shapes.map((shape, ordinal) => member(ordinal, { claim: unmarked, ...shape })) });
/** Members of a cluster that was bootstrapped. */
const after = (...shapes: readonly MemberShape[]) =>
  snapshot({ members: shapes.map((shape, ordinal) => member(ordinal, shape)) });

interface Case {
  readonly name: string;
  readonly seen: Snapshot;
  readonly wants: readonly string[];
}

const markAll = [
  "bootstrap: mark data-seq-0, mark data-seq-1, mark data-seq-2",
  "bootstrap: markBootstrapped",
];

const firstStart: readonly Case[] = [
  {
    name: "empty volumes of a new cluster are prepared",
    seen: before(isEmpty, isEmpty, isEmpty),
    wants: ["bootstrap: order seq-0 bootstrap, order seq-1 bootstrap, order seq-2 bootstrap"],
  },
  {
    name: "not before every agent answers, since those that are prepared look for the others at once",
    seen: before(isEmpty, isSilent, { pod: "none", claim: unmarked }),
    wants: [],
  },
  {
    name: "a claim that was not seen yet may be marked, so no volume is prepared before",
    seen: before(isEmpty, isEmpty, { ...isEmpty, claim: "none" }),
    wants: [],
  },
  {
    name: "nor marked, since its claim would stay unmarked",
    seen: before(isPrepared, isPrepared, { ...isPrepared, claim: "none" }),
    wants: [],
  },
  {
    name: "a volume that is not checked yet is waited for",
    seen: before(isPrepared, isPrepared, has({ kind: "unchecked" })),
    wants: [],
  },
  {
    name: "a prepared cluster is marked on every claim first, and then on the identity",
    seen: before(isPrepared, isPrepared, isPrepared),
    wants: markAll,
  },
  {
    name: "a volume that was prepared for another epoch is not prepared for this one",
    seen: before(isPrepared, isPrepared, has({ kind: "intact", epoch: 2, started: false })),
    wants: [],
  },
  {
    name: "one member that is not prepared holds all marks back",
    seen: before(isPrepared, isPrepared, isSilent),
    wants: [],
  },
  {
    name: "what another identity's agent says is no answer",
    seen: before(isPrepared, isPrepared, { says: { ...isPrepared.says, clusterId: "c0" } }),
    wants: [],
  },
  {
    name: "what an earlier pod of the name said is no answer",
    seen: before(isPrepared, isPrepared, { says: { ...isPrepared.says, podUid: "uid-before" } }),
    wants: [],
  },
  {
    name: "nor does what it says of a volume tell that this chain was begun",
    seen: before(isEmpty, isEmpty, { says: { ...isStarted.says, clusterId: "c0" } }),
    wants: [],
  },
  {
    name: "those that are empty are prepared beside those that were before",
    seen: before(isEmpty, isPrepared, isEmpty),
    wants: ["bootstrap: order seq-0 bootstrap, order seq-2 bootstrap"],
  },
  {
    name: "a foreign volume stops the whole bootstrap",
    seen: before(isEmpty, isForeign, isEmpty),
    wants: [],
  },
  {
    name: "a volume that was damaged before anything started stops it too",
    seen: before(isEmpty, isDamaged, isEmpty),
    wants: [],
  },
];

const resumed: readonly Case[] = [
  {
    name: "an operator that was stopped between the marks goes on marking",
    seen: before({ ...isPrepared, claim: {} }, isPrepared, isPrepared),
    wants: ["bootstrap: mark data-seq-1, mark data-seq-2", "bootstrap: markBootstrapped"],
  },
  {
    name: "and when only the identity's mark is missing, with that",
    seen: before({ ...isPrepared, claim: {} }, { ...isPrepared, claim: {} }, { ...isPrepared, claim: {} }),
    wants: ["bootstrap: markBootstrapped"],
  },
  {
    name: "an identity restored from before the first start does not make an emptied volume new again",
    seen: before({ ...isStarted, claim: {} }, { ...isStarted, claim: {} }, { ...isEmpty, claim: {} }),
    wants: ["bootstrap: markBootstrapped"],
  },
  {
    name: "not even when the volume's claim is a new one",
    seen: before({ ...isStarted, claim: {} }, { ...isStarted, claim: {} }, isEmpty),
    wants: ["bootstrap: markBootstrapped"],
  },
  {
    name: "a volume that was started tells as much as a marked claim",
    seen: before(isStarted, isEmpty, isEmpty),
    wants: ["bootstrap: mark data-seq-0", "bootstrap: markBootstrapped"],
  },
  {
    name: "a prepared volume's claim that is not seen is waited for here too",
    seen: before({ ...isPrepared, claim: {} }, isPrepared, { ...isPrepared, claim: "none" }),
    wants: [],
  },
  {
    name: "a silent member's claim would stay unmarked for ever, so it is waited for",
    seen: before({ ...isPrepared, claim: {} }, isSilent, isPrepared),
    wants: [],
  },
];

const running: readonly Case[] = [
  {
    name: "a prepared volume with a marked claim starts",
    seen: after(isPrepared, isPrepared, isPrepared),
    wants: ["bootstrap: order seq-0 start, order seq-1 start, order seq-2 start"],
  },
  { name: "a volume that was started needs no order", seen: after({}, {}, isStarted), wants: [] },
  {
    name: "a prepared volume behind an unmarked claim does not start: the claim is a new one",
    seen: after({}, {}, { ...isPrepared, claim: unmarked }),
    wants: [],
  },
  {
    name: "a volume of another epoch does not start",
    seen: after({}, {}, has({ kind: "intact", epoch: 2, started: false })),
    wants: [],
  },
  { name: "an empty volume gets no order without approval", seen: after({}, {}, isEmpty), wants: [] },
  {
    name: "nor when all are empty, as after every claim was deleted",
    seen: after(
      { ...isEmpty, claim: unmarked },
      { ...isEmpty, claim: unmarked },
      { ...isEmpty, claim: unmarked },
    ),
    wants: [],
  },
  { name: "nor a damaged one", seen: after({}, {}, isDamaged), wants: [] },
  { name: "nor a foreign one", seen: after({}, {}, isForeign), wants: [] },
];

describe.each([
  ["before the first start", firstStart],
  ["when marks were lost or not written", resumed],
  ["after the first start", running],
])("%s", (_, cases) => {
  test.each(cases)("$name", ({ seen, wants: wanted }) => {
    expect(wants(bootstrap({ ...seen, isCertain: true }))).toEqual(wanted);
  });
});

describe("a first start with prepared volumes", () => {
  type Peer = AgentAnswer["peers"][number];
  /** As the agent of seq-0 tells its way to seq-1. */
  const seen = (to: Partial<Peer>, second: MemberShape = isPrepared) => {
    const peers = [peer("seq-1", to), peer("seq-2")];
    const first = { ...isPrepared, says: { ...isPrepared.says, peers } };
    return { ...before(first, second, isPrepared), isCertain: true };
  };
  const goesOn = markAll;

  test.each<[string, Snapshot, readonly string[], string | undefined]>([
    [
      "goes on when ports refuse: nobody listens yet",
      seen({ raft: { kind: "refused", ageMs: 1 } }),
      goesOn,
      undefined,
    ],
    ["waits while a path gets no answer", seen({ raft: { kind: "timedOut", ageMs: 1 } }), [], undefined],
    ["waits while a name has no address", seen({ raft: { kind: "unresolved", ageMs: 1 } }), [], undefined],
    ["waits while a path is about to be looked at", seen({ raft: { kind: "unknown" } }), [], undefined],
    [
      "says so when a path stays blocked",
      seen({ raft: { kind: "timedOut", ageMs: 1, lasting: true } }),
      [],
      "Connected PathBlocked: No member is started before all Raft paths are open. Blocked, no answer, as behind a firewall or a NetworkPolicy: seq-0 to seq-1 on Raft port 5001. Look at what lies between them, first at: kubectl get networkpolicies -n rollup.",
    ],
    [
      "says so when a name stays without an address",
      seen({ raft: { kind: "unresolved", ageMs: 1, lasting: true } }),
      [],
      "Connected NameUnresolved: No member is started before all Raft paths are open. The name of the other member has no address, or that of another pod: seq-0 to seq-1. Look at the cluster's DNS, and at: kubectl get endpointslices -n rollup.",
    ],
    [
      "does not wait for the P2P port, over which members only catch up",
      seen({ p2p: { kind: "timedOut", ageMs: 1, lasting: true } }),
      goesOn,
      undefined,
    ],
    [
      "does not wait for what agents do not tell: those of an older version never do",
      {
        ...before(...[0, 1, 2].map(() => ({ ...isPrepared, says: { ...isPrepared.says, peers: [] } }))),
        isCertain: true,
      },
      goesOn,
      undefined,
    ],
  ])("%s", (_, snapshotSeen, wanted, says) => {
    const step = bootstrap(snapshotSeen);
    expect(wants(step)).toEqual(wanted);
    const told = (step.blockers ?? []).map(({ type, reason, message }) => `${type} ${reason}: ${message}`);
    expect(told).toEqual(says === undefined ? [] : [says]);
    expect(step.recheckAfterMs).toBe(wanted === goesOn ? 0 : 5_000);
  });

  test("that was begun is not held back: members that ran need each other", () => {
    const cut = {
      ...isStarted,
      says: {
        ...isStarted.says,
        peers: [peer("seq-1", { raft: { kind: "timedOut", ageMs: 1, lasting: true } })],
      },
    };
    expect(
      wants(bootstrap({ ...before({ ...cut, claim: {} }, isPrepared, isPrepared), isCertain: true })),
    ).toEqual(["bootstrap: mark data-seq-1, mark data-seq-2", "bootstrap: markBootstrapped"]);
  });
});

test("a claim is marked on the server's own word: what is remembered may join a new claim to the pod before it", () => {
  const seen = before({ ...isPrepared, claim: {} }, isPrepared, isPrepared);
  expect(seen.isCertain).toBe(false);
  expect(bootstrap(seen)).toEqual({ needsCertainty: true });
});

test("an order is given once: a pod that carries it is left alone, and so is one that is stopping", () => {
  const [given] = bootstrap(after(isPrepared, {}, {})).stages?.flat() ?? [];
  if (given?.kind !== "order") throw new Error("a prepared volume is to be started");
  const order = JSON.stringify(given.order);
  expect(wants(bootstrap(after({ ...isPrepared, pod: { order } }, {}, {})))).toEqual([]);
  expect(wants(bootstrap(after({ ...isPrepared, pod: { terminating: true } }, {}, {})))).toEqual([]);
  expect(wants(bootstrap(after({ ...isPrepared, pod: { order: "{}" } }, {}, {})))).toEqual([
    "bootstrap: order seq-0 start",
  ]);
});

describe("an order that the agent should have by now", () => {
  const order = JSON.stringify({ id: "start-1", kind: "start", epoch: 1 });
  const since = (ms: number) => ({ pod: { order, orderGivenAt: new Date(NOW_MS - ms).toISOString() } });
  const says = (what: object) => ({ ...since(60_000), says: { ...isPrepared.says, ...what } });

  test.each<[string, MemberShape, readonly string[]]>([
    [
      "is given again: kubelet may have missed the change",
      { ...isPrepared, ...since(5_000) },
      ["bootstrap: order seq-0 start"],
    ],
    ["is waited for first", { ...isPrepared, ...since(4_999) }, []],
    [
      "is given again when it is not known since when",
      { ...isPrepared, pod: { order, orderGivenAt: undefined } },
      ["bootstrap: order seq-0 start"],
    ],
    [
      "is not given again to one that refuses it",
      says({ refusedOrder: { id: "start-1", message: "no" } }),
      [],
    ],
    ["is not given again to one that has done it", says({ executedOrder: "start-1" }), []],
  ])("%s", (_, shape, wanted) => {
    const step = bootstrap(after(shape, {}, {}));
    expect(wants(step)).toEqual(wanted);
    expect(step.recheckAfterMs).toBe(5_000);
  });
});

test("the order to bootstrap names every member by the host name that it will have for ever", () => {
  const applied = cluster({ spec: { replicas: 5, raft: { port: 5002 } } });
  const identity = present({ bootstrapped: undefined, clusterDomain: "k8s.example.org" });
  const seen = converged(unstarted(isEmpty, { cluster: applied, identity }), applied);
  const [first] = bootstrap(seen).stages?.flat() ?? [];
  if (first?.kind !== "order") throw new Error("an empty volume is to be prepared");
  expect(orderSchema.parse(first.order)).toEqual({
    id: "bootstrap-1",
    kind: "bootstrap",
    epoch: 1,
    voters: [0, 1, 2, 3, 4].map((ordinal) => ({
      id: `seq-${ordinal}`,
      address: `seq-${ordinal}.seq.rollup.svc.k8s.example.org:5002`,
    })),
  });
});

test.each<[string, MemberShape]>([
  ["no volume is prepared", isEmpty],
  ["no claim is marked", isPrepared],
])("while nothing tells what the pods are made from %s, whatever the spec says", (_, shape) => {
  expect(bootstrap(withIntent(before(shape, shape, shape), undefined))).toEqual({});
});

test.each<[string, Partial<Snapshot>]>([
  ["without a StatefulSet", { statefulSet: undefined }],
  ["without an identity", { identity: { kind: "absent" } }],
  [
    "while another cluster holds the chain lock",
    { chainLock: { kind: "held", by: "EvNodeCluster other/seq" } },
  ],
])("%s nobody is ordered to start", (_, missing) => {
  expect(bootstrap({ ...after(isPrepared, isPrepared, isPrepared), ...missing })).toEqual({});
  expect(bootstrap({ ...before(isEmpty, isEmpty, isEmpty), ...missing })).toEqual({});
});

test("a first start takes three looks: prepare, mark, start", () => {
  const marked = present({ bootstrapped: 1 });
  expect(briefPlan(before(isEmpty, isEmpty, isEmpty))).toEqual(firstStart[0]?.wants);
  expect(briefPlan({ ...before(isPrepared, isPrepared, isPrepared), isCertain: true })).toEqual(markAll);
  expect(
    briefPlan(snapshot({ identity: marked, members: [leader(0), member(1), member(2, isPrepared)] })),
  ).toEqual(["bootstrap: order seq-2 start"]);
});
