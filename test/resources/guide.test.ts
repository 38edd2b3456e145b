import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { EvNodeCluster } from "../../src/api/evnodecluster.ts";
import { parseCluster } from "../../src/api/parse.ts";
import type { KubeObject } from "../../src/model/kube-object.ts";
import { memberName } from "../../src/model/names.ts";
import { memberConfigs } from "../../src/resources/member-configs.ts";
import { podTemplate } from "../../src/resources/pod-template.ts";
import { identity } from "../builders.ts";
import { rendered as renderedObjects } from "./rendered.ts";

/**
 * The five evnode.yaml files of upstream's guide beside those that are rendered for the same cluster. The page that
 * tells of their differences, and of the reasons, is held against both.
 */

const file = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const page = file("docs/guide.md");
const { clusterDomain, epoch, peerIds } = identity();
const nodes = [1, 2, 3, 4, 5];

type Scalar = string | number | boolean;
type Keys = Readonly<Record<string, Scalar>>;

/** What the guide has in all five files. */
const common = {
  "node.aggregator": true,
  "node.block_time": "1s",
  "raft.enable": true,
  "raft.raft_addr": "0.0.0.0:5001",
  "raft.raft_dir": "/var/lib/ev-node/raft",
  "raft.heartbeat_timeout": "92ms",
  "raft.election_timeout": "368ms",
  "raft.leader_lease_timeout": "46ms",
  "raft.send_timeout": "50ms",
  "raft.trailing_logs": 18_000,
  "raft.snapshot_threshold": 5_000,
  "raft.snap_count": 3,
  "p2p.listen_address": "/ip4/0.0.0.0/tcp/26656",
} as const;

/** The file of one of its nodes, which lists the four others. */
function guided(node: number): Keys {
  const others = nodes.filter((other) => other !== node);
  return {
    ...common,
    "raft.node_id": `node-${node}`,
    "raft.peers": others.map((other) => `node-${other}@10.0.0.${other}:5001`).join(","),
    "p2p.peers": others
      .map((other) => `/ip4/10.0.0.${other}/tcp/26656/p2p/<PEER_ID_NODE_${other}>`)
      .join(","),
  };
}

const example = parse(file("examples/five-members.yaml")) as EvNodeCluster & KubeObject;

/** The files that the operator renders, in the order of the members. */
function rendered(): readonly Keys[] {
  const parsed = parseCluster(example, 1);
  if (parsed.kind === "invalid") throw new Error(parsed.problems.join("; "));
  const { name } = example.metadata;
  const { spec } = parsed;
  const place = { name, namespace: "default", clusterDomain, epoch, peerIds, daAuthToken: undefined };
  const { texts } = memberConfigs({ ...place, spec });
  return Array.from({ length: spec.replicas }, (_, ordinal) =>
    flat(parse(texts.get(memberName(name, ordinal)) ?? "") as object),
  );
}

/** By keys as `raft.node_id`. */
function flat(config: object): Keys {
  const entries = Object.entries(config).flatMap(([section, value]: [string, unknown]) =>
    typeof value === "object" && value !== null
      ? Object.entries(value).map(([key, inner]: [string, unknown]) => [`${section}.${key}`, inner])
      : [[section, value]],
  );
  return Object.fromEntries(entries) as Keys;
}

