import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Spec } from "../../src/api/evnodecluster.ts";
import type { KubeObject } from "../../src/model/kube-object.ts";
import type { Secret } from "../../src/model/objects.ts";
import { badObjects, badWorlds, type GivenWorld } from "./harness/bad-worlds.ts";
import { type Cluster, processesOf } from "./harness/cluster.ts";
import { newSigner, secretOf, signerEntries } from "./harness/given.ts";
import { patchByHand } from "./harness/kubectl.ts";
import { Observer } from "./harness/observer.ts";
import { holds, until } from "./harness/until.ts";
import { useWorld } from "./harness/world.ts";

const world = useWorld("bad");

let given: GivenWorld | undefined;
const known = (): GivenWorld => {
  if (!given) throw new Error("the bad world is not there yet");
  return given;
};

const bad = (name: string): Cluster => {
  const entry = badWorlds.find((one) => one.name === name);
  if (!entry) throw new Error(`there is no bad world ${name}`);
  return world().cluster(name, { spec: entry.spec(known()) });
};

beforeAll(async () => {
  const { namespace, kubectl } = world();
  given = { namespace, signer: await newSigner(), other: await newSigner() };
  await kubectl.apply(...badObjects(given));
  await kubectl.apply(...badWorlds.map(({ name }) => bad(name).manifest));
});

describe("a cluster whose world is not as its spec says", () => {
  it.each(badWorlds)("is not started and says so: $what", async ({ name, reason, says }) => {
    const cluster = bad(name);
    const condition = await cluster.becomes("ConfigValid", reason, [says]);
    expect(condition.status).toBe("False");
    expect(await cluster.condition("Stalled")).toMatchObject({ status: "True", reason });
    expect(await cluster.condition("Ready")).toMatchObject({ status: "False", reason: "Blocked" });
    expect((await cluster.get()).status?.phase).toBe("Blocked");
    expect(await cluster.pods()).toEqual([]);
    await cluster.tells(reason, says);
  });

  it("leaves what somebody else made under its names as it was", async () => {
    for (const [collection, name] of strangers) {
      const { metadata } = await world().api.get<KubeObject>(bad("taken-service").path(collection, name));
      expect(metadata.labels).toEqual({ made: "by-somebody-else" });
      expect(metadata.ownerReferences).toBeUndefined();
      expect(metadata.annotations?.["evnode.dev/cluster-uid"]).toBeUndefined();
    }
  });

  it("goes on by itself once the missing Secret is there", async () => {
    const { namespace, signer } = known();
    const cluster = bad("no-signer");
    await world().kubectl.apply(secretOf(namespace, "absent-signer", signerEntries(signer)));
    await cluster.becomes("ConfigValid", "ConfigAccepted");
    const proposer = await until(
      "the proposer in the status",
      async () => {
        const found = (await cluster.get()).status?.proposerAddress;
        return found ? { found } : { missing: "there is none" };
      },
      { withinMs: 30_000 },
    );
    expect(proposer).toBe(signer.proposerAddress);
    await cluster.delete();
  });
});

const strangers = [
  ["services", "taken-service"],
  ["statefulSets", "taken-set"],
  ["secrets", "taken-config-config"],
  ["secrets", "taken-identity-identity"],
] as const;

interface Twins {
  readonly running: Cluster;
  readonly locked: Cluster;
  readonly observer: Observer;
}

interface Edit {
  readonly what: string;
  readonly path: readonly [string, string];
  readonly value: unknown;
  readonly reason: string;
  readonly says: RegExp;
}

