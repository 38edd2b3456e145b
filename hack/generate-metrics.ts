import {
  clusterTable,
  type LabelName,
  labelMeanings,
  type MetricDefinition,
  memberTable,
  operatorTable,
} from "../src/telemetry/metric-table.ts";
import { GENERATED } from "./generate-crd.ts";
import { code, table } from "./generate-reference.ts";

/** Every metric of the operator, from the tables that its registry is made of. */
export function metricsPage(): string {
  return [
    `<!-- ${GENERATED.replace("src/api", "src/telemetry/metric-table.ts")} -->`,
    "# Metrics",
    "The operator tells Prometheus what it knows of its clusters and of itself. The numbers are those that it has after each reconcile anyway: a scrape reads memory, and asks neither the API server nor a member. Only the replica that leads tells of clusters, so each series exists once. What is not known has no series; 0 is told as 0.",
    "## Reading them",
    "The chart opens the port `8443` of the operator's pods, with the Service `<release>-metrics` before it. Who may read is `metrics.access` of the [values](../helm/values.yaml):",
    table(["Access", "Means"], accessRows),
    "With `kubernetes`, bind a reader to the ClusterRole that the chart makes, and ask with its token:",
    [
      "```sh",
      "kubectl create clusterrolebinding metrics-reader --clusterrole evnode-operator-metrics-reader \\",
      "  --serviceaccount monitoring:prometheus",
      "kubectl --namespace evnode-system port-forward deployment/evnode-operator 8443 &",
      'curl --insecure --header "Authorization: Bearer $(kubectl --namespace monitoring create token prometheus)" \\',
      "  https://localhost:8443/metrics",
      "```",
    ].join("\n"),
    "`metrics.serviceMonitor.enabled`, `metrics.rules.enabled` and `metrics.dashboard.enabled` give the Prometheus operator and Grafana what they need: the rules are those of [alerts.yaml](../helm/files/alerts.yaml), each with its section in the [runbook](runbook.md#alerts), the dashboard is [dashboard.json](../helm/files/dashboard.json). Scrape configs without the Prometheus operator need `honor_labels: true`, because the label `namespace` is the cluster's.",
    "## The dashboard",
    "![Every panel of the dashboard over three quarters of an hour of a simulated cluster](dashboard.svg)",
    "Drawn from what Prometheus itself answers to the queries of the dashboard about a run of the simulator: a rollout, a killed leader, and Raft ports that were cut for four minutes. Panels without data there: simulated members have no execution layer, no size of a volume and no CPU limit; the simulated API server is asked without requests; the simulated operator has no process of its own; and its rollout was over within one scrape.",
    "## ev-node's own metrics",
    "ev-node's own metrics are told by each member on `spec.metrics.port`; they begin with `evnode_sequencer_`, and none of these does.",
    "## Labels",
    table(
      ["Label", "Its values"],
      (Object.entries(labelMeanings) as [LabelName, string][]).map(([name, meaning]) => [
        code(name),
        meaning,
      ]),
    ),
    "For a cluster of three there are about 80 series, for each further member about 10.",
    "## Clusters",
    rowsOf(clusterTable),
    "## Members",
    rowsOf(memberTable),
    "## The operator",
    "Names and labels are those of controllers that are built with controller-runtime, so that dashboards for them work. A reconcile that ends with an error is tried again; a conflict with somebody else's write is one, and is nothing to worry about.",
    rowsOf(operatorTable),
  ]
    .join("\n\n")
    .concat("\n");
}

const accessRows = [
  [
    "`kubernetes`",
    "Over https, whoever has a token of the Kubernetes cluster and the right to `get` the path `/metrics`. The default with all namespaces. The operator asks the API server by TokenReview and SubjectAccessReview, and remembers a yes for a minute.",
  ],
  [
    "`loopback`",
    "Over http, from within the pod: `kubectl port-forward`, or a sidecar. The default with `watchNamespace`, as the reviews are requests for the whole Kubernetes cluster.",
  ],
  ["`anyone`", "Over http, whoever reaches the port. Let a NetworkPolicy say who does."],
];

function rowsOf(metrics: Readonly<Record<string, MetricDefinition>>): string {
  return table(
    ["Metric", "Type", "Labels", "Means"],
    Object.entries(metrics).map(([name, { type, labels, help }]) => [
      code(name),
      type,
      labels.map(code).join(", "),
      help,
    ]),
  );
}
