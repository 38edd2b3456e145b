import type { Spec } from "../../src/api/evnodecluster.ts";
import { parseCluster } from "../../src/api/parse.ts";
import type { KubeObject } from "../../src/model/kube-object.ts";
import { type ReadObject, readReferences } from "../../src/observe/references.ts";
import { bootstrap } from "../../src/plan/bootstrap.ts";
import { membership } from "../../src/plan/membership.ts";
import { migration } from "../../src/plan/migration.ts";
import { rollout } from "../../src/plan/rollout.ts";
import { suspension } from "../../src/plan/suspension.ts";
import { briefAction } from "../brief.ts";
import { cluster, isEmpty, leader, member, NOW_MS, snapshot } from "../builders.ts";
import { changing, frozen, growing } from "../changing.ts";
import {
  behind,
  broken,
  leads,
  says,
  type Traits,
  timeAgo,
  touched,
  unready,
  updated,
} from "../member-traits.ts";
import { copy, empty, migrating, silent } from "../migrating.ts";
import { claimed, NEW_IMAGE, type RollingShape, rolling, wished } from "../rolling.ts";

const comesUp = (agoMs: number): Traits => [touched({ at: timeAgo(agoMs) }), broken, unready(agoMs)];
const certain = { isCertain: true, budget: claimed("seq-2") } as const;
const justUpdated = [updated, says({ ready: { ok: true, message: "", forMs: 5_000 } })];

/** Moments of a rollout at which its policy decides. */
const moments: readonly ((change: Partial<Spec>) => RollingShape)[] = [
  (change) => ({ change, ...certain, members: [leads, behind(18), []] }),
  (change) => ({ change, ...certain, members: [leads, [], justUpdated], budget: claimed("seq-1") }),
  (change) => ({ change, members: [leads, [], comesUp(100_000)] }),
  (change) => ({ change, members: [leads, [], comesUp(301_000)] }),
];

/** What is done at each of these moments, and before the rollout begins. */
export function behavesInRollouts(spec: Spec): readonly string[] {
  const change = { image: NEW_IMAGE, ...(spec.rollout && { rollout: spec.rollout }) };
  const seen = [
    ...moments.map((moment) => rolling(moment(change))),
    wished({ change, seen: { nowMs: NOW_MS } }),
  ];
  return seen.map((snapshot) => {
    const { stages = [], blockers = [] } = rollout(snapshot, []);
    const does = stages.map((stage) => stage.map(briefAction).join(", "));
    return [...does, ...blockers.map(({ reason }) => reason)].join("; ");
  });
}

/** What is done with one member that lost its volume, for the first time and after some others. */
export function behavesInRepairs({ repair }: Spec): readonly string[] {
  const members = [leader(0), member(1), member(2, isEmpty)];
  const one = { member: "seq-1", order: "rejoin-1", at: timeAgo(60_000) };
  const histories = [[], [one, { ...one, order: "rejoin-2" }]];
  return histories.map((repairs) => {
    const seen = cluster({ spec: repair ? { repair } : {}, status: { repairs } });
    const { stages = [], blockers = [] } = bootstrap(snapshot({ cluster: seen, members, isCertain: true }));
    return [...stages.flat().map(briefAction), ...blockers.map(({ reason }) => reason)].join("; ");
  });
}

/** What is done with the StatefulSet of a cluster that runs. */
export function behavesWhenSuspended({ suspend }: Spec): readonly string[] {
  const running = rolling({ isCertain: true });
  const asked = cluster({ spec: suspend === undefined ? {} : { suspend } });
  const { stages = [] } = suspension({ ...running, cluster: asked, parsed: parseCluster(asked, 1) });
  return stages.flat().map(briefAction);
}

/** What is done at the beginning of a change of the number of members, and when it has taken a minute. */
export function behavesInChanges({ membership: given }: Spec): readonly string[] {
  const spec = { membership: { approvedEpoch: 3, ...given } };
  const late = { ...growing, stoppedAt: timeAgo(60_000) };
  return [
    changing({ spec }),
    changing({ spec, record: late, members: [frozen(0), frozen(1), frozen(2)] }),
  ].map((seen) => {
    const { stages = [] } = membership(seen);
    return stages.flat().map(briefAction).join(", ");
  });
}

/** With what members follow a sequencer outside, what is told when nothing was ever heard of it, and what of a copy. */
export function behavesInMigrations(given: Spec): readonly string[] {
  const { chain, signer, migration: migrated } = given;
  const spec = { chain, signer, migration: migrated } as Partial<Spec>;
  const joined = migration(migrating({ spec, members: [empty(0), empty(1), empty(2)] }));
  const configs = (joined.stages ?? [])
    .flat()
    .flatMap((action) => (action.kind === "moveMember" ? action.configRevision : []));
  const told = migration(migrating({ spec, record: { version: 1 }, old: silent({ highest: undefined }) }))
    .membership?.message;
  const copied = migration(migrating({ spec, members: [copy(0), empty(1), empty(2)] }));
  return [...configs, told ?? "nothing", copied.blockers?.map(({ reason }) => reason).join() ?? "no problem"];
}

/** Which objects are read, and which of their entries are found, before there is an identity. */
export async function readsReferences(fields: Spec): Promise<unknown> {
  const parsed = parseCluster(cluster({ spec: fields }), 1);
  if (parsed.kind === "invalid") throw new Error(parsed.problems.join("; "));
  const asked: string[] = [];
  const read: ReadObject = <T extends KubeObject>(kind: { readonly kind: string }, name: string) => {
    asked.push(`${kind.kind} ${name}`);
    const data = { one: "{}", other: "[]" };
    const object = { apiVersion: "v1", kind: kind.kind, metadata: { name }, data };
    return Promise.resolve(object as unknown as T);
  };
  return {
    found: await readReferences(read, parsed.spec, { needsIdentity: true, isForOneNamespace: false }),
    asked: asked.sort(),
  };
}
