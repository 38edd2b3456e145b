import { expect, test } from "vitest";
import { readConfig } from "../src/config.ts";

const environment = {
  POD_NAMESPACE: "operators",
  POD_NAME: "operator-0",
  AGENT_IMAGE: "example.org/operator:1",
};

const defaults = {
  namespace: "operators",
  identity: "operator-0",
  watchNamespace: undefined,
  agentImage: "example.org/operator:1",
  clusterDomain: "cluster.local",
  workers: 4,
  healthPort: 8081,
  metricsPort: 0,
  metricsAccess: "kubernetes",
  metricsCertFolder: undefined,
  logLevel: "info",
};

test("what the chart sets is enough", () => {
  expect(readConfig([], environment)).toEqual({ kind: "ok", config: defaults });
});

test("everything can be set by the environment", () => {
  const all = {
    ...environment,
    WATCH_NAMESPACE: "rollup",
    CLUSTER_DOMAIN: "k8s.example.org",
    WORKERS: "8",
    HEALTH_PORT: "9000",
    METRICS_PORT: "8443",
    METRICS_ACCESS: "loopback",
    METRICS_CERT_FOLDER: "/etc/tls",
    LOG_LEVEL: "debug",
  };
  expect(readConfig([], all)).toEqual({
    kind: "ok",
    config: {
      ...defaults,
      watchNamespace: "rollup",
      clusterDomain: "k8s.example.org",
      workers: 8,
      healthPort: 9000,
      metricsPort: 8443,
      metricsAccess: "loopback",
      metricsCertFolder: "/etc/tls",
      logLevel: "debug",
    },
  });
});

test.each<[string, readonly string[], NodeJS.ProcessEnv, object]>([
  ["a flag beats the environment", ["--workers=2"], { WORKERS: "8" }, { workers: 2 }],
  ["a flag beats the default", ["--log-level", "warn"], {}, { logLevel: "warn" }],
  [
    "a flag that is empty on purpose asks for all namespaces, whatever the environment says",
    ["--watch-namespace="],
    { WATCH_NAMESPACE: "rollup" },
    { watchNamespace: undefined },
  ],
  ["an empty variable, as charts render it, is an absent one", [], { WORKERS: "", WATCH_NAMESPACE: "" }, {}],
])("%s", (_, args, more, config) => {
  expect(readConfig(args, { ...environment, ...more })).toEqual({
    kind: "ok",
    config: { ...defaults, ...config },
  });
});

test("every problem is told at once, by flag and by variable", () => {
  const wrong = {
    WORKERS: "0",
    HEALTH_PORT: "http",
    METRICS_PORT: "65536",
    METRICS_ACCESS: "me",
    METRICS_CERT_FOLDER: "tls",
    LOG_LEVEL: "loud",
    WATCH_NAMESPACE: "No_Name",
  };
  const reading = readConfig([], wrong);
  if (reading.kind === "ok") throw new Error("nothing of it is right");
  expect(reading.problems).toEqual([
    expect.stringMatching(/^--namespace \(environment variable POD_NAMESPACE\): /),
    expect.stringMatching(/^--identity \(environment variable POD_NAME\): /),
    "--watch-namespace (environment variable WATCH_NAMESPACE): expected a namespace, or nothing for all",
    expect.stringMatching(/^--agent-image \(environment variable AGENT_IMAGE\): /),
    expect.stringMatching(/^--workers \(environment variable WORKERS\): /),
    expect.stringMatching(/^--health-port \(environment variable HEALTH_PORT\): /),
    expect.stringMatching(/^--metrics-port \(environment variable METRICS_PORT\): /),
    expect.stringMatching(
      /^--metrics-access \(environment variable METRICS_ACCESS\): .*kubernetes.*loopback.*anyone/,
    ),
    "--metrics-cert-folder (environment variable METRICS_CERT_FOLDER): expected the absolute path of a folder, or nothing",
    expect.stringMatching(/^--log-level \(environment variable LOG_LEVEL\): .*debug.*info.*warn.*error/),
  ]);
});

test.each<[string, readonly string[]]>([
  ["a flag that does not exist", ["--colour=red"]],
  ["a flag without its value", ["--workers"]],
  ["an argument that is no flag", ["all"]],
])("%s is a problem", (_, args) => {
  expect(readConfig(args, environment)).toMatchObject({ kind: "problems", problems: [expect.any(String)] });
});

test.each(["1.5", "-1", "65", "many"])("%s is no number of workers", (workers) => {
  expect(readConfig([`--workers=${workers}`], environment).kind).toBe("problems");
});

test("two pages cannot have one port", () => {
  expect(readConfig(["--metrics-port=8081"], environment)).toEqual({
    kind: "problems",
    problems: [
      "--metrics-port (environment variable METRICS_PORT): expected another port than the health port, 8081",
    ],
  });
});
