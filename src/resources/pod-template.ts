import type { CompleteSpec } from "../api/complete-spec.ts";
import { executionPorts } from "../api/fixed.ts";
import { startArgs } from "../evnode/member-command.ts";
import { AGENT_PORT } from "../model/agent-protocol.ts";
import { annotations } from "../model/annotations.ts";
import { FIRST_EPOCH } from "../model/identity.ts";
import { AGENT_CONTAINER, EVNODE_CONTAINER } from "../model/member.ts";
import {
  commonLabels,
  configSecretName,
  identitySecretName,
  selectorLabels,
  serviceAccountName,
} from "../model/names.ts";
import type { Pod, StatefulSet } from "../model/objects.ts";
import { amountsOf } from "./amounts.ts";
import { appArgs, appCommand, appFolder, appPorts } from "./app.ts";
import type { Blueprint } from "./blueprint.ts";
import { executionClient, executionVolumes, jwtMount } from "./execution.ts";
import { kmsKey } from "./kms.ts";
import { paths } from "./paths.ts";
import { confined, podSecurity } from "./pod-security.ts";

type Template = NonNullable<StatefulSet["spec"]>["template"];
type PodSpec = NonNullable<Pod["spec"]>;
type Container = PodSpec["containers"][number];

/** A startup probe that never gives up: the agent may have to wait for a person. */
const FOR_EVER = 2_147_483_647;

export function podTemplate(blueprint: Blueprint): Template {
  const { name, intent } = blueprint;
  const { pod, execution } = intent.spec;
  return {
    metadata: {
      labels: { ...pod.labels, ...commonLabels(name) },
      annotations: {
        ...pod.annotations,
        [annotations.configRevision]: intent.configRevision,
        ...(intent.restart === undefined ? {} : { [annotations.restart]: intent.restart }),
      },
    },
    spec: {
      ...placement(intent.spec, name),
      serviceAccountName: serviceAccountName(name),
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      // The agent can signal ev-node, which is what a restart in place takes.
      shareProcessNamespace: true,
      terminationGracePeriodSeconds: pod.terminationGracePeriodSeconds,
      imagePullSecrets: intent.spec.imagePullSecrets.map((secret) => ({ name: secret.name })),
      securityContext: podSecurity,
      initContainers: [agent(blueprint), ...(execution ? [executionClient(intent.spec, execution)] : [])],
      containers: [evnode(blueprint)],
      volumes: [...volumes(name), ...(execution ? executionVolumes(name, execution) : [])],
    },
  };
}

