import { describe, expect, test } from "vitest";
import type { Spec } from "../../src/api/evnodecluster.ts";
import { annotations } from "../../src/model/annotations.ts";
import type { KubeObject } from "../../src/model/kube-object.ts";
import type { Secret, StatefulSet } from "../../src/model/objects.ts";
import type { Action } from "../../src/plan/actions.ts";
import { converge } from "../../src/plan/converge.ts";
import { objectKey, type Snapshot } from "../../src/plan/snapshot.ts";
import { brief, briefPlan, cluster, converged, member, objectMap, present, snapshot } from "../builders.ts";

/** What is to be written, in short. */
function wants(seen: Snapshot): string[] {
  const { stages = [] } = converge(seen);
  return brief({ decided: [{ by: "converge", stages }], blockers: [], recheckAfterMs: undefined });
}

function theActions(seen: Snapshot): Action[] {
  return (converge(seen).stages ?? []).flat();
}

/** A cluster that runs `applied`, or else the default, and whose owner wants `wanted`. */
function wish(wanted: Partial<Spec>, applied: Partial<Spec> = {}): Snapshot {
  const seen = snapshot({ cluster: cluster({ spec: wanted }) });
  return converged(seen, cluster({ spec: applied }));
}

/** The snapshot after one of its objects was changed by somebody. */
function edited(
  seen: Snapshot,
  kind: string,
  name: string,
  edit: (object: KubeObject) => KubeObject,
): Snapshot {
  if (kind === "StatefulSet" && seen.statefulSet) {
    return { ...seen, statefulSet: edit(seen.statefulSet) as NonNullable<Snapshot["statefulSet"]> };
  }
  const object = seen.objects.get(objectKey(kind, name));
  if (!object) throw new Error(`there is no ${kind} ${name}`);
  return { ...seen, objects: new Map([...seen.objects, [objectKey(kind, name), edit(object)]]) };
}

const withMetadata = (metadata: Partial<KubeObject["metadata"]>) => (object: KubeObject) => ({
  ...object,
  metadata: { ...object.metadata, ...metadata },
});

function without(seen: Snapshot, kind: string, name: string): Snapshot {
  const rest = [...seen.objects].filter(([key]) => key !== objectKey(kind, name));
  return { ...seen, objects: new Map(rest) };
}

const invalid = { kind: "invalid", problems: ["spec.image: Required"] } as const;

test("the StatefulSet, which starts pods, comes after everything that pods need or are guarded by", () => {
  expect(wants(snapshot({ statefulSet: undefined, objects: new Map() }))).toEqual([
    "converge: create ServiceAccount seq-member, create Secret seq-config, create Service seq, create Service seq-leader, create Service seq-rpc, create NetworkPolicy seq, create PodDisruptionBudget seq",
    "converge: create StatefulSet seq",
  ]);
});

test.each<[string, Partial<Snapshot>]>([
  ["before there is an identity", { identity: { kind: "absent" } }],
  ["while the spec of a cluster without objects is invalid", { parsed: invalid }],
])("%s nothing is made", (_, over) => {
  expect(converge({ ...snapshot(), statefulSet: undefined, objects: new Map(), ...over })).toEqual({});
});

test("a world as it should be is left alone", () => {
  expect(briefPlan(snapshot())).toEqual([]);
});

