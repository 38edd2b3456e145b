import { type BadManifest, spec } from "./manifest-patch.ts";

const PORTS = "must differ from each other and from 9090";

export const badNetwork: readonly BadManifest[] = [
  {
    name: "a privileged port",
    patch: spec({ rpc: { port: 80 } }),
    field: "spec.rpc.port",
    message: "should be greater than or equal to 1024",
  },
  {
    name: "a port that does not exist",
    patch: spec({ p2p: { port: 65_536 } }),
    field: "spec.p2p.port",
    message: "should be less than or equal to 65535",
  },
  {
    name: "two ports of one number",
    patch: spec({ rpc: { port: 9000 }, metrics: { port: 9000 } }),
    field: "spec",
    message: PORTS,
  },
  {
    name: "a port that another has by default",
    patch: spec({ rpc: { port: 5001 } }),
    field: "spec",
    message: PORTS,
  },
  { name: "the agent's port", patch: spec({ metrics: { port: 9090 } }), field: "spec", message: PORTS },
  {
    name: "the port of testapp",
    patch: spec({ rpc: { port: 8080 } }),
    field: "spec",
    message: "Port 8080 is where testapp takes transactions",
  },
  {
    name: "a peer in another style",
    patch: spec({ p2p: { extraPeers: ["id@10.0.0.1:7676"] } }),
    field: "spec.p2p.extraPeers[0]",
    message: "A peer is a multiaddress",
  },
  {
    name: "a peer with a space",
    patch: spec({ p2p: { extraPeers: [` /dns4/a/tcp/1/p2p/${"1".repeat(52)}`] } }),
    field: "spec.p2p.extraPeers[0]",
    message: "A peer is a multiaddress",
  },
  {
    name: "two peers in one",
    patch: spec({ p2p: { extraPeers: [`/dns4/a/p2p/${"1".repeat(52)},/dns4/b/p2p/${"1".repeat(52)}`] } }),
    field: "spec.p2p.extraPeers[0]",
    message: "A peer is a multiaddress",
  },
  {
    name: "an unknown log level",
    patch: spec({ log: { level: "verbose" } }),
    field: "spec.log.level",
    message: 'supported values: "debug", "info", "warn", "error"',
  },
];

export const badPlacement: readonly BadManifest[] = [
  {
    name: "no storage",
    patch: spec({ storage: null }),
    field: "spec.storage",
    message: "spec.storage: Required value",
  },
  {
    name: "a size of nothing",
    patch: spec({ storage: { size: "0Gi" } }),
    field: "spec.storage.size",
    message: "The size must be an amount above zero",
  },
  {
    name: "a size in an unknown unit",
    patch: spec({ storage: { size: "10GB" } }),
    field: "spec.storage.size",
    message: "The size must be an amount above zero",
  },
  {
    name: "a size that is a number",
    patch: spec({ storage: { size: 10 } }),
    field: "spec.storage.size",
    message: "must be of type string",
  },
  {
    name: "an unknown way to spread",
    patch: spec({ topology: { spread: "Always" } }),
    field: "spec.topology.spread",
    message: 'supported values: "Preferred", "Required"',
  },
  {
    name: "a text for a switch",
    patch: spec({ networkPolicy: { enabled: "no" } }),
    field: "spec.networkPolicy.enabled",
    message: "must be of type boolean",
  },
  {
    name: "no block of tolerance",
    patch: spec({ readiness: { maxBlocksBehind: 0 } }),
    field: "spec.readiness.maxBlocksBehind",
    message: "should be greater than or equal to 1",
  },
  {
    name: "too little time to hand over",
    patch: spec({ pod: { terminationGracePeriodSeconds: 10 } }),
    field: "spec.pod.terminationGracePeriodSeconds",
    message: "should be greater than or equal to 30",
  },
  {
    name: "a negative request",
    patch: spec({ pod: { resources: { requests: { cpu: "-1" } } } }),
    field: "spec.pod.resources.requests",
    message: "Each amount must be a quantity",
  },
  {
    name: "a label of the operator's",
    patch: spec({ pod: { labels: { "evnode.dev/role": "leader" } } }),
    field: "spec.pod.labels",
    message: "are reserved",
  },
  {
    name: "a label of Kubernetes'",
    patch: spec({ pod: { labels: { "app.kubernetes.io/name": "x" } } }),
    field: "spec.pod.labels",
    message: "are reserved",
  },
  {
    name: "the revision label",
    patch: spec({ pod: { labels: { "controller-revision-hash": "x" } } }),
    field: "spec.pod.labels",
    message: "are reserved",
  },
  {
    name: "a label with a space",
    patch: spec({ pod: { labels: { team: "a b" } } }),
    field: "spec.pod.labels",
    message: "Each value must be empty or at most 63",
  },
  {
    name: "a label key with two slashes",
    patch: spec({ pod: { labels: { "a/b/c": "d" } } }),
    field: "spec.pod.labels",
    message: "Each key must be a name",
  },
  {
    name: "an annotation of the operator's",
    patch: spec({ pod: { annotations: { "evnode.dev/order": "{}" } } }),
    field: "spec.pod.annotations",
    message: "are reserved",
  },
  {
    name: "an annotation of Kubernetes'",
    patch: spec({ pod: { annotations: { "kubectl.kubernetes.io/restartedAt": "now" } } }),
    field: "spec.pod.annotations",
    message: "are reserved",
  },
  {
    name: "a service account annotation of the operator's",
    patch: spec({ pod: { serviceAccountAnnotations: { "evnode.dev/x": "y" } } }),
    field: "spec.pod.serviceAccountAnnotations",
    message: "Annotations under evnode.dev are reserved.",
  },
  {
    name: "a toleration of everything without saying so",
    patch: spec({ pod: { tolerations: [{ effect: "NoSchedule" }] } }),
    field: "spec.pod.tolerations[0]",
    message: "A toleration without a key needs operator Exists.",
  },
  {
    name: "a toleration that exists with a value",
    patch: spec({ pod: { tolerations: [{ key: "a", operator: "Exists", value: "b" }] } }),
    field: "spec.pod.tolerations[0]",
    message: "A toleration with operator Exists has no value.",
  },
  {
    name: "a toleration for a time of the wrong effect",
    patch: spec({ pod: { tolerations: [{ key: "a", effect: "NoSchedule", tolerationSeconds: 5 }] } }),
    field: "spec.pod.tolerations[0]",
    message: "Only a toleration of effect NoExecute",
  },
];
