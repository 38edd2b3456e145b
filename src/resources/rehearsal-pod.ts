import { createHash } from "node:crypto";
import type { CompleteSpec } from "../api/complete-spec.ts";
import { labels, REHEARSAL_NAME } from "../model/annotations.ts";
import { EVNODE_CONTAINER } from "../model/member.ts";
import { commonLabels, serviceAccountName } from "../model/names.ts";
import type { Pod } from "../model/objects.ts";
import { appCommand } from "./app.ts";
import { type Blueprint, ownedMetadata } from "./blueprint.ts";
import { confined, podSecurity } from "./pod-security.ts";

/**
 * Pulls the image of a change on one node and starts it once, with an argument that makes it end at once. Its labels
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
          command: [...appCommand(spec)],
          args: ["version"],
          resources: { requests: { cpu: "10m", memory: "16Mi" }, limits: { memory: "256Mi" } },
          terminationMessagePolicy: "FallbackToLogsOnError" as const,
          securityContext: confined,
        },
      ],
    },
  };
}

/** One for each node and each way to get and start an image. */
function rehearsalName(cluster: string, spec: CompleteSpec, node: string): string {
  const { image, imagePullPolicy, imagePullSecrets } = spec;
  const text = JSON.stringify([node, image, imagePullPolicy, imagePullSecrets, appCommand(spec)]);
  return `${cluster}-rehearsal-${createHash("sha256").update(text).digest("hex").slice(0, 10)}`;
}
