import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { conditionTypes } from "../../src/api/conditions.ts";
import type { Spec } from "../../src/api/evnodecluster.ts";
import { annotations } from "../../src/model/annotations.ts";
import { kinds } from "../../src/model/kinds.ts";
import type { StatefulSet } from "../../src/model/objects.ts";
import { intentsOf } from "../../src/plan/intent.ts";
import { makePlan } from "../../src/plan/plan.ts";
import type { Snapshot } from "../../src/plan/snapshot.ts";
import { statusOf } from "../../src/plan/status.ts";
import { readIntent } from "../../src/plan/stored-intent.ts";
import { arbitrarySpec } from "../arbitrary-spec.ts";
import {
  brief,
  briefPlan,
  cluster,
  converged,
  identity,
  leads,
  member,
  snapshot,
  withIntent,
} from "../builders.ts";
import { changed, leavesOf } from "../leaves.ts";

const intentOf = ({ statefulSet }: Snapshot) => statefulSet?.metadata.annotations?.[annotations.intent] ?? "";
const wellFormed = JSON.parse(intentOf(snapshot())) as Record<string, unknown>;

/** A cluster that was made with `applied`, and whose owner wants `wanted` by now. */
function running(applied: Partial<Spec>, wanted: Partial<Spec> = applied): Snapshot {
  const seen = snapshot({ cluster: cluster({ spec: wanted }) });
  return converged(seen, cluster({ spec: applied }));
}

/** What a real API server adds to a StatefulSet of ours, field by field. */
function asServed(seen: Snapshot): Snapshot {
  const { template, volumeClaimTemplates = [], ...rest } = seen.statefulSet?.spec ?? never();
  const pod = template.spec ?? never();
  const files = { terminationMessagePath: "/dev/termination-log" };
  const spec = {
    ...rest,
    template: {
      metadata: { creationTimestamp: null, ...template.metadata },
      spec: {
        restartPolicy: "Always",
        dnsPolicy: "ClusterFirst",
        schedulerName: "default-scheduler",
        serviceAccount: pod.serviceAccountName,
        ...pod,
        initContainers: pod.initContainers?.map(({ env = [], ...agent }) => ({
          ...files,
          terminationMessagePolicy: "File",
          ...withProbes(agent),
          env: env.map((variable) => withFieldVersion(variable)),
        })),
        containers: pod.containers.map((evnode) => ({ ...files, ...withProbes(evnode) })),
        volumes: pod.volumes?.map((volume) =>
          volume.downwardAPI
            ? {
                ...volume,
                downwardAPI: { ...volume.downwardAPI, items: volume.downwardAPI.items?.map(withFieldRef) },
              }
            : volume,
        ),
      },
    },
    volumeClaimTemplates: volumeClaimTemplates.map(({ metadata, ...claim }) => ({
      ...claim,
      metadata: { ...metadata, creationTimestamp: null },
      status: { phase: "Pending" },
    })),
  };
  // As JSON, without what is undefined and without empty lists.
  const text = JSON.stringify(spec, (_, part: unknown) =>
    Array.isArray(part) && part.length === 0 ? undefined : part,
  );
  const statefulSet = {
    ...(seen.statefulSet ?? never()),
    spec: JSON.parse(text) as StatefulSet["spec"],
  } as StatefulSet;
  return { ...seen, statefulSet };
}

const never = (): never => {
  throw new Error("a converged cluster has a StatefulSet");
};
const byDefault = { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 };

function withProbes<T extends object>(container: T): T {
  const probes = Object.entries(container).map(([field, value]: [string, object]) => {
    if (!field.endsWith("Probe")) return [field, value];
    const get = "httpGet" in value ? { httpGet: { scheme: "HTTP", ...(value.httpGet as object) } } : {};
    return [field, { ...byDefault, ...value, ...get }];
  });
  return Object.fromEntries(probes) as T;
}

const withFieldRef = <T extends { fieldRef?: object }>(item: T) =>
  item.fieldRef ? { ...item, fieldRef: { apiVersion: "v1", ...item.fieldRef } } : item;
const withFieldVersion = <T extends { valueFrom?: { fieldRef?: object } }>(variable: T) =>
  variable.valueFrom ? { ...variable, valueFrom: withFieldRef(variable.valueFrom) } : variable;