const badEdits: readonly Edit[] = [
  {
    what: "a token from a Secret that does not exist",
    path: ["da", "authTokenSecret"],
    value: { name: "absent", key: "token" },
    reason: "SecretMissing",
    says: /Secret absent \(spec\.da\.authTokenSecret\) does not exist/,
  },
  {
    what: "a token from an entry that does not exist",
    path: ["da", "authTokenSecret"],
    value: { name: "spaced-token", key: "other" },
    reason: "SecretMissing",
    says: /has no entry other/,
  },
  {
    what: "a token that is none",
    path: ["da", "authTokenSecret"],
    value: { name: "spaced-token", key: "token" },
    reason: "SecretInvalid",
    says: /Secret spaced-token, entry token .* is empty or holds white space/,
  },
  {
    what: "a request above its limit",
    path: ["pod", "resources"],
    value: { requests: { memory: "2Gi" }, limits: { memory: "1Gi" } },
    reason: "SpecInvalid",
    says: /spec\.pod\.resources\.requests: memory is 2Gi, but the limit of 1Gi is lower/,
  },
  {
    what: "a resource that there is not",
    path: ["pod", "resources"],
    value: { requests: { memroy: "1Gi" } },
    reason: "SpecInvalid",
    says: /spec\.pod\.resources\.requests: memroy is no resource/,
  },
  {
    what: "an affinity that there is not",
    path: ["pod", "affinity"],
    value: { nodeAfinity: {} },
    reason: "SpecInvalid",
    says: /spec\.pod\.affinity: nodeAfinity cannot be used/,
  },
];

/** What the server itself refuses, so that the running cluster never sees it. */
const refusedEdits: readonly { readonly what: string; readonly spec: object; readonly says: string }[] = [
  { what: "its chain id", spec: { chain: { id: "another" } }, says: "spec.chain.id cannot change" },
  { what: "its signer", spec: { signer: { secretName: "other" } }, says: "spec.signer.secretName cannot" },
  { what: "its storage", spec: { storage: { size: "2Gi" } }, says: "spec.storage.size cannot change" },
];

describe("two clusters of one chain and one signer, applied at once", () => {
  let twins: Twins | undefined;
  const both = (): Twins => {
    if (!twins) throw new Error("neither of the twins runs");
    return twins;
  };

  beforeAll(async () => {
    const { namespace, signer } = known();
    const spec: Partial<Spec> = {
      chain: { id: `${namespace}-twins`, blockTime: "200ms" },
      signer: { secretName: "twins-signer" },
    };
    const clusters = ["twin-a", "twin-b"].map((name) => world().cluster(name, { spec }));
    const observers = clusters.map((cluster) => new Observer(cluster));
    const secret = secretOf(namespace, "twins-signer", signerEntries(signer));
    await world().kubectl.apply(secret, ...clusters.map(({ manifest }) => manifest));
    const locked = await theLockedOne(clusters);
    for (const [index, cluster] of clusters.entries()) {
      const observer = observers[index];
      if (cluster !== locked && observer) twins = { running: cluster, locked, observer };
      else await observer?.stop();
    }
    await both().running.isRunning();
  });

  afterAll(async () => {
    await twins?.observer.stop();
  });

  it("are one that runs, and one that says which one runs", async () => {
    const { running, locked, observer } = both();
    await observer.goesOn();
    const says = new RegExp(`belongs to EvNodeCluster ${running.namespace}/${running.name},`);
    await locked.becomes("ConfigValid", "ChainLocked", [says]);
    expect(await locked.condition("Ready")).toMatchObject({ status: "False", reason: "Blocked" });
    await holds(
      `${locked.name} without a pod`,
      async () => (await locked.pods()).map(({ metadata }) => metadata.name)[0],
      { forMs: 5_000 },
    );
    expect(await locked.isGoneFrom("statefulSets", 0)).toEqual([]);
  });

  it("do not need the given signer any more once it was taken over", async () => {
    const { running, observer } = both();
    await running.api.send(running.path("secrets", "twins-signer"), { method: "DELETE" });
    const note = { metadata: { annotations: { "example.com/looked-at": "again" } } };
    await patchByHand(world().kubectl, running.manifest, note);
    await observer.goesOn();
    expect(await running.condition("ConfigValid")).toMatchObject({ reason: "ConfigAccepted" });
  });

  it.each(badEdits)("go on without a restart when edited into $what", async (edit) => {
    const { running, observer } = both();
    const before = processesOf(await running.pods());
    const { path, value, reason, says } = edit;
    const patch = (wanted: unknown) =>
      patchByHand(world().kubectl, running.manifest, { spec: { [path[0]]: { [path[1]]: wanted } } });

    await patch(value);
    await running.becomes("ConfigValid", reason, [says]);
    expect(await running.condition("Stalled")).toMatchObject({ status: "True", reason });
    await observer.goesOn();
    await patch(null);
    await running.becomes("ConfigValid", "ConfigAccepted");
    await observer.goesOn();
    expect(processesOf(await running.pods())).toEqual(before);
    expect(await running.condition("RolloutComplete")).toMatchObject({ reason: "UpToDate" });
  });

  it.each(refusedEdits)("cannot be edited in $what at all", async ({ spec, says }) => {
    const { running } = both();
    const target = ["patch", "evnodeclusters.evnode.dev", running.name, "--namespace", running.namespace];
    const patch = ["--type", "merge", "--patch", JSON.stringify({ spec })];
    const { code, stderr } = await world().kubectl.attempt([...target, ...patch]);
    expect(stderr).toContain(says);
    expect(code).not.toBe(0);
  });

  it("made one chain all the while", async () => {
    const { running, observer } = both();
    await observer.hasReadAll();
    expect(observer.record.problems()).toEqual([]);
    expect(observer.record.withdrawn()).toEqual([]);
    await running.isRunning();
  });

  it("do not take each other's place, not even when the one that ran is deleted", async () => {
    const { running, locked } = both();
    await running.delete();
    // Something to look at it for, so that it would not only be late.
    const note = { metadata: { annotations: { "example.com/looked-at": "after the other was deleted" } } };
    await patchByHand(world().kubectl, locked.manifest, note);
    await holds(
      `${locked.name} locked out`,
      async () => {
        const [lock, pods] = [await locked.condition("ConfigValid"), await locked.pods()];
        return lock?.reason === "ChainLocked" && pods.length === 0
          ? undefined
          : `it says ${lock?.reason} and has ${pods.length} pods`;
      },
      // The world is looked at again every 15 s while a cluster is blocked.
      { forMs: 20_000 },
    );
    expect((await locked.get()).status?.phase).toBe("Blocked");
    await locked.delete();
  });

  it("come back with the name of their chain or not at all, and with its number of members", async () => {
    const { running } = both();
    const chain = { id: `${running.namespace}-other`, blockTime: "200ms" };
    await world().kubectl.apply(world().cluster(running.name, { spec: { chain } }).manifest);
    const says = new RegExp(`spec\\.chain\\.id is ${chain.id}, but Secret ${running.name}-identity`);
    await running.becomes("ConfigValid", "IdentityMismatch", [says]);
    await running.delete();

    const { spec } = running.manifest;
    const larger = world().cluster(running.name, { members: 5, spec: { chain: spec.chain } });
    await world().kubectl.apply(larger.manifest);
    await running.isRunning();
    await running.becomes("MembershipComplete", "MembershipAwaitsApproval", [/from 3 to 5 members/]);
    expect(await larger.pods()).toHaveLength(3);
  });
});

