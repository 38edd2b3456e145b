import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { isOwnedFlag } from "../../src/api/schema/owned-flags.ts";
import {
  describeDifference,
  hasMorePeers,
  type MemberConfigInput,
  memberConfig,
  parseConfig,
  peerMultiaddr,
  RAFT_PEERS_SENTINEL,
  renderAlone,
  renderConfig,
  renderFullNodeConfig,
  runsInRaft,
} from "../../src/evnode/config.ts";
import { defaultTiming } from "../../src/evnode/raft-timing.ts";

function configInput(changes: Partial<MemberConfigInput> = {}): MemberConfigInput {
  return {
    home: "/data",
    dbPath: "data",
    blockTimeMs: 1_000,
    da: { address: "http://local-da:7980", namespace: "my-chain" },
    rpcPort: 7331,
    p2p: {
      port: 7676,
      peers: [
        { host: "ev-1.ev.ns.svc.cluster.local", port: 7676, peerId: "12D3KooWOne" },
        { host: "ev-2.ev.ns.svc.cluster.local", port: 7676, peerId: "12D3KooWTwo" },
      ],
      extraPeers: ["/dns4/full.example.org/tcp/7676/p2p/12D3KooWFar"],
    },
    metricsPort: 26660,
    log: { level: "info", format: "json" },
    signerPath: "/data/config",
    raft: {
      nodeId: "ev-0",
      address: "ev-0.ev.ns.svc.cluster.local:5001",
      dir: "/data/raft-1",
      timing: defaultTiming,
      snapshotThreshold: 500,
      trailingLogs: 200,
      snapCount: 3,
    },
    ...changes,
  };
}

const withToken = configInput({
  da: { address: "https://user:hunter2@da.example.org", namespace: "my-chain", authToken: "s3cret" },
});