describe("an intent that is gone", () => {
  test("is put back when the spec renders exactly what is live, whatever the spec", () => {
    fc.assert(
      fc.property(arbitrarySpec(), (fields) => {
        const before = asServed(running(fields));
        const [action, ...more] = makePlan(withIntent(before, undefined)).decided.flatMap(({ stages }) =>
          stages.flat(),
        );
        expect(more).toEqual([]);
        if (action?.kind !== "replace") throw new Error("the intent is to be put back");
        expect(action.why).toBe(`metadata.annotations.${annotations.intent}`);
        expect(action.object.metadata.annotations?.[annotations.intent]).toBe(intentOf(before));
        const after = { ...before, statefulSet: action.object as StatefulSet };
        expect(briefPlan(after)).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });

  test("is put back with the agent that the template names, not with that of a newer operator", () => {
    const before = asServed(snapshot());
    const settings = { ...before.settings, agentImage: "example.org/operator:2" };
    const [action] = makePlan({ ...withIntent(before, "{"), settings }).decided.flatMap(({ stages }) =>
      stages.flat(),
    );
    expect(action?.kind === "replace" && action.object.metadata.annotations).toEqual(
      before.statefulSet?.metadata.annotations,
    );
  });

  test("is put back also where somebody changed what no intent decides", () => {
    const seen = withIntent(asServed(snapshot()), undefined);
    const spec = { ...seen.statefulSet?.spec, replicas: 2, updateStrategy: { type: "RollingUpdate" } };
    const scaled = { ...seen, statefulSet: { ...seen.statefulSet, spec } as StatefulSet };
    expect(briefPlan(scaled)).toEqual(["converge: replace StatefulSet seq"]);
  });

  test("never lets a change that waits reach the template: nothing is written then", () => {
    let waiting = 0;
    fc.assert(
      fc.property(arbitrarySpec(), arbitrarySpec(), (applied, wanted) => {
        const seen = asServed(running(applied, wanted));
        const pending = intentsOf(seen, identity())?.wish?.changes ?? [];
        const bare = withIntent(seen, undefined);
        const decided = makePlan(bare).decided.flatMap(({ stages }) => stages.flat());
        if (pending.length > 0) waiting += 1;
        for (const action of decided) {
          if (action.kind !== "replace" || action.object.kind !== kinds.statefulSet.kind) continue;
          // What is put back was proven, so it is what was there before.
          const { spec } = action.object as StatefulSet;
          const after = asServed({ ...seen, statefulSet: action.object as StatefulSet });
          expect(after.statefulSet?.spec?.template).toEqual(seen.statefulSet?.spec?.template);
          expect(spec?.volumeClaimTemplates?.[0]?.spec).toEqual(
            seen.statefulSet?.spec?.volumeClaimTemplates?.[0]?.spec,
          );
        }
      }),
      { numRuns: 100 },
    );
    expect(waiting).toBeGreaterThan(50);
  });

  const small: Partial<Spec> = {
    pod: { priorityClassName: "high", nodeSelector: { a: "b" }, labels: { team: "a" } },
  };
  test.each<[string, Partial<Spec>, Partial<Spec>]>([
    ["another image", {}, { image: "example.org/testapp:2" }],
    ["another log level, which only the configs hold", {}, { log: { level: "debug" } }],
    ["what is no longer asked for", small, {}],
    ["a label less", small, { pod: { ...small.pod, labels: {} } }],
    ["resources that are no longer asked for", { pod: { resources: { limits: { cpu: "1" } } } }, {}],
    ["a variable less", { app: { extraEnv: [{ name: "A", value: "b" }] } }, { app: {} }],
    ["a storage class that is no longer named", { storage: { size: "1Gi", storageClassName: "fast" } }, {}],
  ])("stays gone while this waits: %s", (_, applied, wanted) => {
    const seen = withIntent(asServed(running(applied, wanted)), undefined);
    expect(intentsOf(seen, identity())).toBeUndefined();
    const plan = makePlan(seen);
    expect(brief(plan)).toEqual([]);
    expect(plan.blockers.map(({ reason }) => reason)).toContain("IntentUnreadable");
    // It is found again when the owner takes the change back.
    const undone = withIntent(asServed(running(applied)), undefined);
    expect(briefPlan(undone)).toEqual(["converge: replace StatefulSet seq"]);
  });

  test("keeps no leader from being found, also when the spec is invalid", () => {
    const moved = [member(0, { pod: { role: "leader" } }), member(1, { says: leads }), member(2)];
    const seen = withIntent(snapshot({ members: moved }), '{"version":1,"spec":{}}');
    const lost = { ...seen, parsed: { kind: "invalid", problems: ["spec.image: Required"] } } as const;
    expect(briefPlan(lost)).toEqual(["labels: label seq-0 follower", "labels: label seq-1 leader"]);
    expect(
      statusOf(lost, makePlan(lost), []).conditions?.find(({ type }) => type === "Stalled"),
    ).toMatchObject({
      status: "True",
      reason: "SpecInvalid",
    });
  });
});

describe("an intent that somebody edited", () => {
  test.each<[string, string | undefined, string]>([
    ["away", undefined, "it is missing"],
    ["to nothing", "", "expected a JSON object"],
    ["so that it ends early", intentOf(snapshot()).slice(0, -1), "expected a JSON object"],
    ["to a list", "[]", "version: expected a number"],
    ["to null", "null", "expected a JSON object"],
    [
      "to have no version",
      JSON.stringify({ ...wellFormed, version: undefined }),
      "version: expected a number",
    ],
    ["to have no agent", JSON.stringify({ ...wellFormed, agentImage: "" }), "agentImage: expected a text"],
    [
      "to have no revision",
      JSON.stringify({ ...wellFormed, configRevision: 7 }),
      "configRevision: expected a text",
    ],
    [
      "to have an empty spec",
      JSON.stringify({ ...wellFormed, spec: {} }),
      "spec.defaultsVersion: Invalid input: expected number, received undefined",
    ],
  ])("%s is not believed", (_, text, problem) => {
    const { statefulSet = never() } = withIntent(snapshot(), text);
    expect(readIntent(statefulSet)).toEqual({ kind: "unreadable", problem });
  });

  test("ends no reconcile in an error, whatever was written there", () => {
    const leaves = leavesOf(wellFormed);
    const values = fc.constantFrom<unknown>(undefined, null, 0, -1, 1e9, "", "x", [], {}, [null], true);
    fc.assert(
      fc.property(fc.constantFrom(...leaves), values, fc.boolean(), ({ path }, value, isWaiting) => {
        const seen = isWaiting ? running({}, { image: "example.org/testapp:2" }) : snapshot();
        const spoilt = withIntent(seen, JSON.stringify(changed(wellFormed, path, value)));
        const plan = makePlan(spoilt);
        expect(statusOf(spoilt, plan, []).conditions).toHaveLength(conditionTypes.length);
      }),
      { numRuns: 300 },
    );
  });
});
