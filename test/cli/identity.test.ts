import { beforeEach, describe, expect, it, vi } from "vitest";
import { sealFile } from "../../src/cli/sealed-file.ts";
import { annotations } from "../../src/model/annotations.ts";
import { kinds } from "../../src/model/kinds.ts";
import type { Secret } from "../../src/model/objects.ts";
import { entryText } from "../../src/model/secret-text.ts";
import { MemoryApi } from "../fake/memory-api.ts";
import { runningCluster } from "../fake/running-cluster.ts";
import { type Ended, run } from "./plugin-run.ts";
import { RecordedTerminal } from "./recorded-terminal.ts";

/** A key from a passphrase is slow on purpose, and slower on a busy machine. */
vi.setConfig({ testTimeout: 120_000 });

const ref = { namespace: "rollup", name: "seq-identity" };
const PASSPHRASE = "correct horse battery staple";

/** As the operator made it, of a chain that has begun. */
const original = await (async (): Promise<Secret> => {
  const secret = (await runningCluster()).api.held(kinds.secret, ref);
  if (secret === undefined) throw new Error("a running cluster has an identity");
  return secret;
})();

/** Sealed once, as that takes its time. */
const sealedOnce = await (async (): Promise<string> => {
  const there = new MemoryApi();
  there.put(original);
  const written = new Map([["passphrase", PASSPHRASE]]);
  const args = ["identity", "backup", "seq", "--file", "backup", "--passphrase-file", "passphrase"];
  await run(args, { api: there, files: written });
  return written.get("backup") ?? "";
})();

let api: MemoryApi;
let files: Map<string, string>;
beforeEach(() => {
  api = new MemoryApi();
  api.put(original);
  files = new Map([
    ["passphrase", `${PASSPHRASE}\n`],
    ["other", "another passphrase\n"],
    ["short", "short\n"],
  ]);
});

const backup = (passphrase = "passphrase", file = "backup") =>
  run(["identity", "backup", "seq", "--file", file, "--passphrase-file", passphrase], { api, files });
const restore = (...more: readonly string[]) =>
  run(["identity", "restore", "seq", "--file", "backup", "--passphrase-file", "passphrase", ...more], {
    api,
    files,
  });

/** Every text that must not be seen anywhere. */
const secrets = Object.keys(original.data ?? {})
  .filter((entry) => /signer|passphrase|node_key/.test(entry))
  .flatMap((entry) => [original.data?.[entry] ?? "", entryText(original, entry) ?? ""]);

function showsNothing(...ended: readonly Ended[]): void {
  const seen = [...ended.map(({ terminal }) => terminal.everything), ...files.values()].join();
  expect(secrets).toHaveLength(18);
  for (const secret of secrets) expect(seen).not.toContain(secret);
}

describe("a backup of an identity", () => {
  it("brings back the same Secret, and shows nothing of it", async () => {
    const written = await backup();
    expect({ code: written.code, told: written.told }).toEqual({ code: 0, told: "" });
    api.remove(kinds.secret, ref);
    const restored = await restore("--yes");
    expect({ code: restored.code, told: restored.told }).toEqual({ code: 0, told: "" });
    const made = api.held(kinds.secret, ref);
    expect(made?.data).toEqual(original.data);
    expect(made?.metadata.annotations).toEqual(original.metadata.annotations);
    expect(made?.metadata.labels).toEqual(original.metadata.labels);
    expect({ type: made?.type, immutable: made?.immutable }).toEqual({ type: "Opaque", immutable: true });
    showsNothing(written, restored);
  });

  it("tells in its head what it is of, and nothing else", () => {
    const head: unknown = JSON.parse(sealedOnce);
    expect(head).toMatchObject({
      format: "evnode-identity-backup",
      version: 1,
      kdf: { name: "scrypt", N: 131_072, r: 8, p: 1 },
      cipher: { name: "aes-256-gcm" },
      about: { namespace: "rollup", name: "seq", chainId: "rollup-1" },
    });
  });

  it("asks for the passphrase twice where nobody gives a file", async () => {
    const args = ["identity", "backup", "seq", "--file", "backup"];
    const same = new RecordedTerminal([PASSPHRASE, PASSPHRASE]);
    expect((await run(args, { api, files, terminal: same })).code).toBe(0);
    const other = await run([...args, "--file", "second"], {
      api,
      files,
      terminal: new RecordedTerminal([PASSPHRASE, `${PASSPHRASE}.`]),
    });
    expect({ code: other.code, told: other.told }).toEqual({
      code: 2,
      told: "error: the two passphrases differ",
    });
    const nobody = await run([...args, "--file", "second"], { api, files });
    expect(nobody.told).toMatch(/nobody is there to ask.*\nGive --passphrase-file FILE\./);
    expect(files.has("second")).toBe(false);
  });

  it.each([
    {
      name: "before the chain has begun",
      change: {
        metadata: {
          annotations: { ...original.metadata.annotations, [annotations.bootstrapped]: undefined },
        },
      },
      says: /the chain has not begun yet/,
      code: 3,
    },
    {
      name: "with a key that is missing",
      change: { data: { ...original.data, "node_key.3.json": "" } },
      says: /node_key\.3\.json/,
      code: 3,
    },
    {
      name: "with a signer that cannot be opened",
      change: { data: { ...original.data, passphrase: "eA==" } },
      says: /cannot be opened/,
      code: 3,
    },
  ])("is not made $name", async ({ change, says, code }) => {
    const { metadata, ...rest } = original;
    const changed = { ...rest, ...change, metadata: { ...metadata, ...change.metadata } };
    api.put(JSON.parse(JSON.stringify(changed)) as Secret);
    const ended = await backup();
    expect(ended.code).toBe(code);
    expect(ended.told).toMatch(says);
    expect(files.has("backup")).toBe(false);
    showsNothing(ended);
  });

  it.each([
    {
      name: "a passphrase that is too short",
      passphrase: "short",
      file: "backup",
      code: 2,
      says: /too short/,
    },
    { name: "a file that is there", passphrase: "passphrase", file: "other", code: 1, says: /other exists/ },
  ])("is refused with $name", async ({ passphrase, file, code, says }) => {
    const ended = await backup(passphrase, file);
    expect(ended.code).toBe(code);
    expect(ended.told).toMatch(says);
  });

  it("is refused where there is no identity", async () => {
    api.remove(kinds.secret, ref);
    const ended = await backup();
    expect(ended.code).toBe(1);
    expect(ended.told).toMatch(/there is no Secret seq-identity in namespace rollup/);
  });
});

