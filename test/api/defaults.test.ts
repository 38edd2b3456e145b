import { describe, expect, it } from "vitest";
import { CURRENT_DEFAULTS_VERSION, completeSpec, defaultsV1 } from "../../src/api/defaults.ts";
import type { Spec } from "../../src/api/evnodecluster.ts";
import { parseCluster } from "../../src/api/parse.ts";
import { checkTiming, defaultTiming } from "../../src/evnode/raft-timing.ts";
import { goodManifest, type Patch, patched, spec as specPatch } from "./manifest-patch.ts";

const given = (patch: Patch) => (patched(goodManifest, specPatch(patch)) as { spec: Spec }).spec;
const complete = (patch: Patch) => completeSpec(given(patch), CURRENT_DEFAULTS_VERSION);

describe("completeSpec", () => {
  it("gives the smallest spec the values of version 1, for ever", () => {
    expect(complete({})).toEqual({
      defaultsVersion: 1,
      replicas: 3,
      image: "ghcr.io/example/mychain:v1.4.0",
      imagePullPolicy: "IfNotPresent",
      imagePullSecrets: [],
      app: { kind: "testapp", extraArgs: [], extraEnv: [] },
      chain: { id: "demo-1", blockTimeMs: 1_000, genesis: { from: "Generated" } },
      signer: { from: "Generated" },
      da: { address: "http://local-da:7980", namespace: "demo-1", authTokenSecret: undefined },
      raft: {
        port: 5001,
        timing: {
          source: "Default",
          heartbeatTimeoutMs: 1_000,
          electionTimeoutMs: 2_000,
          leaderLeaseTimeoutMs: 1_000,
          sendTimeoutMs: 500,
        },
        snapshotThreshold: 5_000,
        trailingLogs: 18_000,
        snapshotsKept: 3,
      },
      p2p: { port: 7676, extraPeers: [] },
      rpc: { port: 7331 },
      metrics: { port: 26_660 },
      log: { level: "info", format: "json" },
      storage: { size: "1Gi", storageClassName: undefined },
      readiness: { maxBlocksBehind: 30 },
      networkPolicy: { enabled: true },
      disruptionBudget: { enabled: true },
      topology: { spread: "Preferred" },
      pod: {
        resources: { requests: {}, limits: {} },
        nodeSelector: {},
        tolerations: [],
        affinity: undefined,
        priorityClassName: undefined,
        labels: {},
        annotations: {},
        terminationGracePeriodSeconds: 45,
        serviceAccountAnnotations: {},
      },
    });
  });

  it.each<[string, Patch, object]>([
    [
      "what is written wins",
      { replicas: 5, log: { level: "warn" } },
      { replicas: 5, log: { level: "warn", format: "json" } },
    ],
    ["false is not absent", { networkPolicy: { enabled: false } }, { networkPolicy: { enabled: false } }],
    ["an empty section is an absent one", { raft: {}, pod: {}, p2p: {} }, complete({})],
    [
      "a round trip leaves the time-outs open",
      { raft: { rttMax: "40ms" } },
      { raft: { timing: { source: "RttMax", rttMaxMs: 40 } } },
    ],
    [
      "a genesis comes from a ConfigMap",
      { chain: { genesis: { configMap: { name: "g", key: "k" } } }, signer: { secretName: "s" } },
      {
        chain: { genesis: { from: "ConfigMap", reference: { name: "g", key: "k" } } },
        signer: { from: "Secret", name: "s" },
      },
    ],
    [
      "a genesis comes from a Secret",
      { chain: { genesis: { secret: { name: "g", key: "k" } } } },
      { chain: { genesis: { from: "Secret", reference: { name: "g", key: "k" } } } },
    ],
    [
      "a variable without a value is empty",
      { app: { extraEnv: [{ name: "A" }] } },
      { app: { extraEnv: [{ name: "A", value: "" }] } },
    ],
    [
      "a custom app has its command and ports",
      { app: { kind: "custom", command: ["x"], ports: [{ name: "api", port: 8545 }] } },
      {
        app: {
          kind: "custom",
          command: ["x"],
          ports: [{ name: "api", port: 8545 }],
          extraArgs: [],
          extraEnv: [],
        },
      },
    ],
  ])("%s", (_, patch, expected) => {
    expect(complete(patch)).toMatchObject(expected);
  });

  it("uses time-outs that ev-node's rules accept and that are never shorter than its own", () => {
    const { timing } = complete({}).raft;
    if (timing.source === "RttMax") throw new Error("the defaults name time-outs");
    expect(checkTiming(timing)).toEqual([]);
    for (const key of Object.keys(defaultTiming) as (keyof typeof defaultTiming)[]) {
      expect(timing[key]).toBeGreaterThanOrEqual(defaultTiming[key]);
    }
  });

  it("writes the same text for the same spec, whatever the order of its fields", () => {
    const reversed = (value: unknown): unknown =>
      typeof value === "object" && value !== null && !Array.isArray(value)
        ? Object.fromEntries(
            Object.entries(value)
              .toReversed()
              .map(([key, part]) => [key, reversed(part)]),
          )
        : value;
    const manifest = patched(
      goodManifest,
      specPatch({ da: { authTokenSecret: { name: "t", key: "k" } }, replicas: 5 }),
    );
    const texts = [manifest, reversed(manifest)].map((object) => {
      const parsed = parseCluster(object as Parameters<typeof parseCluster>[0], CURRENT_DEFAULTS_VERSION);
      return parsed.kind === "valid" ? JSON.stringify(parsed.spec) : parsed.problems.join("\n");
    });
    expect(texts[1]).toBe(texts[0]);
  });

  it("has no version of the defaults that it does not know", () => {
    expect(() => completeSpec(given({}), 2)).toThrow("There is no version 2 of the defaults.");
  });
});

