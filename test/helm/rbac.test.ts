import { describe, expect, it } from "vitest";
import { helm, only, render as renderChart, skipped } from "./chart.ts";
import { grants, named } from "./grants.ts";

/** Without the roles for people, of which the operator has none. */
const render = (...values: readonly string[]) => renderChart("rbac.userRoles=false", ...values);

/** Written whole; deleted when the spec switches them off, or, for the StatefulSet, to stop the members together. */
const owned = "get list watch create update delete";
const kept = "get list watch create update";
const inClusters = {
  "evnode.dev/evnodeclusters": "get list watch patch",
  "evnode.dev/evnodeclusters/status": "update",
  "evnode.dev/evnodeclusters/finalizers": "update",
  "apps/statefulsets": owned,
  "/services": kept,
  "/serviceaccounts": kept,
  "policy/poddisruptionbudgets": owned,
  "networking.k8s.io/networkpolicies": owned,
  "apps/controllerrevisions": "get",
  "policy/poddisruptionbudgets/status": "update",
  "/pods": "get list watch create update patch delete",
  "/pods/eviction": "create",
  "/persistentvolumeclaims": "get list watch patch",
  "/secrets": "get create update patch",
  "/configmaps": "get",
  "events.k8s.io/events": "create",
};

describe.skipIf(helm === undefined)(`what the operator may do${skipped}`, () => {
  it("is this in all namespaces", () => {
    const role = named(render(), "ClusterRole", "evnode-operator");
    expect(grants(role)).toEqual({ ...inClusters, "storage.k8s.io/storageclasses": "get" });
  });

  it("is the same in one namespace, without what belongs to no namespace", () => {
    const objects = render('watchNamespace="chains"');
    expect(objects.filter(({ kind }) => kind.startsWith("Cluster"))).toEqual([]);
    const role = objects.find(({ kind, metadata }) => kind === "Role" && metadata.namespace === "chains");
    expect(role && grants(role)).toEqual(inClusters);
    const binding = objects.find(
      ({ kind, metadata }) => kind === "RoleBinding" && metadata.namespace === "chains",
    );
    expect(binding).toMatchObject({
      roleRef: { kind: "Role", name: "evnode-operator" },
      subjects: [{ kind: "ServiceAccount", name: "evnode-operator", namespace: "evnode-system" }],
    });
  });

  it("is to elect a leader and to lock chains in its own namespace", () => {
    const role = only(render(), "Role");
    expect(role.metadata.namespace).toBe("evnode-system");
    expect(grants(role)).toEqual({
      "coordination.k8s.io/leases": "get create patch",
      "/configmaps": "get create patch delete",
    });
  });

  it("is to ask whose a token is, as far as metrics are told to those who may get them", () => {
    const objects = render();
    expect(grants(named(objects, "ClusterRole", "evnode-operator-metrics-reviews"))).toEqual({
      "authentication.k8s.io/tokenreviews": "create",
      "authorization.k8s.io/subjectaccessreviews": "create",
    });
    expect(named(objects, "ClusterRole", "evnode-operator-metrics-reader")["rules"]).toEqual([
      { nonResourceURLs: ["/metrics"], verbs: ["get"] },
    ]);
    const bound = objects.filter(({ kind }) => kind === "ClusterRoleBinding").map(({ roleRef }) => roleRef);
    expect(bound.map((role) => (role as { readonly name: string }).name)).toEqual([
      "evnode-operator-metrics-reviews",
      "evnode-operator",
    ]);
  });

  it.each(["metrics.enabled=false", 'metrics.access="loopback"', 'metrics.access="anyone"'])(
    "is no review with %s",
    (value) => {
      const roles = render(value).filter(({ kind }) => kind === "ClusterRole");
      expect(roles.map(({ metadata }) => metadata.name)).toEqual(["evnode-operator"]);
    },
  );

  it("never covers reading all Secrets, deleting volumes, or everything of anything", () => {
    const all = [...render(), ...render('watchNamespace="chains"')];
    const roles = all.filter(
      ({ kind, metadata: { name } }) => kind.endsWith("Role") && !name.endsWith("-reader"),
    );
    expect(roles).toHaveLength(5);
    for (const role of roles) {
      const verbs = grants(role);
      expect(
        Object.entries(verbs).filter(([resource, granted]) => `${resource} ${granted}`.includes("*")),
      ).toEqual([]);
      expect(verbs["/secrets"] ?? "").not.toMatch(/list|watch|delete/);
      expect(verbs["/persistentvolumeclaims"] ?? "").not.toContain("delete");
    }
  });

  it("is bound to the service account that the pod uses, whatever its name", () => {
    const objects = render('serviceAccount={"create":false,"name":"mine"}');
    const bindings = objects.filter(({ kind }) => kind.endsWith("Binding"));
    expect(bindings).toHaveLength(3);
    for (const { subjects } of bindings) {
      expect(subjects).toEqual([{ kind: "ServiceAccount", name: "mine", namespace: "evnode-system" }]);
    }
    expect(only(objects, "Deployment")).toMatchObject({
      spec: { template: { spec: { serviceAccountName: "mine" } } },
    });
    expect(objects.filter(({ kind }) => kind === "ServiceAccount")).toEqual([]);
  });

  it("is left to others on request", () => {
    const kinds = render("rbac.create=false").map(({ kind }) => kind);
    expect(kinds.filter((kind) => /Role|Binding/.test(kind))).toEqual([]);
  });
});
