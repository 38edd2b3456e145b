import type { Spec } from "../src/api/evnodecluster.ts";
import type { AgentAnswer, VolumeChange } from "../src/model/agent-protocol.ts";
import { annotations } from "../src/model/annotations.ts";
import type { Identity } from "../src/model/identity.ts";
import type { Member, MemberClaim, MemberPod } from "../src/model/member.ts";
import type { MigrationRecord } from "../src/model/migration-record.ts";
import type { OldSequencer, ToldBlock } from "../src/model/old-sequencer.ts";
import { intentsOf } from "../src/plan/intent.ts";
import { followingConfigs } from "../src/plan/migration-scene.ts";
import type { Snapshot } from "../src/plan/snapshot.ts";
import { cluster, converged, has, member, present, snapshot, withConfigs, withNotes } from "./builders.ts";

/** A cluster that takes over the chain of a sequencer outside, somewhere on the way. */

const PEER = "/dns4/old.example.com/tcp/7676/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";
const RPC = "http://old.example.com:7331";
const HEAD = { height: 100, hash: "aa", timeMs: 1 };
export const TOLD: ToldBlock = { height: 100, hash: "aa" };

export const takenOver = (
  oldSequencer: "Running" | "Stopped",
  over: Partial<NonNullable<Spec["migration"]>> = {},
): Partial<Spec> => ({
  chain: { id: "rollup-1", genesis: { configMap: { name: "genesis", key: "genesis.json" } } },
  signer: { secretName: "signer" },
  migration: { peer: PEER, rpcAddress: RPC, oldSequencer, ...over },
});

const chain = { chainId: "rollup-1", proposer: present().identity.proposer };

/** It makes blocks. */
export const running = (over: Partial<OldSequencer> = {}): OldSequencer => ({
  last: { kind: "told", block: TOLD, chain },
  chain,
  highest: TOLD,
  asked: [],
  silentMs: 0,
  membersStillMs: 0,
  ...over,
});

/** Nothing was heard of it for a minute. */
export const silent = (over: Partial<OldSequencer> = {}): OldSequencer => ({
  last: { kind: "silent", why: "the connection is refused" },
  chain,
  highest: TOLD,
  asked: [],
  silentMs: 60_000,
  membersStillMs: 60_000,
  ...over,
});

export interface MigratingShape {
  readonly spec?: Partial<Spec>;
  readonly old?: OldSequencer | undefined;
  readonly record?: MigrationRecord | "none";
  readonly members?: readonly Member[];
  readonly identity?: Partial<Identity>;
  readonly isCertain?: boolean;
  /** Whether the configurations that name the old sequencer are not in the Secret yet. */
  readonly lacksConfigs?: boolean;
}

export function migrating(shape: MigratingShape = {}): Snapshot {
  const { record = { version: 1, told: TOLD }, old = running() } = shape;
  const given = snapshot({
    cluster: cluster({ spec: shape.spec ?? takenOver("Running") }),
    identity: present({ bootstrapped: undefined, membership: undefined, ...shape.identity }),
    members: shape.members ?? [following(0), following(1), following(2)],
    isCertain: shape.isCertain ?? true,
    oldSequencer: old,
  });
  const bare = converged(given, cluster({ spec: { ...takenOver("Running"), ...ofChain(shape.spec) } }));
  const seen = record === "none" ? bare : withRecord(bare, record);
  return shape.lacksConfigs ? seen : withConfigs(seen);
}

/** What cannot change is as the cluster was applied. */
const ofChain = (spec: Partial<Spec> | undefined) => (spec?.chain ? { chain: spec.chain } : {});

function withRecord(seen: Snapshot, record: MigrationRecord): Snapshot {
  const { statefulSet } = seen;
  if (!statefulSet) throw new Error("the snapshot has a StatefulSet");
  const notes = { [annotations.migration]: JSON.stringify(record) };
  return { ...seen, statefulSet: withNotes(statefulSet, notes) };
}

/** The revision of the configurations that name the old sequencer. */
export function followingRevision(spec: Partial<Spec> = takenOver("Running")): string {
  const seen = migrating({ spec, members: [empty(0), empty(1), empty(2)] });
  const { identity } = seen;
  const intents = identity.kind === "present" ? intentsOf(seen, identity.identity) : undefined;
  const configs =
    identity.kind === "present" && intents ? followingConfigs(seen, identity.identity, intents) : undefined;
  if (!configs) throw new Error("the cluster follows a sequencer");
  return configs.revision;
}

const unmarked = { epoch: undefined, started: undefined };

/** Its volume is new. */
export const empty = (ordinal: number) => member(ordinal, { claim: unmarked, ...has({ kind: "empty" }) });

/** Somebody copied a node's data there. */
export const copy = (ordinal: number) =>
  member(ordinal, { claim: unmarked, ...has({ kind: "foreign", message: "of nobody", copy: true }) });

type Copy = Extract<VolumeChange, { kind: "joining" }>["copy"];

interface FollowingShape {
  /** Its blocks came with a copy. */
  readonly copy?: Copy;
  readonly head?: typeof HEAD;
  readonly isSettled?: boolean;
  readonly isPrepared?: boolean;
  readonly claim?: Partial<MemberClaim>;
  readonly pod?: Partial<MemberPod>;
  readonly says?: Partial<AgentAnswer>;
}

/** It runs ev-node as a full node, and holds this last block. */
export function following(ordinal: number, shape: FollowingShape = {}): Member {
  const { head = HEAD, copy: copied, isPrepared = false } = shape;
  const { isSettled = copied === undefined || copied.proven === true } = shape;
  return member(ordinal, {
    claim: { ...unmarked, ...shape.claim },
    pod: { configRevision: revision(), ready: false, role: undefined, ...shape.pod },
    says: {
      mode: { kind: "level", loggedHeight: 0 },
      volume: {
        kind: "intact",
        epoch: 1,
        started: false,
        change: {
          kind: "joining",
          ...(isSettled ? { settled: true } : {}),
          ...(isPrepared ? { prepared: true } : {}),
          ...(copied ? { copy: copied } : {}),
        },
      },
      node: { kind: "open", height: head.height, head },
      ...shape.says,
    },
  });
}

let known: string | undefined;
const revision = () => (known ??= followingRevision());

/** Its volume is prepared for the start. */
export const prepared = (ordinal: number, shape: FollowingShape = {}) =>
  following(ordinal, { isPrepared: true, ...shape });