describe("parseCluster", () => {
  it("refuses a cluster of a newer operator instead of changing it", () => {
    expect(parseCluster(goodManifest, 2)).toEqual({
      kind: "invalid",
      problems: [
        "spec: The cluster was created with version 2 of the defaults, which this operator does not know; run the operator that created it, or a newer one.",
      ],
    });
  });

  it("keeps metadata and status as they are and drops fields of the spec that it does not know", () => {
    const status = { phase: "SomethingNew" };
    const object = { ...(patched(goodManifest, specPatch({ future: 1 })) as typeof goodManifest), status };
    const parsed = parseCluster(object, CURRENT_DEFAULTS_VERSION);
    expect(parsed).toMatchObject({ kind: "valid", cluster: { ...goodManifest, status } });
    expect(parsed.kind === "valid" && Object.keys(parsed.cluster.spec)).not.toContain("future");
  });

  it("tells at most 20 problems", () => {
    const extraArgs = Array.from({ length: 30 }, () => "-x");
    const parsed = parseCluster(
      patched(goodManifest, specPatch({ app: { extraArgs } })) as typeof goodManifest,
      1,
    );
    expect(parsed.kind === "invalid" && parsed.problems.length).toBe(20);
  });

  it("takes its defaults for the version that new clusters get", () => {
    expect(CURRENT_DEFAULTS_VERSION).toBe(1);
    expect(complete({}).chain.blockTimeMs).toBe(Number.parseInt(defaultsV1.chain.blockTime, 10) * 1_000);
  });

  it.each<[blockTime: string, absenceCovered: string, trailingLogs: number]>([
    ["1s", "1h", 10_800],
    ["100ms", "1h", 108_000],
    ["1m", "1h", 180],
    ["7s", "1m", 27],
  ])("at a block every %s keeps the log of %s in %i entries", (blockTime, absenceCovered, trailingLogs) => {
    const { raft } = complete({ chain: { blockTime }, raft: { absenceCovered } });
    expect(raft).toMatchObject({ trailingLogs, snapshotThreshold: 5_000 });
  });
});
