import * as fc from "fast-check";
import { type Patch, patched, spec } from "./manifest-patch.ts";

/**
 * Patches of the good manifest in which every field that a rule looks at is sometimes right, sometimes nearly right
 * and sometimes wrong. Names of list entries are unique: only the API server compares those.
 */
export function arbitraryPatch(): fc.Arbitrary<Patch> {
  return fc
    .array(fc.oneof(...sections), { minLength: 1, maxLength: 3 })
    .map((patches) => patches.reduce<unknown>((sum, patch) => patched(sum, spec(patch)), {}) as Patch);
}

const oddities = [
  "",
  " ",
  "/",
  ":",
  "-",
  "--",
  ".",
  "_",
  "A",
  "0",
  "=",
  ",",
  "'",
  "\\",
  "\n",
  "\t",
  "é",
  "=--home",
  "1s",
];

/** A valid text with something odd put in, at any place; with nothing put in it stays valid. */
function nearly(...examples: readonly string[]): fc.Arbitrary<string> {
  const place = fc.tuple(fc.constantFrom(...examples), fc.nat({ max: 40 }), fc.constantFrom("", ...oddities));
  return place.map(([text, position, odd]) => {
    const at = Math.min(position, text.length);
    return `${text.slice(0, at)}${odd}${text.slice(at)}`;
  });
}

const record = (fields: Readonly<Record<string, fc.Arbitrary<unknown>>>): fc.Arbitrary<Patch> =>
  fc.record(fields, { requiredKeys: [] });
const port = fc.constantFrom(5001, 7676, 7331, 26_660, 9090, 8080, 8545, 1024, 1023, 65_535, 65_536);
const duration = nearly(
  "1s",
  "500ms",
  "10ms",
  "9ms",
  "1h",
  "1h1ms",
  "0s",
  "1m30s",
  "350ms",
  "5ms",
  "4ms",
  "999999h",
);
const name = nearly("demo-identity", "some.secret", "a");
const reference = fc.record({ name, key: nearly("genesis.json", "k") });
const quantity = fc.oneof(nearly("1", "500m", "4Gi", "1.5Gi", "0"), fc.integer({ min: -2, max: 9 }));
const key = nearly(
  "team",
  "example.com/team",
  "evnode.dev/x",
  "app.kubernetes.io/name",
  "cluster-autoscaler.kubernetes.io/x",
);
const value = nearly("rollup", "a.b-c_d");
const entries = fc.dictionary(key, value, { maxKeys: 2 });
const flags = [
  "--home=/x",
  "--kv-endpoint=0",
  "--x",
  "--x.y_z=1",
  "--evnode.raft.peers=",
  "--rollkit.log.level=debug",
  "--evnode.node.aggregator",
  "--evnode.node.aggregators",
  "--evnode.pruning.pruning_mode=all",
];
const flag = nearly(...flags);
const variable = nearly(
  "DB_PATH",
  "X_CLEAR_CACHE",
  "HOME",
  "HOME2",
  "RAFT",
  "testapp_A",
  "LIBP2P_TCP_REUSEPORT",
  "GOGC",
);
const byName = { selector: (entry: { name: string }) => entry.name, maxLength: 2 };

