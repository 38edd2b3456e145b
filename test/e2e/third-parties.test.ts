import { describe, expect, it } from "vitest";
import { annotations } from "../../src/model/annotations.ts";
import type { KubeObject } from "../../src/model/kube-object.ts";
import { commonLabels } from "../../src/model/names.ts";
import { type Cluster, processesOf } from "./harness/cluster.ts";
import { leadsTo } from "./harness/endpoints.ts";
import { environment } from "./harness/environment.ts";
import { patchByHand } from "./harness/kubectl.ts";
import { useObserved } from "./harness/observed.ts";
import { until } from "./harness/until.ts";
import { useWorld } from "./harness/world.ts";

const world = useWorld("hands");
const observed = useObserved(() => world().cluster("seq"));

type Collection = Parameters<Cluster["path"]>[0];

interface Hand {
  readonly does: string;
  readonly to: readonly [collection: Collection, kind: string, name: string];
  readonly by: (object: KubeObject) => Promise<unknown>;
  readonly told: RegExp;
}

const kubectl = (...args: readonly string[]) =>
  world().kubectl.run([...args, "--namespace", world().namespace]);

const STATEFUL_SET = ["statefulSets", "StatefulSet", "seq"] as const;
const LEADER_SERVICE = ["services", "Service", "seq-leader"] as const;
const RPC_SERVICE = ["services", "Service", "seq-rpc"] as const;

const ownLabels = Object.keys(commonLabels("seq"));
const withoutLabels = { metadata: { labels: Object.fromEntries(ownLabels.map((key) => [key, null])) } };
const withoutOwner = { metadata: { ownerReferences: null } };

/** Without kubectl's own wait: it can miss an object that is back within milliseconds, and then waits for ever. */
const deletes =
  (...flags: readonly string[]) =>
  ({ kind, metadata }: KubeObject) =>
    kubectl("delete", kind.toLowerCase(), metadata.name, "--wait=false", ...flags);
const patches = (patch: object) => (object: KubeObject) => patchByHand(world().kubectl, object, patch);

const hands: readonly Hand[] = [
  {
    does: "sets another image in the StatefulSet",
    to: STATEFUL_SET,
    by: () => kubectl("set", "image", "statefulset/seq", `evnode=${environment().images.otherNode}`),
    told: /^StatefulSet seq was put back: spec\.template\.spec\.containers\[0\]\.image/,
  },
  {
    does: "asks for a rollout restart",
    to: STATEFUL_SET,
    by: () => kubectl("rollout", "restart", "statefulset/seq"),
    told: /^StatefulSet seq was put back: spec\.template\.metadata\.annotations.*kubectl/,
  },
  {
    does: "lets the StatefulSet replace pods by itself",
    to: STATEFUL_SET,
    by: patches({ spec: { updateStrategy: { type: "RollingUpdate" } } }),
    told: /^StatefulSet seq was put back: spec\.updateStrategy/,
  },
  {
    does: "takes away what the pods were made from",
    to: STATEFUL_SET,
    by: patches({ metadata: { annotations: { [annotations.intent]: null } } }),
    told: /^StatefulSet seq was put back: metadata\.annotations\.evnode\.dev\/intent/,
  },
  {
    does: "takes the labels off the StatefulSet",
    to: STATEFUL_SET,
    by: patches(withoutLabels),
    told: /^StatefulSet seq was put back: metadata\.labels/,
  },
  {
    does: "takes the owner off the StatefulSet",
    to: STATEFUL_SET,
    by: patches(withoutOwner),
    told: /^StatefulSet seq was put back: metadata\.ownerReferences/,
  },
  {
    does: "deletes the leader Service",
    to: LEADER_SERVICE,
    by: deletes(),
    told: /^Service seq-leader was put back: it was missing/,
  },
  {
    does: "edits the selector of the leader Service",
    to: LEADER_SERVICE,
    by: patches({ spec: { selector: { "evnode.dev/role": "follower" } } }),
    told: /^Service seq-leader was put back: spec\.selector/,
  },
  {
    does: "takes labels and owner off a Service",
    to: RPC_SERVICE,
    by: patches({ metadata: { ...withoutLabels.metadata, ...withoutOwner.metadata } }),
    told: /^Service seq-rpc was put back: metadata\.(labels|ownerReferences)/,
  },
  {
    does: "deletes the Service that gives members their host names",
    to: ["services", "Service", "seq"],
    by: deletes(),
    told: /^Service seq was put back: it was missing/,
  },
  {
    does: "deletes the disruption budget",
    to: ["budgets", "PodDisruptionBudget", "seq"],
    by: deletes(),
    told: /^PodDisruptionBudget seq was put back: it was missing/,
  },
  {
    does: "lets the disruption budget give all members away",
    to: ["budgets", "PodDisruptionBudget", "seq"],
    by: patches({ spec: { maxUnavailable: 3 } }),
    told: /^PodDisruptionBudget seq was put back: spec\.maxUnavailable/,
  },
  {
    does: "deletes the network policy",
    to: ["networkPolicies", "NetworkPolicy", "seq"],
    by: deletes(),
    told: /^NetworkPolicy seq was put back: it was missing/,
  },
  {
    does: "takes the StatefulSet away and leaves its pods",
    to: STATEFUL_SET,
    by: deletes("--cascade=orphan"),
    told: /^StatefulSet seq was put back: it was missing/,
  },
];