/** A native sidecar: its startup probe holds ev-node back until the agent has prepared the member. */
function agent({ intent }: Blueprint): Container & { restartPolicy: string } {
  const { readiness, imagePullPolicy, execution, raft } = intent.spec;
  const probe = (path: string) => ({ httpGet: { path, port: AGENT_PORT }, timeoutSeconds: 2 });
  return {
    name: AGENT_CONTAINER,
    image: intent.agentImage,
    imagePullPolicy,
    restartPolicy: "Always",
    args: ["agent"],
    env: [
      { name: "POD_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
      { name: "POD_NAMESPACE", valueFrom: { fieldRef: { fieldPath: "metadata.namespace" } } },
      { name: "POD_UID", valueFrom: { fieldRef: { fieldPath: "metadata.uid" } } },
      // The least that the agent accepts: which one the member is of, its config says, so that another replaces no pod.
      { name: "EPOCH", value: String(FIRST_EPOCH) },
      { name: "MAX_BLOCKS_BEHIND", value: String(readiness.maxBlocksBehind) },
      ...(execution ? executionEnv : []),
      ...(raft.afterOutage === "Start" ? [{ name: "AFTER_OUTAGE", value: "Start" }] : []),
    ],
    ports: [{ name: "agent", containerPort: AGENT_PORT, protocol: "TCP" }],
    startupProbe: { ...probe("/startupz"), periodSeconds: 1, failureThreshold: FOR_EVER },
    readinessProbe: { ...probe("/readyz"), periodSeconds: 2, failureThreshold: 2 },
    livenessProbe: { ...probe("/livez"), periodSeconds: 10, failureThreshold: 6 },
    resources: { requests: { cpu: "20m", memory: "64Mi" }, limits: { memory: "256Mi" } },
    securityContext: confined,
    volumeMounts: [
      { name: "data", mountPath: paths.home },
      { name: "config", mountPath: paths.config },
      { name: "config-secret", mountPath: paths.configSecret, readOnly: true },
      { name: "identity-secret", mountPath: paths.identitySecret, readOnly: true },
      { name: "pod-info", mountPath: paths.podInfo, readOnly: true },
    ],
  };
}

/** By these the agent knows that there is an execution client. */
const executionEnv = [
  { name: "ETH_PORT", value: String(executionPorts.eth) },
  { name: "ENGINE_PORT", value: String(executionPorts.engine) },
];

function evnode({ intent }: Blueprint): Container {
  const { image, imagePullPolicy, app, execution, pod, raft, p2p, rpc, metrics } = intent.spec;
  // Open in every mode and before an election; the HTTP server is closed exactly while a quorum forms again.
  const alive = { tcpSocket: { port: metrics.port } };
  const ports = [
    { name: "raft", port: raft.port },
    { name: "p2p", port: p2p.port },
    { name: "rpc", port: rpc.port },
    { name: "metrics", port: metrics.port },
    // Of an EVM chain these are the execution client's.
    ...(execution ? [] : appPorts(intent.spec)),
  ];
  return {
    name: EVNODE_CONTAINER,
    image,
    imagePullPolicy,
    ...appFolder(intent.spec),
    command: [...appCommand(intent.spec)],
    args: [
      ...startArgs({ home: paths.home, passphraseFile: kmsKey(intent.spec) ? undefined : paths.passphrase }),
      ...appArgs(intent.spec),
      ...app.extraArgs,
    ],
    // With the port reused, a member that restarts in place waits 8 to 16 s for its peers' old connections.
    env: [{ name: "LIBP2P_TCP_REUSEPORT", value: "false" }, ...app.extraEnv.map(variable)],
    ports: ports.map(({ name, port }) => ({ name, containerPort: port, protocol: "TCP" as const })),
    startupProbe: { ...alive, periodSeconds: 1, failureThreshold: 600 },
    livenessProbe: { ...alive, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 },
    readinessProbe: {
      httpGet: { path: "/health/live", port: rpc.port },
      periodSeconds: 2,
      timeoutSeconds: 2,
      failureThreshold: 2,
    },
    resources: amountsOf(pod.resources),
    terminationMessagePolicy: "FallbackToLogsOnError",
    securityContext: confined,
    volumeMounts: [
      { name: "data", mountPath: paths.home },
      { name: "config", mountPath: paths.config, readOnly: true },
      { name: "tmp", mountPath: "/tmp" },
      ...(execution ? [jwtMount] : []),
    ],
  };
}

/** The server does not store empty values of variables, nor empty fields of tolerations. */
type Variable = CompleteSpec["app"]["extraEnv"][number];
const variable = ({ name, value }: Variable) => (value === "" ? { name } : { name, value });

function withoutEmpty<T extends object>(fields: T): Partial<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== "")) as Partial<T>;
}

function volumes(name: string): NonNullable<PodSpec["volumes"]> {
  return [
    { name: "config", emptyDir: { medium: "Memory", sizeLimit: "1Mi" } },
    { name: "tmp", emptyDir: { sizeLimit: "64Mi" } },
    { name: "config-secret", secret: { secretName: configSecretName(name), defaultMode: 0o440 } },
    { name: "identity-secret", secret: { secretName: identitySecretName(name), defaultMode: 0o440 } },
    {
      name: "pod-info",
      downwardAPI: {
        defaultMode: 0o444,
        items: [{ path: "annotations", fieldRef: { fieldPath: "metadata.annotations" } }],
      },
    },
  ];
}

function placement({ pod, topology }: CompleteSpec, name: string): Partial<PodSpec> {
  const whenUnsatisfiable =
    topology.spread === "Required" ? ("DoNotSchedule" as const) : ("ScheduleAnyway" as const);
  const spread = (topologyKey: string) => ({
    maxSkew: 1,
    topologyKey,
    whenUnsatisfiable,
    labelSelector: { matchLabels: selectorLabels(name) },
  });
  return {
    topologySpreadConstraints: [spread("kubernetes.io/hostname"), spread("topology.kubernetes.io/zone")],
    nodeSelector: pod.nodeSelector,
    tolerations: pod.tolerations.map(withoutEmpty),
    ...(pod.affinity === undefined ? {} : { affinity: pod.affinity }),
    ...(pod.priorityClassName === undefined ? {} : { priorityClassName: pod.priorityClassName }),
  };
}