const sections: readonly fc.Arbitrary<Patch>[] = [
  record({ image: nearly("ghcr.io/example/mychain:v1", "a"), replicas: fc.integer({ min: 1, max: 8 }) }),
  record({
    app: record({
      kind: fc.constantFrom("testapp", "custom", "evm"),
      command: fc.array(fc.oneof(flag, nearly("/bin/x", "start")), { minLength: 0, maxLength: 3 }),
      ports: fc.uniqueArray(fc.record({ name: nearly("api", "raft", "kv"), port }), byName),
    }),
  }),
  record({
    app: record({
      extraArgs: fc.array(flag, { maxLength: 3 }),
      extraEnv: fc.uniqueArray(fc.record({ name: variable, value: fc.string({ maxLength: 9 }) }), byName),
    }),
  }),
  record({
    chain: record({
      id: nearly("demo-1", "a", "a".repeat(50)),
      blockTime: duration,
      genesis: record({ configMap: reference, secret: reference }),
    }),
    signer: record({
      secretName: name,
      awsKms: record({ keyArn: nearly("arn:aws:kms:eu-central-1:111122223333:key/1-a") }),
      gcpKms: record({
        keyVersion: nearly("projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1"),
      }),
    }),
  }),
  record({
    da: record({
      address: nearly(
        "http://local-da:7980",
        "wss://da.example.com/rpc?x=1",
        "https://[::1]:26658",
        "https://a@b",
      ),
      namespace: nearly("my-chain"),
      authTokenSecret: reference,
    }),
  }),
  record({ raft: record({ port, rttMax: duration, snapshotThreshold: fc.integer({ min: -1, max: 2 }) }) }),
  record({
    raft: record({
      timing: fc.record({
        heartbeatTimeout: duration,
        electionTimeout: duration,
        leaderLeaseTimeout: duration,
        sendTimeout: duration,
      }),
    }),
  }),
  record({ p2p: record({ port }), rpc: record({ port }), metrics: record({ port }) }),
  record({
    p2p: record({
      extraPeers: fc.uniqueArray(nearly(`/dns4/a.b/tcp/7676/p2p/${"1".repeat(52)}`, "/p2p/x"), {
        maxLength: 2,
      }),
    }),
  }),
  record({
    chain: record({ id: fc.constant("demo-1"), genesis: record({ secret: reference }) }),
    signer: record({ secretName: name }),
    migration: record({
      peer: nearly(`/dns4/a.b/tcp/7676/p2p/${"1".repeat(52)}`),
      rpcAddress: nearly("http://a.b:7331", "https://[::1]:1", "ftp://a"),
      oldSequencer: fc.constantFrom("Running", "Stopped", "Gone"),
      copies: fc.constantFrom("Refuse", "Accept", "Maybe"),
    }),
  }),
  record({
    p2p: record({
      blockedPeers: fc.uniqueArray(nearly("1".repeat(52)), { minLength: 1, maxLength: 2 }),
      allowedPeers: fc.uniqueArray(nearly("1".repeat(52)), { minLength: 1, maxLength: 2 }),
      connectionGater: record({ enabled: fc.boolean() }),
    }),
  }),
  record({
    chain: record({
      lazy: record({ interval: duration }),
      scrapeInterval: duration,
      maxPendingBlocks: fc.integer({ min: -1, max: 2 }),
    }),
    da: record({
      dataNamespace: nearly("my-data"),
      signingAddresses: fc.uniqueArray(nearly("celestia1a", "-"), { minLength: 1, maxLength: 2 }),
      blockTime: duration,
      batching: record({
        strategy: fc.constantFrom("size", "none"),
        sizeThreshold: fc.constantFrom(0, 0.5, 1, 1.5),
        maxDelay: duration,
      }),
    }),
  }),
  record({
    metrics: record({ namespace: nearly("my_chain") }),
    tracing: record({
      endpoint: nearly("otel:4318", "https://[::1]:4318/v1", "http://a@b"),
      serviceName: nearly("my-chain"),
    }),
    pruning: record({ mode: fc.constantFrom("all", "none"), keepRecent: fc.constantFrom(99, 100) }),
  }),
  record({ storage: record({ size: nearly("1Gi", "0", "1.5Ti", "10G"), storageClassName: name }) }),
  record({
    pod: record({
      resources: record({ requests: fc.dictionary(fc.constantFrom("cpu", "memory"), quantity) }),
      nodeSelector: entries,
      terminationGracePeriodSeconds: fc.constantFrom(29, 30, 3_600, 3_601),
    }),
  }),
  record({ pod: record({ labels: entries, annotations: entries, serviceAccountAnnotations: entries }) }),
  record({
    pod: record({
      tolerations: fc.array(
        record({
          key: fc.constantFrom("", "a"),
          operator: fc.constantFrom("Exists", "Equal", "In"),
          value: fc.constantFrom("", "b"),
          effect: fc.constantFrom("NoSchedule", "NoExecute"),
          tolerationSeconds: fc.integer({ min: -1, max: 2 }),
        }),
        { maxLength: 2 },
      ),
    }),
  }),
];
