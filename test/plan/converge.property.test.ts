import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Spec } from "../../src/api/evnodecluster.ts";
import { parseCluster } from "../../src/api/parse.ts";
import { annotations } from "../../src/model/annotations.ts";
import type { KubeObject } from "../../src/model/kube-object.ts";
import { converge } from "../../src/plan/converge.ts";
import type { Snapshot } from "../../src/plan/snapshot.ts";
import { arbitrarySpec } from "../arbitrary-spec.ts";
import { briefPlan, cluster, converged, objectMap, present, snapshot } from "../builders.ts";
import { changed, type Leaf, leavesOf } from "../leaves.ts";

/** A cluster whose chain was begun with this spec. */
function begun(fields: Spec): Snapshot {
  const wanted = cluster({ spec: fields });
  const membership = { replicas: fields.replicas ?? 3, raftPort: fields.raft?.port ?? 5001 };
  return converged(snapshot({ cluster: wanted, identity: present({ membership }) }), wanted);
}

/** A cluster of this spec, with everything made and stored as a server would store it. */
function running(fields: Spec): Snapshot {
  const seen = begun(fields);
  const { statefulSet } = seen;
  if (!statefulSet) throw new Error("a converged cluster has a StatefulSet");
  return withObjects(seen, [...seen.objects.values(), statefulSet].map(asStored));
}

function withObjects(seen: Snapshot, objects: readonly KubeObject[]): Snapshot {
  const statefulSet = objects.find(({ kind }) => kind === "StatefulSet") as Snapshot["statefulSet"];
  return { ...seen, statefulSet, objects: objectMap(objects.filter(({ kind }) => kind !== "StatefulSet")) };
}

const objectsOf = ({ objects, statefulSet }: Snapshot) => [
  ...objects.values(),
  ...(statefulSet ? [statefulSet] : []),
];

/** As the server writes JSON: without empty lists and empty fields of list items, amounts as texts, with defaults. */
function asStored(object: KubeObject): KubeObject {
  const { metadata, ...content } = JSON.parse(JSON.stringify(object)) as KubeObject;
  return { ...(serverSide(content) as Omit<KubeObject, "metadata">), metadata };
}

function serverSide(value: unknown, within = ""): unknown {
  if (Array.isArray(value)) return value.map((item) => serverSide(item, "a list"));
  if (["requests", "limits"].includes(within)) return amounts(value as Record<string, unknown>);
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value).filter(([, part]) => {
    return !(Array.isArray(part) && part.length === 0) && !(part === "" && within === "a list");
  });
  return { ...Object.fromEntries(fields.map(([key, part]) => [key, serverSide(part, key)])), aDefault: "x" };
}

function amounts(given: Readonly<Record<string, unknown>>): Record<string, string> {
  const text = (amount: unknown) => (amount === "500m" ? "0.5" : String(amount));
  return Object.fromEntries(Object.entries(given).map(([name, amount]) => [name, text(amount)]));
}

/** Everything that is wanted of an object and that somebody can change. The intent has tests of its own. */
function wantedLeaves(object: KubeObject): Leaf[] {
  const { metadata, ...fields } = object;
  const ofNobody = ["kind", "apiVersion", "status"];
  const content = Object.fromEntries(Object.entries(fields).filter(([key]) => !ofNobody.includes(key)));
  const { labels, annotations: notes, ownerReferences } = metadata;
  const all = [
    ...leavesOf({ labels, annotations: notes, ownerReferences }, ["metadata"]),
    ...leavesOf(content),
  ];
  // Controllers write the status, and what is wanted says nothing of it.
  const isTheirs = (path: readonly (string | number)[]) =>
    path[0] === "status" || path.at(-1) === "generation";
  return all.filter(({ path }) => path.at(-1) !== annotations.intent && !isTheirs(path));
}

const spoil = (value: unknown) =>
  typeof value === "number" ? value + 1 : typeof value === "boolean" ? !value : `${String(value)}-x`;

test("a cluster whose objects are as its spec wants them gets no writes", () => {
  fc.assert(
    fc.property(arbitrarySpec(), (fields) => {
      expect(parseCluster(cluster({ spec: fields }), 1).kind).toBe("valid");
      expect(briefPlan(running(fields))).toEqual([]);
    }),
    { numRuns: 30 },
  );
});

test("whatever single value somebody changes or takes away is put back by exactly one replace", () => {
  fc.assert(
    fc.property(arbitrarySpec(), fc.nat(), fc.boolean(), (fields, random, isRemoved) => {
      const seen = running(fields);
      // What is wanted, before the server added anything.
      const objects = objectsOf(begun(fields));
      const all = objects.flatMap((object) => wantedLeaves(object).map((leaf) => ({ object, leaf })));
      const picked = all[random % all.length];
      if (!picked) throw new Error("a cluster wants something");
      const { object, leaf } = picked;
      const isSame = ({ kind, metadata }: KubeObject) =>
        kind === object.kind && metadata.name === object.metadata.name;
      const to = isRemoved ? undefined : spoil(leaf.value);
      const now = objectsOf(seen).map((live) =>
        isSame(live) ? (changed(live, leaf.path, to) as KubeObject) : live,
      );

      const actions = (converge(withObjects(seen, now)).stages ?? []).flat();
      expect(actions.map(({ kind }) => kind)).toEqual(["replace"]);
      const [action] = actions;
      if (action?.kind !== "replace") throw new Error("it is to be put back");
      expect(isSame(action.object)).toBe(true);

      const after = objectsOf(seen).map((live) => (isSame(live) ? asStored(action.object) : live));
      expect(converge(withObjects(seen, after)).stages).toEqual([]);
    }),
    { numRuns: 80 },
  );
});

test("whatever the owner wants, the template that pods are made from stays as it was applied", () => {
  fc.assert(
    fc.property(arbitrarySpec(), arbitrarySpec(), (applied, wanted) => {
      const seen = { ...running(applied), parsed: parseCluster(cluster({ spec: wanted }), 1) };
      for (const action of (converge(seen).stages ?? []).flat()) {
        if (action.kind !== "replace" || action.object.kind !== "StatefulSet") continue;
        const { spec } = action.object as NonNullable<Snapshot["statefulSet"]>;
        expect(serverSide(JSON.parse(JSON.stringify(spec)))).toEqual(seen.statefulSet?.spec);
        const intent = JSON.parse(action.object.metadata.annotations?.[annotations.intent] ?? "") as object;
        expect(intent).toMatchObject({ spec: { replicas: applied.replicas ?? 3, image: applied.image } });
      }
    }),
    { numRuns: 30 },
  );
});
