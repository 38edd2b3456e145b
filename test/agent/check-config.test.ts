import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { checkConfig, ownText } from "../../src/agent/check-config.ts";
import { renderConfig } from "../../src/evnode/config.ts";
import { configRevision } from "../../src/model/config-revision.ts";
import { configEntry } from "../../src/model/names.ts";
import { configInput, hostOf, MEMBERS } from "./pod.ts";

const home = "/data";
const expected = { member: "chain-0", epoch: 1, home, configFolder: "/data/config" };
const texts = new Map<string, string>(
  MEMBERS.map((member) => [member, renderConfig(configInput(home, member))]),
);

function mounted(configs: ReadonlyMap<string, string>, revision = configRevision(configs)) {
  const files = new Map([...configs].map(([member, text]) => [configEntry(member, revision), text]));
  return { revision, files };
}

function findingWith(own: string) {
  const { revision, files } = mounted(new Map([...texts, ["chain-0", own]]));
  return { revision, finding: checkConfig(revision, files, expected) };
}

test("a member that levels has the same config, but for Raft and for producing blocks", () => {
  const { revision, files } = mounted(texts);
  const finding = checkConfig(revision, files, expected);
  if (finding.kind !== "accepted") throw new Error("the revision was not accepted");
  const [inRaft, level] = [parse(ownText(finding.texts)), parse(finding.texts.level)];
  const { raft: _, ...shared } = inRaft;
  expect(level).toEqual({ ...shared, node: { ...inRaft.node, aggregator: false } });
  expect(inRaft).toMatchObject({ raft: { enable: true }, node: { aggregator: true } });
});

test("a whole revision is accepted, with all that the agent needs to know", () => {
  const { revision, files } = mounted(texts);
  expect(checkConfig(revision, files, expected)).toEqual({
    kind: "accepted",
    revision,
    texts: { raft: texts.get("chain-0"), level: expect.any(String) },
    facts: {
      isSingle: false,
      epoch: 1,
      raftAddress: `${hostOf("chain-0")}:5001`,
      raftHost: hostOf("chain-0"),
      raftPort: 5001,
      rpcPort: 7331,
      metricsPort: 26660,
      dbPath: "data",
      signer: "file",
      peers: ["chain-1", "chain-2"].map((name) => ({
        name,
        host: hostOf(name),
        raftPort: 5001,
        p2pPort: 7676,
      })),
    },
  });
});

test("a revision that the mounted Secret does not have yet is waited for", () => {
  expect(checkConfig("0123456789", new Map(), expected)).toEqual({
    kind: "notYet",
    message: "config revision 0123456789 is not in the mounted Secret yet",
  });
});

describe("files that are not the revision are refused", () => {
  const { revision } = mounted(texts);
  const cases: readonly [title: string, changed: ReadonlyMap<string, string>][] = [
    ["one was edited", new Map([...texts, ["chain-1", `${texts.get("chain-1")}# edited\n`]])],
    ["one was cut off", new Map([...texts, ["chain-2", "raft:\n  enable: true\n"]])],
    ["one is missing", new Map([...texts].slice(0, 2))],
    ["one is too many", new Map([...texts, ["chain-3", "raft:\n  enable: true\n"]])],
  ];
  test.each(cases)("%s", (_, changed) => {
    expect(checkConfig(revision, mounted(changed, revision).files, expected)).toEqual({
      kind: "refused",
      message: `config revision ${revision} is refused: the mounted files have the digest ${configRevision(changed)}`,
    });
  });
});

test("a revision without this member is refused", () => {
  const { revision, files } = mounted(new Map([...texts].slice(1)));
  expect(checkConfig(revision, files, expected)).toEqual({
    kind: "refused",
    message: `config revision ${revision} is refused: it has no config for chain-0`,
  });
});

describe("a config that would not run as this member is refused", () => {
  const base = configInput(home, "chain-0");
  const cases: readonly [message: string, text: string][] = [
    [
      "raft.node_id: expected chain-0, found chain-9",
      renderConfig({ ...base, raft: { ...base.raft, nodeId: "chain-9" } }),
    ],
    [
      "raft.raft_dir: expected /data/raft-1, found /data/raft-01",
      renderConfig({ ...base, raft: { ...base.raft, dir: join(home, "raft-01") } }),
    ],
    [
      "raft.raft_addr: expected a host name that begins with chain-0., found chain-00.elsewhere:5001",
      renderConfig({ ...base, raft: { ...base.raft, address: "chain-00.elsewhere:5001" } }),
    ],
    [
      "signer.signer_path: expected /data/config, found /secrets",
      renderConfig({ ...base, signerPath: "/secrets" }),
    ],
    [
      "db_path: expected a folder of its own in the home, found raft-1",
      renderConfig({ ...base, dbPath: "raft-1" }),
    ],
  ];
  test.each(cases)("%s", (message, text) => {
    const { revision, finding } = findingWith(text);
    expect(finding).toEqual({
      kind: "refused",
      message: `config revision ${revision} is refused: ${message}`,
    });
  });

  test.each([
    ["a list of peers, with which ev-node could start a cluster of its own", "peers:", "xpeers:"],
    ["a key that ev-node does not know", "db_path:", "db_folder:"],
  ])("%s", (_, from, to) => {
    const { finding } = findingWith(String(texts.get("chain-0")).replace(from, to));
    expect(finding).toMatchObject({ kind: "refused", message: expect.stringContaining("evnode.yaml: ") });
  });
});

test("a token in a config is never part of a message", () => {
  const base = configInput(home, "chain-0");
  const text = renderConfig({ ...base, da: { ...base.da, authToken: "s3cr3t-token" } });
  for (let length = 0; length < text.length; length += 7) {
    expect(JSON.stringify(findingWith(text.slice(0, length)).finding)).not.toContain("s3cr3t");
  }
});
