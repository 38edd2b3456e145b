import { expect, test } from "vitest";
import type { Blocker } from "../../src/api/conditions.ts";
import type { KubeObject } from "../../src/model/kube-object.ts";
import { guard } from "../../src/plan/guard.ts";
import type { References, Snapshot } from "../../src/plan/snapshot.ts";
import {
  briefPlan,
  cluster,
  evm,
  isPrepared,
  justApplied,
  member,
  members,
  objectMap,
  present,
  snapshot,
  withIntent,
} from "../builders.ts";

const invalid = { kind: "invalid", problems: ["spec.image: Required", "spec.chain: Required"] } as const;
const unmarked = { epoch: undefined, started: undefined };

const refersTo = (over: Partial<References>): References => ({ ...snapshot().references, ...over });
const missing = { kind: "missing", message: "It does not exist. Create it." } as const;
const bad = { kind: "invalid", message: "It is of no use." } as const;

const service = (metadata: Partial<KubeObject["metadata"]>): Pick<Snapshot, "objects"> => ({
  objects: objectMap([{ apiVersion: "v1", kind: "Service", metadata: { name: "seq-rpc", ...metadata } }]),
});
const ownedBy = (kind: string, name: string) => ({
  ownerReferences: [{ apiVersion: "evnode.dev/v1alpha1", kind, name, uid: "uid-of-an-earlier-life" }],
});

const says = (height: number, hash: string) =>
  ({ node: { kind: "open", isLeader: false, height, head: { height, hash, timeMs: 0 } } }) as const;
const forked = snapshot({
  members: [
    member(0, { says: says(7, "aa") }),
    member(1, { says: says(6, "zz") }),
    member(2, { says: says(7, "bb") }),
  ],
});

const config = (reason: Extract<Blocker, { type: "ConfigValid" }>["reason"], message: string): Blocker => ({
  type: "ConfigValid",
  reason,
  message,
});

interface Case {
  readonly name: string;
  readonly seen: Snapshot;
  readonly blockers: readonly Blocker[];
  readonly stop: boolean;
}

const identityCases: readonly Case[] = [
  {
    name: "a lost identity of a chain that was started is not replaced by a new one",
    seen: snapshot({ identity: { kind: "absent" }, members: [member(0, { claim: unmarked }), member(1)] }),
    blockers: [
      config(
        "IdentityLost",
        "Secret seq-identity is gone, but a chain was started on data-seq-1. Restore Secret seq-identity from a backup; without its signer the chain cannot go on. To give that chain up for ever, delete these claims.",
      ),
    ],
    stop: true,
  },
  {
    name: "no identity is made either while claims of a deleted cluster say that a chain was started",
    seen: justApplied({ members: [member(0, { pod: "none" }), member(1, { pod: "none" })] }),
    blockers: [
      config(
        "IdentityLost",
        "Secret seq-identity is gone, but a chain was started on data-seq-0, data-seq-1. Restore Secret seq-identity from a backup; without its signer the chain cannot go on. To give that chain up for ever, delete these claims.",
      ),
    ],
    stop: true,
  },
  {
    name: "a lost identity that the members' configs were made with is not replaced, though nothing has started",
    seen: { ...snapshot({ members: members(3, { claim: unmarked }) }), identity: { kind: "absent" } },
    blockers: [
      config(
        "IdentityLost",
        "Secret seq-identity is gone, but StatefulSet seq was made with it. Restore the Secret from a backup; or, as no member has started yet, delete the StatefulSet to have all made anew.",
      ),
    ],
    stop: true,
  },
  {
    name: "a damaged identity blocks, and a running cluster goes on",
    seen: {
      ...snapshot(),
      identity: { kind: "unusable", message: "Secret seq-identity: cluster_id is missing" },
    },
    blockers: [
      config(
        "IdentityMismatch",
        "Secret seq-identity: cluster_id is missing. Restore Secret seq-identity from a backup; without its signer the chain cannot go on.",
      ),
    ],
    stop: false,
  },
  {
    name: "an identity of another kind of app starts no EVM chain",
    seen: justApplied({ cluster: cluster({ spec: evm }), identity: present(), chainLock: { kind: "ours" } }),
    blockers: [
      config(
        "IdentityMismatch",
        "spec.app.kind is evm, but Secret seq-identity was made for an app of another kind: it has no usable jwt.hex. Set spec.app.kind back, or use another name for a new chain.",
      ),
    ],
    stop: true,
  },
  {
    name: "an identity of an EVM chain starts no other app, which would find no blocks on its volumes",
    seen: justApplied({ identity: present({ hasJwt: true }), chainLock: { kind: "ours" } }),
    blockers: [
      config(
        "IdentityMismatch",
        "spec.app.kind is testapp, but Secret seq-identity was made for an EVM chain: it has jwt.hex. Set spec.app.kind back, or use another name for a new chain.",
      ),
    ],
    stop: true,
  },
  {
    name: "an identity of another chain starts nothing",
    seen: justApplied({ identity: present({ chainId: "rollup-0" }), chainLock: { kind: "ours" } }),
    blockers: [
      config(
        "IdentityMismatch",
        "spec.chain.id is rollup-1, but Secret seq-identity and its volumes belong to chain rollup-0. Use that chain id, or another name for a new chain.",
      ),
    ],
    stop: true,
  },
];

