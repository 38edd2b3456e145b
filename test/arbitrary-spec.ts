import * as fc from "fast-check";
import type { Spec } from "../src/api/evnodecluster.ts";
import { evm, spec } from "./builders.ts";

/** Specs that pass every rule, with each field present or absent. Immutable fields are drawn like all others. */
export function arbitrarySpec(): fc.Arbitrary<Spec> {
  return fc
    .tuple(record(sections), fc.constantFrom({}, {}, {}, evm))
    .map(([fields, more]) => ({ ...spec, ...fields, ...more }));
}

const record = (fields: Readonly<Record<string, fc.Arbitrary<unknown>>>) =>
  fc.record(fields, { requiredKeys: [] });
const port = (from: number) => fc.integer({ min: from, max: from + 99 });
const toggle = fc.record({ enabled: fc.boolean() });
const entries = fc.dictionary(fc.constantFrom("team", "example.com/x"), fc.constantFrom("", "a", "b"));
const amounts = fc.dictionary(
  fc.constantFrom("cpu", "memory"),
  fc.oneof(fc.constantFrom("500m", "1", "2Gi"), fc.integer({ min: 1, max: 9 })),
);

const app = fc.oneof(
  record({
    kind: fc.constant("testapp"),
    extraArgs: fc.constantFrom([], ["--x"], ["--x", "--y=1"]),
    extraEnv: fc.constantFrom(
      [],
      [{ name: "GOGC", value: "50" }],
      [{ name: "GOGC" }],
      [{ name: "A", value: "" }],
    ),
  }),
  fc.record({
    kind: fc.constant("custom"),
    command: fc.constantFrom(["/bin/chain"], ["/bin/chain", "serve"]),
    ports: fc.constantFrom([], [{ name: "api", port: 8545 }]),
  }),
);

const timing = {
  heartbeatTimeout: "1s",
  electionTimeout: "2s",
  leaderLeaseTimeout: "500ms",
  sendTimeout: "500ms",
};

const daFields = {
  namespace: fc.constant("ns"),
  dataNamespace: fc.constant("data"),
  forcedInclusionNamespace: fc.constant("forced"),
  submitOptions: fc.constant('{"gas_price": 0.002}'),
  signingAddresses: fc.constantFrom(["a"], ["b", "a"]),
  blockTime: fc.constant("12s"),
  mempoolTTL: fc.constant(5),
  batching: record({ strategy: fc.constant("size"), sizeThreshold: fc.constant(0.25) }),
};

const sections = {
  replicas: fc.constantFrom(1, 3, 5, 7),
  image: fc.constantFrom("example.org/testapp:1", "example.org/testapp:2"),
  imagePullPolicy: fc.constantFrom("Always", "IfNotPresent", "Never"),
  imagePullSecrets: fc.constantFrom([], [{ name: "registry" }]),
  app,
  chain: fc.record(
    {
      id: fc.constant("rollup-1"),
      blockTime: fc.constantFrom("1s", "500ms", "1m30s"),
      lazy: fc.record({ interval: fc.constantFrom("2m", "1h30m500ms") }),
      scrapeInterval: fc.constant("1m10s"),
      maxPendingBlocks: fc.integer({ min: 1, max: 9 }),
    },
    { requiredKeys: ["id"] },
  ),
  da: fc
    .tuple(fc.constantFrom("http://local-da:7980", "wss://da.example.com/rpc"), record(daFields))
    .map(([address, others]) => ({ address, ...others })),
  raft: fc.oneof(
    record({ port: port(5_100), absenceCovered: fc.constantFrom("1h", "240h", "61s") }),
    record({ port: port(5_100), trailingLogs: fc.integer({ min: 1, max: 9 }) }),
    record({ afterOutage: fc.constantFrom("Level", "Start") }),
    fc.constantFrom({ rttMax: "40ms" }, { timing }),
  ),
  p2p: record({
    port: port(7_600),
    blockedPeers: fc.constant(["1".repeat(52)]),
    allowedPeers: fc.constant(["2".repeat(52)]),
  }),
  rpc: record({
    port: port(7_300),
    daVisualization: toggle,
    health: record({ window: fc.constant("1m"), maxBlocksBehind: fc.nat({ max: 9 }) }),
  }),
  metrics: record({ port: port(26_600), maxConnections: fc.constant(9), namespace: fc.constant("x") }),
  tracing: fc.record(
    {
      endpoint: fc.constant("otel:4318"),
      serviceName: fc.constant("s"),
      sampleRate: fc.constantFrom(0, 0.5),
    },
    { requiredKeys: ["endpoint"] },
  ),
  pprof: toggle,
  pruning: fc.record(
    { mode: fc.constantFrom("all", "disabled"), keepRecent: fc.constant(100), interval: fc.constant("2m") },
    { requiredKeys: ["mode"] },
  ),
  log: record({
    level: fc.constantFrom("debug", "info"),
    format: fc.constantFrom("text", "json"),
    trace: fc.boolean(),
  }),
  readiness: fc.record({ maxBlocksBehind: fc.integer({ min: 1, max: 99 }) }),
  networkPolicy: toggle,
  disruptionBudget: toggle,
  topology: fc.record({ spread: fc.constantFrom("Preferred", "Required") }),
  pod: record({
    resources: record({ requests: amounts }),
    nodeSelector: entries,
    tolerations: fc.constantFrom(
      [],
      [{ operator: "Exists", key: "", value: "" }],
      [{ key: "a", effect: "NoSchedule" }],
    ),
    affinity: fc.constantFrom({ nodeAffinity: {} }, { podAntiAffinity: { a: [{ b: 1 }] } }),
    priorityClassName: fc.constant("high"),
    labels: entries,
    annotations: entries,
    terminationGracePeriodSeconds: fc.integer({ min: 30, max: 99 }),
    serviceAccountAnnotations: entries,
  }),
};