describe("rendering a member's config", () => {
  it("writes every key that a raft member needs, and none besides", () => {
    expect(parse(renderConfig(configInput()))).toEqual({
      raft: {
        enable: true,
        node_id: "ev-0",
        raft_addr: "ev-0.ev.ns.svc.cluster.local:5001",
        raft_dir: "/data/raft-1",
        peers: "bootstrapped-by-agent",
        heartbeat_timeout: "350ms",
        election_timeout: "1s",
        leader_lease_timeout: "175ms",
        send_timeout: "200ms",
        snapshot_threshold: 500,
        trailing_logs: 200,
        snap_count: 3,
      },
      db_path: "data",
      log: { level: "info", format: "json" },
      rpc: { address: "0.0.0.0:7331" },
      p2p: {
        listen_address: "/ip4/0.0.0.0/tcp/7676",
        peers:
          "/dns4/ev-1.ev.ns.svc.cluster.local/tcp/7676/p2p/12D3KooWOne,/dns4/ev-2.ev.ns.svc.cluster.local/tcp/7676/p2p/12D3KooWTwo,/dns4/full.example.org/tcp/7676/p2p/12D3KooWFar",
      },
      instrumentation: { prometheus: true, prometheus_listen_addr: ":26660" },
      signer: { signer_type: "file", signer_path: "/data/config" },
      da: { address: "http://local-da:7980", namespace: "my-chain" },
      node: { block_time: "1s", lazy_mode: false, readiness_window_seconds: 15, aggregator: true },
    });
  });

  it("gives the same text for the same member", () => {
    expect(renderConfig(configInput())).toBe(renderConfig(configInput()));
  });

  it("writes a token only when there is one", () => {
    expect(parse(renderConfig(withToken))).toMatchObject({ da: { auth_token: "s3cret" } });
    expect(renderConfig(configInput())).not.toContain("auth_token");
  });

  // Texts that a reader of YAML 1.1, as ev-node's is, takes for something else unless they are quoted.
  it.each([
    "on",
    "no",
    "null",
    "~",
    "0123",
    "1e3",
    "0x1f",
    "2026-01-01",
    "a: b",
    "# x",
    "é\n\t\"'\\",
    "!!str x",
    "*a",
  ])("keeps the namespace %j a text", (namespace) => {
    const text = renderConfig(configInput({ da: { address: "http://da", namespace } }));
    expect(parse(text, { version: "1.1" })).toMatchObject({ da: { namespace } });
  });

  it("never yields a producer without raft when the file is cut off anywhere", () => {
    const text = renderConfig(configInput());
    let producers = 0;
    for (let length = 0; length <= text.length; length += 1) {
      const cut = parsedOrNothing(text.slice(0, length));
      if (cut?.node?.aggregator !== true) continue;
      producers += 1;
      expect(cut.raft).toMatchObject({
        enable: true,
        node_id: "ev-0",
        peers: RAFT_PEERS_SENTINEL,
        snap_count: 3,
      });
    }
    expect(producers).toBeGreaterThan(0);
  });

  it("lets nobody set a rendered key by a flag of their own", () => {
    const harmless = ["node.readiness_window_seconds"];
    const flags = flatKeys(parse(renderConfig(withToken))).filter((key) => !harmless.includes(key));
    expect(flags.length).toBeGreaterThan(20);
    for (const prefix of ["evnode", "rollkit"]) {
      expect(flags.filter((key) => !isOwnedFlag(`--${prefix}.${key}=x`))).toEqual([]);
    }
  });

  it.each<[string, Partial<MemberConfigInput>, RegExp]>([
    [
      "a DA address without scheme",
      { da: { address: "da:7980", namespace: "n" } },
      /da\.address: expected an http/,
    ],
    ["an empty namespace", { da: { address: "http://da", namespace: "" } }, /da\.namespace: expected a text/],
    ["a relative signer path", { signerPath: "config" }, /signer\.signer_path: expected an absolute path/],
    ["a block store outside the home", { dbPath: "/elsewhere" }, /must be a path below the home/],
    ["a block time of zero", { blockTimeMs: 0 }, /node\.block_time: expected a duration/],
  ])("refuses %s", (_, changes, message) => {
    expect(() => renderConfig(configInput(changes))).toThrow(message);
  });

  it.each<[string, Partial<MemberConfigInput["raft"]>, RegExp]>([
    ["every interface as raft address", { address: "0.0.0.0:5001" }, /raft\.raft_addr: expected host:port/],
    ["a raft address without host", { address: ":5001" }, /raft\.raft_addr: expected host:port/],
    ["every IPv6 interface as raft address", { address: "[::]:5001" }, /raft\.raft_addr: expected host:port/],
    ["a raft directory on another volume", { dir: "/raft" }, /must be below the home/],
    ["no snapshots", { snapCount: 0 }, /raft\.snap_count/],
    [
      "a lease longer than the heartbeat",
      { timing: { ...defaultTiming, leaderLeaseTimeoutMs: 351 } },
      /leader lease time-out \(351 ms\) must not exceed/,
    ],
  ])("refuses %s", (_, changes, message) => {
    expect(() => renderConfig(configInput({ raft: { ...configInput().raft, ...changes } }))).toThrow(message);
  });

  it.each([
    "/dns4/a/tcp/1/p2p/x ",
    " /dns4/a/tcp/1/p2p/x",
    "/dns4/a/tcp/1",
    "id@1.2.3.4:5",
    "/dns4/a/tcp/1/p2p/x,",
  ])("refuses the extra peer %j, which ev-node would drop in silence", (peer) => {
    const p2p = { ...configInput().p2p, extraPeers: [peer] };
    expect(() => renderConfig(configInput({ p2p }))).toThrow(/p2p\.peers: expected multiaddrs/);
  });

  it("does not repeat a token when it refuses", () => {
    const da = { address: "hunter2", namespace: "n", authToken: "s3cret" };
    expect(() => renderConfig(configInput({ da }))).toThrow(/^(?!.*(hunter2|s3cret))/s);
  });
});

describe("multiaddrs of members", () => {
  it.each([
    ["ev-1.ev.ns.svc", "/dns4/ev-1.ev.ns.svc/tcp/7676/p2p/12D3"],
    ["10.0.0.1", "/ip4/10.0.0.1/tcp/7676/p2p/12D3"],
    ["fd00::1", "/ip6/fd00::1/tcp/7676/p2p/12D3"],
  ])("names %s as %s", (host, multiaddr) => {
    expect(peerMultiaddr({ host, port: 7676, peerId: "12D3" })).toBe(multiaddr);
  });
});