const specCases: readonly Case[] = [
  {
    name: "an invalid spec starts nothing, and every problem is told",
    seen: { ...justApplied(), parsed: invalid },
    blockers: [config("SpecInvalid", "spec.image: Required"), config("SpecInvalid", "spec.chain: Required")],
    stop: true,
  },
  {
    name: "an invalid spec lets a running cluster go on",
    seen: { ...snapshot(), parsed: invalid },
    blockers: [config("SpecInvalid", "spec.image: Required"), config("SpecInvalid", "spec.chain: Required")],
    stop: false,
  },
  {
    name: "a field that cannot change is told, and the running cluster goes on with what it has",
    seen: {
      ...snapshot(),
      parsed: snapshot({ cluster: cluster({ spec: { raft: { port: 5002 }, storage: { size: "2Gi" } } }) })
        .parsed,
    },
    blockers: [
      config(
        "ImmutableFieldChanged",
        "spec.raft.port cannot change: the members' addresses are written into Raft's own log. Set it back; to begin anew, create another cluster.",
      ),
      config(
        "ImmutableFieldChanged",
        "spec.storage.size cannot change: this version cannot grow volumes; growth comes with a later version. Set it back.",
      ),
    ],
    stop: false,
  },
  {
    name: "a cluster that is applied again must have the raft port that its chain was begun with",
    seen: snapshot({
      cluster: cluster({ spec: { replicas: 5, raft: { port: 5002 } } }),
      statefulSet: undefined,
    }),
    blockers: [
      config(
        "ImmutableFieldChanged",
        "spec asks for raft port 5002, but the chain was begun with 3 members, raft port 5001, which stand in raft's own log. Set spec.raft.port back.",
      ),
    ],
    stop: true,
  },
  {
    name: "a missing signer and a wrong genesis are told before an identity is made of them",
    seen: justApplied({ references: refersTo({ signer: missing, genesis: bad }) }),
    blockers: [config("SecretMissing", missing.message), config("GenesisInvalid", bad.message)],
    stop: true,
  },
  {
    name: "a genesis of another proposer has a reason of its own",
    seen: justApplied({ references: refersTo({ genesis: { ...bad, reason: "ProposerMismatch" } }) }),
    blockers: [config("ProposerMismatch", bad.message)],
    stop: true,
  },
  {
    name: "signer and genesis are not needed once the identity has taken them over",
    seen: snapshot({ references: refersTo({ signer: missing, genesis: missing }) }),
    blockers: [],
    stop: false,
  },
  {
    name: "a token and a storage class are needed for good",
    seen: snapshot({ references: refersTo({ daAuthToken: bad, storageClass: missing }) }),
    blockers: [config("SecretInvalid", bad.message), config("StorageClassMissing", missing.message)],
    stop: false,
  },
  {
    name: "so is the genesis of the execution layer, which every new pod mounts",
    seen: snapshot({ references: refersTo({ executionGenesis: missing }) }),
    blockers: [config("GenesisMissing", missing.message)],
    stop: false,
  },
];

/** A cluster whose spec was edited, and whose StatefulSet then lost what its pods were made from. */
const edited = snapshot({ cluster: cluster({ spec: { image: "example.org/testapp:2" } }) });
const unreadable = (problem: string, remedy?: string) => [
  config(
    "IntentUnreadable",
    `StatefulSet seq does not tell what its pods are made from, so nothing of it is changed. Annotation evnode.dev/intent: ${problem}. ${remedy ?? "It is put back as soon as the spec is what the pods were made from: undo what was changed since. Or let pods that are made from now on follow the spec: kubectl delete -n rollup statefulsets/seq --cascade=orphan --wait=false"}`,
  ),
];