/** What somebody may have changed; not what the server gives to every new object. */
function essenceOf(object: KubeObject | undefined): object | undefined {
  if (object === undefined) return undefined;
  const { metadata, spec = {} } = object as KubeObject & {
    readonly spec?: Readonly<Record<string, unknown>>;
  };
  const { clusterIP: _, clusterIPs: _all, ...rest } = spec;
  const { labels, annotations, ownerReferences } = metadata;
  return { labels, annotations, ownerReferences, spec: rest };
}

async function isBack(path: string, before: object | undefined): Promise<void> {
  await until(
    `${path} as it was`,
    async () => {
      const now = essenceOf(await observed().cluster.api.find(path));
      const isSame = now !== undefined && canonical(now) === canonical(before);
      return isSame ? { found: true } : { missing: `it is ${JSON.stringify(now)}` };
    },
    { withinMs: 30_000 },
  );
}

/** JSON with sorted keys. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (typeof part !== "object" || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

const processes = async () => processesOf(await observed().cluster.pods());

async function aFollower(): Promise<string> {
  const { cluster } = observed();
  const leader = await cluster.leaderPod();
  const follower = cluster.memberNames.find((member) => member !== leader.metadata.name);
  if (follower === undefined) throw new Error("there is no follower");
  return follower;
}

describe("somebody else's hand in a running cluster", () => {
  it.each(hands)("that $does is undone, told of, and restarts nothing", async ({ to, by, told }) => {
    const { cluster, observer } = observed();
    const [collection, , name] = to;
    const path = cluster.path(collection, name);
    const object = await cluster.api.get(path);
    const running = await processes();

    await by(object);
    await cluster.tells("Restored", told);
    await isBack(path, essenceOf(object));
    await observer.goesOn();
    expect(await processes()).toEqual(running);
  });

  it("that takes the labels off a pod is undone, told of, and restarts nothing", async () => {
    const { cluster, observer } = observed();
    const member = await aFollower();
    const pod = await cluster.pod(member);
    const running = await processes();

    await patches(withoutLabels)(pod);
    await cluster.tells("Restored", new RegExp(`^Pod ${member} was put back: labels were changed`));
    await until(
      `labels and owner of ${member}`,
      async () => {
        const { labels, ownerReferences = [] } = (await cluster.pod(member)).metadata;
        const isSame = canonical(labels) === canonical(pod.metadata.labels) && ownerReferences.length === 1;
        return isSame ? { found: true } : { missing: canonical({ labels, ownerReferences }) };
      },
      { withinMs: 60_000 },
    );
    await leadsTo(cluster, "seq-rpc", cluster.memberNames);
    await observer.goesOn();
    expect(await processes()).toEqual(running);
  });

  it("that takes the owner off a pod leaves no pod that nobody looks after", async () => {
    const { cluster } = observed();
    const member = await aFollower();
    const pod = await cluster.pod(member);
    const running = await processes();

    await patches(withoutOwner)(pod);
    await until(
      `the owner of ${member}`,
      async () => {
        const { ownerReferences = [] } = (await cluster.pod(member)).metadata;
        return ownerReferences[0]?.kind === "StatefulSet" ? { found: true } : { missing: "it has none" };
      },
      { withinMs: 60_000 },
    );
    expect(await processes()).toEqual(running);
  });

  it("leaves one chain that never paused for long, and Services that lead where they should", async () => {
    const { cluster, observer } = observed();
    const leader = await cluster.leaderPod();
    await leadsTo(cluster, "seq-leader", [leader.metadata.name]);
    await leadsTo(cluster, "seq-rpc", cluster.memberNames);
    await observer.hasReadAll();
    expect(observer.record.problems()).toEqual([]);
    expect(observer.record.withdrawn()).toEqual([]);
    await cluster.isRunning();
    // Whatever was taken away for a moment, nobody is told that the cluster starts, or that quorum is lost.
    const alarms = (await cluster.events()).filter(({ reason = "" }) => /Bootstrapping|Quorum/.test(reason));
    expect(alarms.map(({ note }) => note)).toEqual([]);
  });
});

describe("an edit of the image in the spec while rollouts are paused", () => {
  const imageOf = async () => {
    const { spec } = await observed().cluster.statefulSet();
    return spec?.template.spec?.containers.map(({ image }) => image);
  };

  it("is told of as pending and reaches neither the StatefulSet nor a pod", async () => {
    const { cluster, observer } = observed();
    const { node, otherNode } = environment().images;
    const running = await processes();

    await patches({ spec: { image: otherNode, rollout: { mode: "Paused" } } })(cluster.manifest);
    const condition = await cluster.becomes("RolloutComplete", "RolloutPaused", [/image/]);
    expect(condition.status).toBe("False");
    expect((await cluster.get()).status?.updatePending).toEqual(["image"]);
    expect((await cluster.get()).status?.image).toBe(node);
    await observer.goesOn(20);
    expect(await imageOf()).toEqual([node]);
    expect(await processes()).toEqual(running);
  });

  it("is over when it is taken back", async () => {
    const { cluster } = observed();
    await patches({ spec: { image: environment().images.node, rollout: { mode: "Auto" } } })(
      cluster.manifest,
    );
    await cluster.becomes("RolloutComplete", "UpToDate");
    expect((await cluster.get()).status?.updatePending).toBeUndefined();
  });
});
