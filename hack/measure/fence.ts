import { operatorUser } from "./provide-cluster.ts";
import { pollUntil, type Session } from "./session.ts";

const label = "evnode.dev/measured-by";
const EFFECT_TIMEOUT_MS = 30_000;

/**
 * Keeps the installed operator from writing in a namespace where a measurement runs one of its own. The installed
 * one goes on everywhere else, and nothing has to be put back should the measurement die.
 */
export async function fenceNamespace(session: Session, namespace: string): Promise<void> {
  const { kubectl, atEnd } = session;
  const user = await operatorUser(kubectl);
  const name = `own-operator-in-${namespace}`;
  await kubectl.run(["label", "namespace", namespace, `${label}=own-operator`, "--overwrite"]);
  await kubectl.run(["apply", "--filename", "-"], { input: JSON.stringify(fence(name, namespace, user)) });
  atEnd(`fence around ${namespace}`, async () => {
    const both = [`validatingadmissionpolicybinding/${name}`, `validatingadmissionpolicy/${name}`];
    await kubectl.run(["delete", ...both, "--ignore-not-found"]);
  });
  // The API server takes a new policy up some time after it was written.
  const isRefused = async () => ((await tryAs(session, user, namespace)).includes(name) ? true : undefined);
  const isUp = await pollUntil(isRefused, { everyMs: 250, timeoutMs: EFFECT_TIMEOUT_MS }, session);
  if (!isUp) throw new Error(`the installed operator can still write in namespace ${namespace}`);
}

/** What the API server answers when the operator's user creates a Service, which it may anywhere else. */
async function tryAs({ kubectl }: Session, user: string, namespace: string): Promise<string> {
  const create = ["create", "service", "clusterip", "fence-probe", "--tcp=80:80", "--namespace", namespace];
  return kubectl.run([...create, "--dry-run=server", "--as", user]).catch(String);
}

function fence(name: string, namespace: string, user: string): object {
  const group = "admissionregistration.k8s.io/v1";
  const here = { matchLabels: { "kubernetes.io/metadata.name": namespace, [label]: "own-operator" } };
  const everything = {
    apiGroups: ["*"],
    apiVersions: ["*"],
    resources: ["*/*"],
    operations: ["CREATE", "UPDATE", "DELETE"],
    scope: "Namespaced",
  };
  const message = `namespace ${namespace} is looked after by a measurement's own operator`;
  return {
    apiVersion: "v1",
    kind: "List",
    items: [
      {
        apiVersion: group,
        kind: "ValidatingAdmissionPolicy",
        metadata: { name },
        spec: {
          failurePolicy: "Fail",
          matchConstraints: { namespaceSelector: here, resourceRules: [everything] },
          validations: [{ expression: `request.userInfo.username != "${user}"`, message }],
        },
      },
      {
        apiVersion: group,
        kind: "ValidatingAdmissionPolicyBinding",
        metadata: { name },
        spec: { policyName: name, validationActions: ["Deny"] },
      },
    ],
  };
}