const intentCases: readonly Case[] = [
  {
    name: "an intent that is gone while a change waits blocks, and the running cluster goes on with what it has",
    seen: withIntent(edited, undefined),
    blockers: unreadable("it is missing"),
    stop: false,
  },
  {
    name: "so does one that somebody wrote over",
    seen: withIntent(edited, '{"version":1,"spec":{},"agentImage":"a","configRevision":"r"}'),
    blockers: unreadable("spec.defaultsVersion: Invalid input: expected number, received undefined"),
    stop: false,
  },
  {
    name: "the intent of a later operator is left to it, whatever the spec says",
    seen: withIntent(snapshot(), '{"version":2}'),
    blockers: unreadable("version: 2 is not known here", "Run the operator that wrote it, or a newer one."),
    stop: false,
  },
  {
    name: "an intent that is gone while nothing else changed is put back without a word",
    seen: withIntent(snapshot(), undefined),
    blockers: [],
    stop: false,
  },
  {
    name: "without its identity nobody can tell whether the spec is what runs",
    seen: {
      ...withIntent(edited, undefined),
      identity: { kind: "unusable", message: "Secret seq-identity: x" },
    },
    blockers: [
      config(
        "IdentityMismatch",
        "Secret seq-identity: x. Restore Secret seq-identity from a backup; without its signer the chain cannot go on.",
      ),
    ],
    stop: false,
  },
];

const strangerMessage =
  "Service seq-rpc exists and was not made for this EvNodeCluster. Rename or delete it, or use another name than seq.";

const worldCases: readonly Case[] = [
  { name: "a cluster that is well is not stopped", seen: snapshot(), blockers: [], stop: false },
  {
    name: "a chain that another cluster runs is not started",
    seen: snapshot({ statefulSet: undefined, chainLock: { kind: "held", by: "EvNodeCluster other/seq" } }),
    blockers: [
      config(
        "ChainLocked",
        "Chain rollup-1 with this signer belongs to EvNodeCluster other/seq, also after that was deleted, as its volumes are kept. Two clusters with one signer fork the chain. Delete this one, or use another signer and chain id.",
      ),
    ],
    stop: true,
  },
  {
    name: "a stranger's object under our name blocks a start",
    seen: justApplied(service({})),
    blockers: [config("NameConflict", strangerMessage)],
    stop: true,
  },
  {
    name: "an object of another cluster's is a stranger's too",
    seen: justApplied(service(ownedBy("EvNodeCluster", "other"))),
    blockers: [config("NameConflict", strangerMessage)],
    stop: true,
  },
  {
    name: "different blocks at one height freeze everything",
    seen: forked,
    blockers: [
      {
        type: "ChainSafe",
        reason: "HashesDiffer",
        message:
          "At height 7, seq-0 holds block aa and seq-2 holds bb. Stop sending transactions and keep all volumes.",
      },
    ],
    stop: true,
  },
];

test.each([...identityCases, ...specCases, ...intentCases, ...worldCases])(
  "$name",
  ({ seen, blockers, stop }) => {
    const step = guard(seen);
    expect(step.blockers ?? []).toEqual(blockers);
    expect(step.stop ?? false).toBe(stop);
    expect(step.stages).toBeUndefined();
    expect(step.recheckAfterMs).toBe(blockers.length > 0 ? 15_000 : undefined);
  },
);

test("what an earlier life of the cluster left is waited for, without a word", () => {
  const seen = justApplied(service(ownedBy("EvNodeCluster", "seq")));
  expect(guard(seen)).toEqual({ stop: true, recheckAfterMs: 500 });
});

test("a lost identity makes nothing, neither Secret nor StatefulSet nor orders", () => {
  const lost = snapshot({ identity: { kind: "absent" }, objects: new Map() });
  expect(briefPlan(lost)).toEqual([]);
});

test("a fork freezes a member that would otherwise start", () => {
  const waiting = member(2, isPrepared);
  expect(briefPlan(snapshot({ members: [member(0), member(1), waiting] }))).toEqual([
    "bootstrap: order seq-2 start",
  ]);
  expect(briefPlan({ ...forked, members: [...forked.members, { ...waiting, name: "seq-3" }] })).toEqual([]);
});

test("the chain of a cluster being applied with another's chain id is not touched", () => {
  const seen = justApplied({
    cluster: cluster({ spec: { chain: { id: "rollup-2" } } }),
    identity: present(),
    chainLock: { kind: "ours" },
  });
  expect(briefPlan(seen)).toEqual([]);
});