describe("a restore", () => {
  beforeEach(() => {
    files.set("backup", sealedOnce);
  });

  const isUntouched = () => expect(api.writes).toEqual([]);

  it("leaves the same identity as it is", async () => {
    const ended = await restore();
    expect(ended.text).toMatch(/holds the same identity: nothing is to be done/);
    expect(ended.code).toBe(0);
    isUntouched();
  });

  it("does not overwrite another identity", async () => {
    api.put({ ...original, data: { ...original.data, cluster_id: "b3RoZXI=" } });
    const ended = await restore("--yes");
    expect(ended.code).toBe(3);
    expect(ended.told).toMatch(/holds another identity, and is not overwritten/);
    isUntouched();
    showsNothing(ended);
  });

  it("is refused with the wrong passphrase", async () => {
    api.remove(kinds.secret, ref);
    const ended = await restore("--yes", "--passphrase-file", "other");
    expect({ code: ended.code, told: ended.told }).toEqual({
      code: 3,
      told: "error: backup: it cannot be opened with this passphrase, or was altered",
    });
    isUntouched();
  });

  it.each([
    { name: "is no JSON", alter: () => "hello", says: /it is not JSON/ },
    { name: "is something else", alter: () => "{}", says: /expected the format "evnode-identity-backup"/ },
    {
      name: "is of a later version",
      alter: (text: string) => text.replace('"version": 1', '"version": 2'),
      says: /it is of version 2, expected 1/,
    },
    {
      name: "asks for too much work",
      alter: (text: string) => text.replace('"N": 131072', '"N": 1073741824'),
      says: /its header cannot be read: kdf\.N/,
    },
    {
      name: "was cut",
      alter: (text: string) => text.replace(/"sealed": "[^"]+"/, '"sealed": "AAAA"'),
      says: /a part of it is missing/,
    },
    {
      name: "has another head",
      alter: (text: string) => text.replace("rollup-1", "rollup-2"),
      says: /or was altered/,
    },
  ])("is refused when the file $name", async ({ alter, says }) => {
    api.remove(kinds.secret, ref);
    files.set("backup", alter(files.get("backup") ?? ""));
    const ended = await restore("--yes");
    expect(ended.code).toBe(3);
    expect(ended.told).toMatch(says);
    isUntouched();
  });

  it("is refused under another name or in another namespace", async () => {
    api.remove(kinds.secret, ref);
    const ended = await restore("--yes", "--namespace", "other");
    expect(ended.code).toBe(3);
    expect(ended.told).toMatch(/the backup is of rollup\/seq, not of other\/seq/);
    isUntouched();
  });

  it("is refused when what is in it cannot be used", async () => {
    api.remove(kinds.secret, ref);
    const copy = { namespace: "rollup", name: "seq", annotations: {}, data: {} };
    const seal = { passphrase: PASSPHRASE, about: {}, salt: new Uint8Array(16), nonce: new Uint8Array(12) };
    files.set("backup", await sealFile({ text: JSON.stringify(copy), ...seal }));
    const ended = await restore("--yes");
    expect(ended.told).toMatch(/the identity in the backup cannot be used: entry cluster_id is missing/);
    expect(ended.code).toBe(3);
  });

  it("writes nothing in a dry run, nor after a no", async () => {
    api.remove(kinds.secret, ref);
    const dry = await restore("--dry-run");
    expect({ code: dry.code, text: dry.text }).toEqual({
      code: 0,
      text: "backup fits: it would be restored as Secret seq-identity (chain rollup-1).",
    });
    const terminal = new RecordedTerminal(["n"]);
    const args = ["identity", "restore", "seq", "--file", "backup", "--passphrase-file", "passphrase"];
    expect((await run(args, { api, files, terminal })).code).toBe(3);
    expect(terminal.questions[0]).toMatch(/two clusters with one signer fork it/);
    isUntouched();
  });
});