describe("reading a member's config", () => {
  it("gives what was rendered", () => {
    expect(parseConfig(renderConfig(withToken))).toEqual({ kind: "parsed", value: memberConfig(withToken) });
  });

  it.each<[string, (text: string) => string, string]>([
    ["an unknown key", (text) => `${text}extra: 1\n`, 'evnode.yaml: Unrecognized key: "extra"'],
    [
      "an unknown key in a section",
      (text) => text.replace("raft:", "raft:\n  bootstrap: true"),
      'evnode.yaml: raft: Unrecognized key: "bootstrap"',
    ],
    [
      "a missing section",
      (text) => text.replace(/^rpc:\n.*\n/m, ""),
      "evnode.yaml: rpc: Invalid input: expected object, received undefined",
    ],
    [
      "other peers than the sentinel",
      (text) => text.replace(RAFT_PEERS_SENTINEL, "ev-1@ev-1:5001"),
      'evnode.yaml: raft.peers: Invalid input: expected "bootstrapped-by-agent"',
    ],
    [
      "no peers",
      (text) => text.replace(`"${RAFT_PEERS_SENTINEL}"`, '""'),
      'evnode.yaml: raft.peers: Invalid input: expected "bootstrapped-by-agent"',
    ],
    [
      "raft switched off beside its time-outs, which a single sequencer does not have",
      (text) => text.replace("enable: true", "enable: false"),
      'evnode.yaml: raft: Unrecognized keys: "heartbeat_timeout", "election_timeout", "leader_lease_timeout", "send_timeout", "snapshot_threshold", "trailing_logs", "snap_count"',
    ],
    [
      "a bare number as duration",
      (text) => text.replace('"350ms"', "350"),
      "evnode.yaml: raft.heartbeat_timeout: Invalid input: expected string, received number",
    ],
    [
      "a duration without unit",
      (text) => text.replace('"350ms"', '"350"'),
      "evnode.yaml: raft.heartbeat_timeout: expected a duration longer than zero, such as 350ms or 1s",
    ],
    ["the same key twice", (text) => `${text}db_path: "other"\n`, "evnode.yaml: DUPLICATE_KEY in line 37"],
    ["two documents", (text) => `${text}---\n${text}`, "evnode.yaml: MULTIPLE_DOCS in line 37"],
    [
      "a custom tag",
      (text) => text.replace('"data"', "!secret data"),
      "evnode.yaml: TAG_RESOLVE_FAILED in line 14",
    ],
    [
      "text that is no YAML",
      (text) => text.replace("node_id:", "node_id"),
      "evnode.yaml: MULTILINE_IMPLICIT_KEY in line 3",
    ],
    ["an empty file", () => "", "evnode.yaml: Invalid input: expected object, received null"],
  ])("refuses %s", (_, change, problem) => {
    expect(parseConfig(change(renderConfig(configInput())))).toEqual({ kind: "malformed", problem });
  });

  it("does not quote a damaged file", () => {
    const damaged = renderConfig(withToken).replace('"s3cret"', '"s3cret');
    expect(parseConfig(damaged)).toEqual({
      kind: "malformed",
      problem: expect.not.stringMatching(/s3cret|hunter2/),
    });
  });
});

describe("comparing two configs", () => {
  const expected = memberConfig(withToken);

  it("finds nothing between equal configs", () => {
    expect(describeDifference(expected, memberConfig(withToken))).toBeUndefined();
  });

  it("names the first key that differs, with both values", () => {
    const actual = { ...expected, raft: { ...expected.raft, node_id: "ev-1" }, db_path: "other" };
    expect(describeDifference(expected, actual)).toBe('raft.node_id: expected "ev-0", found "ev-1"');
  });

  it.each([
    ["da.auth_token", { ...expected, da: { ...expected.da, auth_token: "other" } }],
    [
      "da.auth_token",
      { ...expected, da: { address: expected.da.address, namespace: expected.da.namespace } },
    ],
    ["da.address", { ...expected, da: { ...expected.da, address: "http://user:other@da" } }],
  ])("says that %s differs, but not how", (path, actual) => {
    expect(describeDifference(expected, actual)).toBe(`${path} is not the expected one`);
  });
});