describe("what is wanted and what runs", () => {
  test.each<[string, Partial<Spec>]>([
    ["another image", { image: "example.org/testapp:2" }],
    ["another log level", { log: { level: "debug" } }],
    ["another block time", { chain: { id: "rollup-1", blockTime: "2s" } }],
    ["other ports", { rpc: { port: 7000 }, metrics: { port: 26_000 } }],
    ["other resources", { pod: { resources: { requests: { cpu: "1" } } } }],
    ["another readiness", { readiness: { maxBlocksBehind: 5 } }],
    ["another timing", { raft: { rttMax: "40ms" } }],
  ])("%s is a pending update, for which nothing is written", (_, wanted) => {
    expect(wants(wish(wanted))).toEqual([]);
  });

  test("neither is anything for another operator with another agent", () => {
    const upgraded = { ...snapshot().settings, agentImage: "example.org/operator:2" };
    expect(wants({ ...snapshot(), settings: upgraded })).toEqual([]);
  });

  test.each<[string, Partial<Spec>, Partial<Spec>, readonly string[]]>([
    [
      "a policy that is switched off is removed",
      { networkPolicy: { enabled: false } },
      {},
      ["converge: delete NetworkPolicy seq", "converge: replace StatefulSet seq"],
    ],
    [
      "a policy that is switched on is made",
      {},
      { networkPolicy: { enabled: false } },
      ["converge: create NetworkPolicy seq", "converge: replace StatefulSet seq"],
    ],
    [
      "a budget that is switched off is removed",
      { disruptionBudget: { enabled: false } },
      {},
      ["converge: delete PodDisruptionBudget seq", "converge: replace StatefulSet seq"],
    ],
    [
      "annotations of the service account follow the spec",
      { pod: { serviceAccountAnnotations: { role: "b" } } },
      { pod: { serviceAccountAnnotations: { role: "a" } } },
      ["converge: replace ServiceAccount seq-member", "converge: replace StatefulSet seq"],
    ],
  ])("%s, and no pod template changes for it", (_, wanted, applied, actions) => {
    const seen = wish(wanted, applied);
    expect(wants(seen)).toEqual(actions);
    const replaced = theActions(seen).flatMap((action) => (action.kind === "replace" ? [action] : []));
    expect(replaced.map(({ why }) => why)).toEqual(replaced.map(() => "the spec was changed"));
    const last = replaced.at(-1)?.object;
    expect((last as StatefulSet).spec).toEqual(seen.statefulSet?.spec);
  });

  test("an edit that makes the spec invalid brings nothing back that was switched off before", () => {
    const off = wish({ networkPolicy: { enabled: false } });
    const [, [last] = []] = converge(off).stages ?? [];
    if (last?.kind !== "replace") throw new Error("the intent is to be kept");
    const settled = { ...without(off, "NetworkPolicy", "seq"), statefulSet: last.object } as Snapshot;
    expect(wants(settled)).toEqual([]);
    expect(wants({ ...settled, parsed: invalid })).toEqual([]);
  });

  test("an invalid spec of a running cluster still lets drift be repaired", () => {
    const seen = { ...without(snapshot(), "Service", "seq-rpc"), parsed: invalid };
    expect(wants(seen)).toEqual(["converge: create Service seq-rpc"]);
  });
});

describe("configs of members", () => {
  const data = (seen: Snapshot) => {
    const [action] = theActions(seen);
    if (action?.kind !== "replace" && action?.kind !== "create") throw new Error("no config is written");
    return Object.keys((action.object as Secret).data ?? {});
  };
  const withData = (more: Record<string, string>) => (object: KubeObject) =>
    ({ ...object, data: { ...(object as Secret).data, ...more } }) as KubeObject;
  const entriesNow = Object.keys((snapshot().objects.get("Secret/seq-config") as Secret).data ?? {});

  test("a revision that a pod still runs is kept, one that none runs goes when another is written", () => {
    const kept = "seq-1.r1.yaml";
    const seen = edited(
      snapshot(),
      "Secret",
      "seq-config",
      withData({ [kept]: "eA==", "seq-1.r0.yaml": "eA==", [entriesNow[0] ?? ""]: "eA==" }),
    );
    expect(entriesNow).toHaveLength(3);
    expect(data(seen)).toEqual([...entriesNow, kept].sort());
  });

  const withToken = (value: string): Snapshot => {
    const authTokenSecret = { name: "token", key: "token" };
    const wanted = cluster({ spec: { da: { address: "http://local-da:7980", authTokenSecret } } });
    const seen = snapshot({ cluster: wanted });
    const references = { ...seen.references, daAuthToken: { kind: "found", value } as const };
    return converged({ ...seen, references }, wanted);
  };

  test("a token that changed is a pending update: the rendered configs stay as they are", () => {
    const other = { kind: "found", value: "other" } as const;
    const seen = withToken("secret");
    expect(wants(seen)).toEqual([]);
    const changed = { ...seen, references: { ...seen.references, daAuthToken: other } };
    expect(wants(changed)).toEqual([]);
  });

  test("a token reaches only configs that ask for one", () => {
    const token = { kind: "found", value: "secret" } as const;
    const seen = wish({ da: { address: "http://local-da:7980", authTokenSecret: { name: "t", key: "t" } } });
    expect(wants({ ...seen, references: { ...seen.references, daAuthToken: token } })).toEqual([]);
  });
});

