import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { describe, expect, it } from "vitest";
import type { KubeObject } from "../../../src/model/kube-object.ts";
import { environment } from "../harness/environment.ts";
import { operatorName, operatorNamespace, operatorUser } from "../harness/operator-names.ts";
import { edit } from "../harness/owner.ts";
import { until } from "../harness/until.ts";
import { useWorld } from "../harness/world.ts";

/**
 * After everything else: by what the operator asked of the API server while the whole suite ran, as the server itself
 * noted it, the chart grants nothing that it does not need, and it needs nothing that the chart does not grant.
 */
const world = useWorld("rbac");

interface Rule {
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly verbs: readonly string[];
}

type Role = KubeObject & { readonly rules?: readonly Rule[] };

interface Entry {
  readonly verb: string;
  readonly user: { readonly username: string };
  readonly objectRef?: {
    readonly apiGroup?: string;
    readonly resource: string;
    readonly subresource?: string;
  };
  readonly responseStatus?: { readonly code: number };
}

/** Asked for by admission in the operator's name, and never by itself: it may block the deletion of what it owns. */
const ofAdmission = "update evnode.dev/evnodeclusters/finalizers";
/** What is there under a name that is taken: asked where watches do not show it, which no test has for each kind. */
const ofConflicts = ["core/services", "core/serviceaccounts", "networking.k8s.io/networkpolicies"].map(
  (kind) => `get ${kind}`,
);

async function granted(): Promise<ReadonlySet<string>> {
  const paths = [
    `/apis/rbac.authorization.k8s.io/v1/clusterroles/${operatorName}`,
    `/apis/rbac.authorization.k8s.io/v1/namespaces/${operatorNamespace}/roles/${operatorName}-own`,
  ];
  const roles = await Promise.all(paths.map((path) => world().api.get<Role>(path)));
  return new Set(
    roles.flatMap(({ rules = [] }) =>
      rules.flatMap(({ apiGroups = [], resources = [], verbs }) =>
        apiGroups.flatMap((group) =>
          resources.flatMap((resource) => verbs.map((verb) => `${verb} ${group || "core"}/${resource}`)),
        ),
      ),
    ),
  );
}

/** All that the operator asked for, and what of it was forbidden. */
async function asked(auditLog: string) {
  const [all, forbidden] = [new Set<string>(), new Set<string>()];
  for await (const line of createInterface({ input: createReadStream(auditLog) })) {
    // Most lines are of others, and parsing takes its time.
    if (!line.includes(operatorUser) || !line.endsWith("}")) continue;
    const { user, verb, objectRef, responseStatus } = JSON.parse(line) as Entry;
    if (user.username !== operatorUser || !objectRef) continue;
    const { apiGroup = "core", resource, subresource } = objectRef;
    const request = `${verb} ${apiGroup}/${resource}${subresource ? `/${subresource}` : ""}`;
    all.add(request);
    if (responseStatus?.code === 403) forbidden.add(request);
  }
  return { all, forbidden };
}

/** What the spec can ask for and no other file does. */
async function exercise(): Promise<void> {
  const cluster = world().cluster("seq", { members: 1 });
  await cluster.apply();
  await cluster.isRunning();
  await edit(cluster, {
    networkPolicy: { enabled: false },
    pod: { serviceAccountAnnotations: { "example.org/role": "chain" } },
  });
  await until(
    "a service account with the annotation, and no NetworkPolicy",
    async () => {
      const path = `/api/v1/namespaces/${cluster.namespace}/serviceaccounts/seq-member`;
      const policies = `/apis/networking.k8s.io/v1/namespaces/${cluster.namespace}/networkpolicies/seq`;
      const { metadata } = await world().api.get<KubeObject>(path);
      const isMarked = metadata.annotations?.["example.org/role"] === "chain";
      const policy = await world().api.find<KubeObject>(policies);
      return isMarked && !policy ? { found: true } : { missing: "not both yet" };
    },
    { withinMs: 60_000 },
  );
}

describe("the rights that the chart gives the operator", () => {
  it("are what it asks for, and nothing else", async ({ skip }) => {
    const { machine } = environment();
    if (!machine) return skip("only the local cluster's audit log can be read");
    await exercise();
    const rights = await granted();
    const { all, forbidden } = await asked(machine.auditLog);
    const unused = [...rights].filter((right) => ![...all, ofAdmission, ...ofConflicts].includes(right));
    // A namespace that is going away takes nothing new, whatever the rights are.
    const missing = [...forbidden].filter((request) => !rights.has(request));
    expect({ unused, missing }).toEqual({ unused: [], missing: [] });
  });
});
