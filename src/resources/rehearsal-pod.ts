import { createHash } from "node:crypto";
import type { CompleteExecution, CompleteSpec } from "../api/complete-spec.ts";
import { labels, REHEARSAL_NAME } from "../model/annotations.ts";
import { EVNODE_CONTAINER, EXECUTION_CONTAINER } from "../model/member.ts";
import { commonLabels, serviceAccountName } from "../model/names.ts";
import type { Pod } from "../model/objects.ts";
import { appCommand, appFolder } from "./app.ts";
import { type Blueprint, ownedMetadata } from "./blueprint.ts";
import { CLIENT_COMMAND } from "./execution.ts";
import { confined, confinedApart, podSecurity } from "./pod-security.ts";

/**
 * Pulls the images of a change on one node and starts each once, with an argument that makes it end at once. Its labels
 * are none that a Service, the disruption budget or the StatefulSet selects.
 */
export function rehearsalPod(blueprint: Blueprint, node: string): Pod {
  const { name, intent } = blueprint;
  const { spec } = intent;
  const metadata = ownedMetadata(blueprint, rehearsalName(name, spec, node));
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { ...metadata, labels: { ...commonLabels(name), [labels.name]: REHEARSAL_NAME } },
    spec: {
      nodeName: node,
      restartPolicy: "Never",
      serviceAccountName: serviceAccountName(name),
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 0,
      imagePullSecrets: spec.imagePullSecrets.map((secret) => ({ name: secret.name })),
      securityContext: podSecurity,
      // The node takes members, so it takes this one too.
      tolerations: [{ operator: "Exists" as const }],
      containers: [
        {
          name: EVNODE_CONTAINER,
          image: spec.image,
          imagePullPolicy: spec.imagePullPolicy,
          ...appFolder(spec),
          command: [...appCommand(spec)],
          args: ["version"],
          ...small,
          securityContext: confined,
        },
        ...(spec.execution ? [clientTrial(spec, spec.execution)] : []),
      ],
    },
  };
}

const small = {
  resources: { requests: { cpu: "10m", memory: "16Mi" }, limits: { memory: "256Mi" } },
  terminationMessagePolicy: "FallbackToLogsOnError",
} as const;

function clientTrial({ imagePullPolicy }: CompleteSpec, { image }: CompleteExecution) {
  return {
    name: EXECUTION_CONTAINER,
    image,
    imagePullPolicy,
    command: [...CLIENT_COMMAND],
    args: ["--version"],
    env: [{ name: "HOME", value: "/" }],
    ...small,
    securityContext: confinedApart,
  };
}

/** One for each node and each way to get and start an image. */
function rehearsalName(cluster: string, spec: CompleteSpec, node: string): string {
  const { image, imagePullPolicy, imagePullSecrets, execution } = spec;
  const client = execution ? [execution.image] : [];
  const text = JSON.stringify([node, image, imagePullPolicy, imagePullSecrets, appCommand(spec), ...client]);
  return `${cluster}-rehearsal-${createHash("sha256").update(text).digest("hex").slice(0, 10)}`;
}
