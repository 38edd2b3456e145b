/** How the resource is called in the Kubernetes API, and what `kubectl get` shows of it. */
export const resource = {
  group: "evnode.dev",
  version: "v1alpha1",
  kind: "EvNodeCluster",
  listKind: "EvNodeClusterList",
  plural: "evnodeclusters",
  singular: "evnodecluster",
  shortNames: ["evc"],
  categories: ["evnode"],
} as const;

export interface PrinterColumn {
  readonly name: string;
  readonly type: "string" | "integer" | "date";
  readonly jsonPath: string;
  readonly description?: string;
  /** Columns of priority 1 are shown with `-o wide` only. */
  readonly priority?: 1;
}

const conditionStatus = (type: string) => `.status.conditions[?(@.type=="${type}")].status`;

export const printerColumns: readonly PrinterColumn[] = [
  { name: "Ready", type: "string", jsonPath: conditionStatus("Ready") },
  { name: "Leader", type: "string", jsonPath: ".status.leader" },
  { name: "Height", type: "integer", jsonPath: ".status.height" },
  { name: "Quorum", type: "string", jsonPath: ".status.quorum" },
  { name: "Phase", type: "string", jsonPath: ".status.phase" },
  { name: "Updated", type: "string", jsonPath: ".status.updatedMembers" },
  { name: "Image", type: "string", jsonPath: ".status.image" },
  { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
  { name: "Members", type: "string", jsonPath: ".status.readyMembers", priority: 1 },
  { name: "Chain", type: "string", jsonPath: ".spec.chain.id", priority: 1 },
  {
    name: "Reason",
    type: "string",
    jsonPath: '.status.conditions[?(@.type=="Ready")].reason',
    description: "Why the cluster is or is not ready.",
    priority: 1,
  },
];