const differing = (a: Keys, b: Keys): readonly string[] =>
  [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((key) => a[key] !== b[key]).sort();

/** A value as the page shows it, which may leave out its end, and writes nothing for a key that is absent. */
function isShown(shown: string, value: Scalar | undefined): boolean {
  if (value === undefined || shown === "") return value === undefined && shown === "";
  const text = /^`(.*)`$/.exec(shown)?.[1] ?? "";
  return text.endsWith("…") ? String(value).startsWith(text.slice(0, -1)) : text === String(value);
}

const rowsBelow = (heading: string): readonly (readonly string[])[] => {
  const section = page.split(`\n### ${heading}\n`)[1]?.split(/\n##/)[0] ?? "";
  const rows = [...section.matchAll(/^\| `.*\|$/gm)];
  return rows.map(([row]) =>
    row
      .slice(1, -1)
      .split("|")
      .map((cell) => cell.trim()),
  );
};
const keyOf = ([cell = ""]: readonly string[]) => cell.replaceAll("`", "");

const ours = rendered();
const pairs = ours.map((config, ordinal) => ({ ordinal, guide: guided(ordinal + 1), config }));

describe("the five members of the guide's cluster", () => {
  it("have exactly the guide's time-outs, in all five files", () => {
    const timings = ours.map((config) =>
      ["heartbeat_timeout", "election_timeout", "leader_lease_timeout", "send_timeout"].map(
        (key) => config[`raft.${key}`],
      ),
    );
    expect(timings).toEqual(Array.from({ length: 5 }, () => ["92ms", "368ms", "46ms", "50ms"]));
  });

  it("have one config but for name, address and the others' addresses", () => {
    const [first = {}, ...others] = ours;
    expect(others.map((config) => differing(first, config))).toEqual(
      Array.from({ length: 4 }, () => ["p2p.peers", "raft.node_id", "raft.raft_addr"]),
    );
  });

  it.each(pairs)("dial the four others, and never themselves: my-chain-$ordinal", ({ ordinal, config }) => {
    const host = (of: number) => `my-chain-${of}.my-chain.default.svc.${clusterDomain}`;
    const others = [0, 1, 2, 3, 4].filter((other) => other !== ordinal);
    expect(config["raft.raft_addr"]).toBe(`${host(ordinal)}:5001`);
    expect(config["p2p.peers"]).toBe(
      others.map((other) => `/dns4/${host(other)}/tcp/26656/p2p/${peerIds[other]}`).join(","),
    );
  });
});

describe("docs/guide.md", () => {
  const same = rowsBelow("The same in both");
  const different = rowsBelow("Different");

  it.each(pairs)("names every key that differs, and no other: my-chain-$ordinal", ({ guide, config }) => {
    expect(different.map(keyOf).sort()).toEqual(differing(guide, config));
  });

  it("names every key that is the same", () => {
    const [config = {}] = ours;
    const equal = Object.entries(guided(1)).filter(([key, value]) => value === config[key]);
    expect(same.map(keyOf).sort()).toEqual(equal.map(([key]) => key).sort());
  });

  it.each(same)("shows the value of %s", (key, value = "") => {
    expect(isShown(value, ours[0]?.[keyOf([key])])).toBe(true);
  });

  it.each(different)("shows %s as it is in both, with a reason", (key, theirs = "", own = "", why = "") => {
    const name = keyOf([key]);
    expect(isShown(theirs, guided(1)[name])).toBe(true);
    expect(isShown(own, ours[0]?.[name])).toBe(true);
    expect(why).toMatch(/^[A-Z].{20,}\.$/);
  });
});

describe("the guide's systemd unit, as a pod", () => {
  const { spec } = podTemplate(renderedObjects(example.spec));
  const [evnode] = spec?.containers ?? [];
  const mountsOf = (container: typeof evnode) => container?.volumeMounts?.map(({ name }) => name) ?? [];

  it("starts ev-node again whenever it ends, as Kubernetes does where nothing is said", () => {
    expect(spec?.restartPolicy).toBeUndefined();
    expect(evnode).not.toHaveProperty("restartPolicy");
  });

  it("gives it the guide's 30 s to stop, and more", () => {
    expect(spec?.terminationGracePeriodSeconds).toBeGreaterThan(30);
    const hasty = { ...example, spec: { ...example.spec, pod: { terminationGracePeriodSeconds: 29 } } };
    expect(parseCluster(hasty, 1)).toMatchObject({ kind: "invalid" });
  });

  it("tells it of the passphrase the path alone, in a folder in memory", () => {
    const words = [...(evnode?.args ?? []), ...(evnode?.env ?? []).map(({ name }) => name)];
    expect(words.filter((word) => /passphrase/i.test(word))).toEqual([
      "--evnode.signer.passphrase_file=/data/config/passphrase",
    ]);
    const mount = evnode?.volumeMounts?.find(({ mountPath }) => mountPath === "/data/config");
    const volume = spec?.volumes?.find(({ name }) => name === mount?.name);
    expect(mount?.readOnly).toBe(true);
    expect(volume?.emptyDir?.medium).toBe("Memory");
  });

  it("mounts the Secret with the passphrase in the agent alone", () => {
    const all = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
    const withSecret = all.filter((container) => mountsOf(container).includes("identity-secret"));
    expect(withSecret.map(({ name }) => name)).toEqual(["agent"]);
  });

  it("logs as JSON", () => {
    expect(ours.map((config) => config["log.format"])).toEqual(Array.from({ length: 5 }, () => "json"));
  });
});
