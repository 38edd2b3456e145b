import { randomBytes } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { collect, secretsFolder, textsFolder } from "../harness/artifacts.ts";
import { newSigner, secretOf, signerEntries } from "../harness/given.ts";
import { patchByHand } from "../harness/kubectl.ts";
import { useObserved } from "../harness/observed.ts";
import { killEvnode } from "../harness/processes.ts";
import { type Hidden, hiddenIn, leaks, secretsIn, type Text, textsIn } from "../harness/secret-search.ts";
import { until } from "../harness/until.ts";
import { useWorld } from "../harness/world.ts";

/** Alone: it reads all that every file before it has kept, and no half of it. */

const world = useWorld("secrets");

const TOKEN = { name: "da-token", key: "token" };

beforeAll(async () => {
  const { namespace, kubectl } = world();
  const [signer, other] = [await newSigner(), await newSigner()];
  const tokenText = randomBytes(24).toString("base64url");
  await kubectl.apply(
    secretOf(namespace, "signer", signerEntries(signer)),
    secretOf(namespace, TOKEN.name, { token: tokenText }),
    // What makes people write errors about secrets: such as cannot be used.
    secretOf(namespace, "wrong", { ...signerEntries(signer), passphrase: other.passphrase }),
    secretOf(namespace, "no-json", {
      ...signerEntries(other),
      "signer.json": `unquoted-${randomBytes(16).toString("hex")}`,
    }),
    secretOf(namespace, "cut-token", { token: `${tokenText.slice(0, 16)} ${tokenText.slice(16)}` }),
  );
});

const observed = useObserved(() => {
  const address = `http://local-da.${world().namespace}:7980`;
  return world().cluster("seq", {
    spec: {
      signer: { secretName: "signer" },
      da: { address, authTokenSecret: TOKEN },
      // Whoever looks for an error sets this, and then ev-node says the most.
      log: { level: "debug" },
    },
  });
});

/** What was told in this world and in all of the run, and what must not have been. */
let texts: readonly Text[] = [];
let hidden: readonly Hidden[] = [];

const textsOf = (part: RegExp) =>
  texts.filter(({ name }) => name.startsWith(world().namespace) && part.test(name));

describe("the search for secrets", () => {
  const secret = secretOf("anywhere", "identity", {
    passphrase: "correct horse battery staple",
    "signer.json": JSON.stringify({
      priv_key_encrypted: Buffer.alloc(80, 7).toString("base64"),
      nonce: Buffer.alloc(12, 8).toString("base64"),
      pub_key: Buffer.alloc(32, 9).toString("base64"),
      salt: Buffer.alloc(16, 10).toString("base64"),
    }),
  });

  it.each([
    ["as it is", "passphrase: correct horse battery staple.", "passphrase"],
    ["in a dump of the Secret", JSON.stringify(secret), "passphrase"],
    ["in a URL", "?p=correct%20horse%20battery%20staple", "passphrase"],
    ["as bytes", `bytes=${Buffer.alloc(80, 7).toString("hex")}`, "signer.json"],
    ["quoted from a file", `"salt":"${Buffer.alloc(16, 10).toString("base64")}"`, "signer.json"],
  ])("finds one %s", (_, content, entry) => {
    expect(leaks([{ name: "log", content }], hiddenIn(secret))).toContain(`log: anywhere/identity ${entry}`);
  });

  it("takes no public key for one", () => {
    const content = Buffer.alloc(32, 9).toString("base64");
    expect(leaks([{ name: "log", content }], hiddenIn(secret))).toEqual([]);
  });
});

describe("what operator, agents and ev-node tell", () => {
  it("was told in good and in bad times", async () => {
    const { cluster, observer } = observed();
    const { kubectl } = world();
    const bad = ["wrong", "no-json"].map((name) =>
      world().cluster(`bad-${name}`, { spec: { signer: { secretName: name } } }),
    );
    await kubectl.apply(...bad.map(({ manifest }) => manifest));
    for (const one of bad) await one.becomes("ConfigValid", "SecretInvalid");

    const token = (name: string) => ({ spec: { da: { authTokenSecret: { name } } } });
    await patchByHand(kubectl, cluster.manifest, token("cut-token"));
    await cluster.becomes("ConfigValid", "SecretInvalid");
    await patchByHand(kubectl, cluster.manifest, token(TOKEN.name));
    await cluster.becomes("ConfigValid", "ConfigAccepted");

    await killEvnode(world(), await cluster.leaderPod());
    await observer.goesOn();
    const { status } = await cluster.isRunning();
    expect(status?.readyMembers).toBe("3/3");
  });

  it("was all kept: logs of every process, events, objects, and the Secrets of the run", async () => {
    await collect(world());
    texts = await textsIn(textsFolder(world().environment));
    hidden = (await secretsIn(secretsFolder(world().environment))).flatMap(hiddenIn);

    const { cluster } = observed();
    for (const member of cluster.memberNames) {
      for (const container of ["agent", "evnode"]) {
        const logs = textsOf(new RegExp(`/${member}\\.[0-9a-f]+\\.${container}\\.`));
        expect(logs.map(({ content }) => content).join("")).toContain(member);
      }
    }
    const ofOperator = textsOf(/operator.*\/evnode-operator-.*\.log$/);
    expect(ofOperator.map(({ content }) => content).join("")).toContain(`${cluster.namespace}/seq`);
    expect(textsOf(/\/events\.json$/).map(({ content }) => content.includes("IdentityCreated"))).toContain(
      true,
    );
    expect(textsOf(/\/evnodeclusters\.json$/)[0]?.content).toContain("cannot be opened with this passphrase");
    expect(textsOf(/\.evnode\.previous\.log$/)).not.toEqual([]);
  });

  it("knows what to look for: signer, passphrase, node keys and token", () => {
    const { namespace } = world();
    const sources = hidden.map(({ from }) => from).filter((from) => from.startsWith(namespace));
    const nodeKeys = Array.from({ length: 7 }, (_, ordinal) => `seq-identity node_key.${ordinal}.json`);
    const entries = ["seq-identity signer.json", "seq-identity passphrase", ...nodeKeys, "da-token token"];
    expect(sources).toEqual(expect.arrayContaining(entries.map((entry) => `${namespace}/${entry}`)));
  });

  it("does use the token: members have it in their configs, where nobody else reads it", async () => {
    const { cluster } = observed();
    const token = await cluster.secret(TOKEN.name);
    const [needle] = hiddenIn(token);
    const { data = {} } = await cluster.secret("seq-config");
    const configs = Object.values(data).map((config) => Buffer.from(config, "base64").toString("utf8"));
    expect(configs).toHaveLength(3);
    for (const config of configs) expect(config).toContain(needle?.forms[0]);
  });

  it("holds no secret, in all that was told in the run so far", async () => {
    expect(leaks(texts, hidden)).toEqual([]);
  });

  it("holds none in what is told from then on, when all is deleted", async () => {
    const { cluster } = observed();
    await cluster.delete();
    await until(
      "the last words of the operator",
      async () => {
        await collect(world());
        texts = await textsIn(textsFolder(world().environment));
        const events = textsOf(/\/events\.json$/).map(({ content }) => content);
        const hasTold = events.some((content) => content.includes("VolumesRetained"));
        return hasTold ? { found: true } : { missing: "it has not told of the deletion" };
      },
      { withinMs: 30_000, everyMs: 1_000 },
    );
    expect(leaks(texts, hidden)).toEqual([]);
  });
});
