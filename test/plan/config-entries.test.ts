import { expect, test } from "vitest";
import { annotations } from "../../src/model/annotations.ts";
import type { Secret } from "../../src/model/objects.ts";
import { wantedEntries } from "../../src/plan/config-entries.ts";
import { sceneOf } from "../../src/plan/rollout-scene.ts";
import type { Snapshot } from "../../src/plan/snapshot.ts";
import { leads, noted, type Traits, updated } from "../member-traits.ts";
import {
  completedRecord,
  type RollingShape,
  reverting,
  rolling,
  unprovenRecord,
  wished,
} from "../rolling.ts";

const change = { log: { level: "debug" } } as const;
const allUpdated: readonly Traits[] = [[updated, leads], updated, updated];
const revisionOf = ({ statefulSet }: Snapshot) =>
  statefulSet?.spec?.template.metadata?.annotations?.[annotations.configRevision] ?? "?";
const [old, next] = [revisionOf(wished({ change })), revisionOf(rolling({ change }))];

/** The revisions that are kept for every member. */
function kept(seen: Snapshot, isWished = false): readonly string[] {
  const intents = sceneOf(seen, [])?.intents;
  if (!intents) throw new Error("the cluster is set up");
  const entries = wantedEntries(seen, intents, isWished ? intents.wish?.configs : undefined);
  const revisions = [...new Set([...entries.keys()].map((entry) => entry.split(".")[1] ?? ""))];
  for (const revision of revisions)
    for (const { name } of seen.members) expect(entries.get(`${name}.${revision}.yaml`)).toBeTruthy();
  return revisions
    .map((revision) => (revision === old ? "old" : revision === next ? "new" : revision))
    .sort();
}

const shape = (more: RollingShape): RollingShape => ({ change, ...more });

test.each<[string, Snapshot, boolean, readonly string[]]>([
  ["of what runs", wished({ change }), false, ["old"]],
  ["of a wish that is about to be applied", wished({ change }), true, ["new", "old"]],
  ["of what pods still run", rolling({ change }), false, ["new", "old"]],
  [
    "of what a rollout may go back to, when no pod runs it",
    rolling(shape({ members: allUpdated })),
    false,
    ["new", "old"],
  ],
  [
    "not of that, when there is no way back",
    rolling(shape({ members: allUpdated, record: unprovenRecord })),
    false,
    ["new"],
  ],
  ["nor after its end", rolling(shape({ members: allUpdated, record: completedRecord })), false, ["new"]],
  ["of what pods run that go back", reverting(shape({ members: allUpdated })), false, ["new", "old"]],
  [
    "and not of a revision that nobody has any more",
    wished(shape({ members: [leads, [], noted({ [annotations.configRevision]: "r0" })] })),
    false,
    ["old"],
  ],
])("configs are kept %s", (_, seen, isWished, revisions) => {
  expect(kept(seen, isWished)).toEqual(revisions);
});

test("a config that was damaged is rendered again, and one that cannot be rendered is kept as it is", () => {
  const seen = rolling({ change });
  const secret = seen.objects.get("Secret/seq-config") as Secret;
  const spoilt = Object.fromEntries(Object.keys(secret.data ?? {}).map((key) => [key, btoa("damaged")]));
  const damaged: Secret = { ...secret, data: spoilt };
  const objects = new Map([...seen.objects, ["Secret/seq-config", damaged]]);
  const intents = sceneOf(seen, [])?.intents;
  if (!intents) throw new Error("the cluster is set up");
  const entries = wantedEntries({ ...seen, objects }, intents);
  expect(entries.get(`seq-0.${next}.yaml`)).toContain("debug");
  expect(entries.get(`seq-0.${old}.yaml`)).toBe("damaged");
});