interface Cut {
  readonly raft?: unknown;
  readonly node?: { readonly aggregator?: unknown };
}

function parsedOrNothing(text: string): Cut | undefined {
  try {
    return parse(text) as Cut;
  } catch {
    return undefined;
  }
}

function flatKeys(value: unknown, path = ""): readonly string[] {
  if (typeof value !== "object" || value === null) return [path];
  return Object.entries(value).flatMap(([key, inner]) =>
    flatKeys(inner, path === "" ? key : `${path}.${key}`),
  );
}

describe("whether a config names more peers", () => {
  const more = configInput();
  const fewer = configInput({ p2p: { ...more.p2p, extraPeers: [] } });
  const nobody = configInput({ p2p: { port: 7676, peers: [], extraPeers: [] } });

  it.each<[string, MemberConfigInput, MemberConfigInput, boolean]>([
    ["one more", fewer, more, true],
    ["one less", more, fewer, false],
    ["the same", more, more, false],
    ["the first", nobody, fewer, true],
    ["none any more", fewer, nobody, false],
  ])("stands in it: %s", (_name, before, after, expected) => {
    expect(hasMorePeers(renderConfig(before), renderConfig(after))).toBe(expected);
    const asFullNode = (input: MemberConfigInput) => renderFullNodeConfig(memberConfig(input));
    expect(hasMorePeers(asFullNode(before), asFullNode(after))).toBe(expected);
  });
});

describe("a full node that runs alone", () => {
  const fullNode = renderFullNodeConfig(memberConfig(withToken));
  const alone = renderAlone(fullNode);

  it("has no peer, can be reached by none, and knows no DA layer", () => {
    const { p2p, da } = parse(alone) as Record<string, Record<string, unknown>>;
    expect(p2p).toMatchObject({ peers: "", listen_address: "/ip4/127.0.0.1/tcp/0" });
    expect(da).toEqual({ address: "http://127.0.0.1:1", namespace: "my-chain" });
    expect([runsInRaft(alone), hasMorePeers(alone, fullNode)]).toEqual([false, true]);
  });

  it("is as it was otherwise", () => {
    const [{ p2p: _, da: __, ...before }, { p2p: ___, da: ____, ...after }] = [fullNode, alone].map(
      (text) => parse(text) as Record<string, unknown>,
    ) as [Record<string, unknown>, Record<string, unknown>];
    expect(after).toEqual(before);
  });
});

describe("whether a member runs in Raft", () => {
  const inRaft = renderConfig(withToken);
  const asFullNode = renderFullNodeConfig(memberConfig(withToken));

  it("stands in its config, whatever else that says", () => {
    expect([runsInRaft(inRaft), runsInRaft(asFullNode)]).toEqual([true, false]);
    const fromLater = (text: string) => text.replace("db_path:", "db_path_of_a_later_version:");
    expect([runsInRaft(fromLater(inRaft)), runsInRaft(fromLater(asFullNode))]).toEqual([true, false]);
  });

  it.each([
    ["in Raft", inRaft, "aggregator: true"],
    ["a full node", asFullNode, "aggregator: false"],
  ])("is not certain from a config that was cut off: %s", (_, text, end) => {
    for (let length = 0; length < text.indexOf(end) + end.length; length += 1) {
      expect({ length, is: runsInRaft(text.slice(0, length)) }).toEqual({ length, is: undefined });
    }
  });

  it.each([
    "",
    "raft: [",
    "- raft",
    "raft:\n  enable: false\nnode:\n  aggregator: true\n",
    "raft:\n  enable: true\nnode:\n  aggregator: false\n",
  ])("is not certain from what no agent writes: %j", (text) => {
    expect(runsInRaft(text)).toBeUndefined();
  });
});