describe("objects that differ", () => {
  const relabelled = withMetadata({ labels: {}, uid: "u", resourceVersion: "9", finalizers: ["a/b"] });

  test("a changed object is replaced in the version that was seen, and keeps its finalizers", () => {
    const seen = edited(snapshot(), "Service", "seq-rpc", relabelled);
    const [action, ...more] = theActions(seen);
    expect(more).toEqual([]);
    expect(action).toMatchObject({
      kind: "replace",
      why: "metadata.labels.app.kubernetes.io/name",
      object: {
        kind: "Service",
        metadata: {
          uid: "u",
          resourceVersion: "9",
          finalizers: ["a/b"],
          labels: { "app.kubernetes.io/name": "ev-node" },
        },
      },
    });
  });

  test("kubectl rollout restart and set image are put back, never rolled out", () => {
    const restarted = edited(
      snapshot(),
      "StatefulSet",
      "seq",
      withMetadata({
        managedFields: [
          {
            manager: "kubectl-rollout",
            fieldsV1: { "f:spec": { "f:template": { "f:metadata": { "f:annotations": { "f:at": {} } } } } },
          },
        ],
      }),
    );
    const [action] = theActions(restarted);
    expect(action).toMatchObject({
      kind: "replace",
      why: "spec.template.metadata.annotations.at, added by kubectl-rollout",
    });
    if (action?.kind !== "replace") throw new Error("the template is to be put back");
    expect((action.object as StatefulSet).spec).toEqual(snapshot().statefulSet?.spec);
  });

  test.each<[string, KubeObject["metadata"]]>([
    ["a stranger's object", { name: "seq-rpc", namespace: "rollup", uid: "u" }],
    [
      "an object that is going away",
      {
        name: "seq-rpc",
        annotations: { [annotations.clusterUid]: "uid-of-the-cluster" },
        deletionTimestamp: "now",
      },
    ],
  ])("%s is left alone", (_, metadata) => {
    const seen = edited(snapshot(), "Service", "seq-rpc", () => ({
      apiVersion: "v1",
      kind: "Service",
      metadata,
    }));
    expect(wants(seen)).toEqual([]);
  });

  test("a stranger's policy is not removed when ours is switched off", () => {
    const seen = wish({ networkPolicy: { enabled: false } }, { networkPolicy: { enabled: false } });
    const theirs = { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name: "seq" } };
    expect(wants({ ...seen, objects: new Map([...seen.objects, ...objectMap([theirs])]) })).toEqual([]);
  });
});

test("a cluster that is applied again over a kept identity uses that identity's names and epoch", () => {
  const seen = snapshot({
    identity: present({ epoch: 2, clusterDomain: "old.example.org" }),
    statefulSet: undefined,
    objects: new Map(),
    members: [member(0)],
  });
  const [first = [], [last] = []] = converge(seen).stages ?? [];
  const configs = first.flatMap((action) => {
    const object = action.kind === "create" ? (action.object as { data?: Record<string, string> }) : {};
    return Object.values(object.data ?? {}).map((text) => Buffer.from(text, "base64").toString("utf8"));
  });
  expect(configs.join()).toContain("seq-0.seq.rollup.svc.old.example.org:5001");
  expect(configs.join()).toContain("/data/raft-2");
  // The epoch comes with the config: another one is no other template.
  expect(JSON.stringify(last)).toContain('{"name":"EPOCH","value":"1"}');
});