/** Both have their identity by then; the lock is what only one of them gets. */
async function theLockedOne(clusters: readonly Cluster[]): Promise<Cluster> {
  return until(
    "the one that is locked out",
    async () => {
      const conditions = await Promise.all(clusters.map((cluster) => cluster.condition("ConfigValid")));
      const locked = clusters.filter((_, index) => conditions[index]?.reason === "ChainLocked");
      const [first] = locked;
      if (locked.length > 1) throw new Error("each is locked out by the other");
      const told = conditions.map((condition) => condition?.reason ?? "nothing").join(" and ");
      return first ? { found: first } : { missing: `they tell ${told}` };
    },
    { withinMs: 60_000 },
  );
}

describe("at the end of all this", () => {
  it("the chain's identity is the given one, and no cluster of a bad world ever had a pod", async () => {
    const { api, namespace } = world();
    const { signer } = known();
    const secrets = await api.list<Secret>(`/api/v1/namespaces/${namespace}/secrets`);
    const identities = secrets.filter(({ metadata }) => /^twin-[ab]-identity$/.test(metadata.name));
    const proposers = identities.map(({ metadata }) => metadata.annotations?.["evnode.dev/proposer"]);
    expect(proposers).toEqual([signer.proposerAddress, signer.proposerAddress]);
    for (const { name } of badWorlds.filter((one) => one.name !== "no-signer")) {
      expect(await bad(name).pods()).toEqual([]);
      expect((await bad(name).get()).status?.phase).toBe("Blocked");
    }
  });
});
