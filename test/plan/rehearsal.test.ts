import { describe, expect, test } from "vitest";
import type { Pod } from "../../src/model/objects.ts";
import { endRehearsals, needsRehearsal, type Rehearsal, rehearsalOf } from "../../src/plan/rehearsal.ts";
import { sceneOf } from "../../src/plan/rollout-scene.ts";
import type { Snapshot } from "../../src/plan/snapshot.ts";
import { wishState } from "../../src/plan/wish-state.ts";
import { briefAction } from "../brief.ts";
import { evm } from "../builders.ts";
import { gone } from "../member-traits.ts";
import { type RollingShape, wished } from "../rolling.ts";

const custom: RollingShape = { spec: { app: { kind: "custom", command: ["/chain"] } } };

function sceneIn(seen: Snapshot) {
  const scene = sceneOf(seen, []);
  if (!scene?.intents.wish) throw new Error("a change waits");
  return { ...scene, wish: scene.intents.wish };
}

const rehearse = (seen: Snapshot): Rehearsal => {
  const { identity, wish } = sceneIn(seen);
  return rehearsalOf(seen, identity, wish, 300_000);
};

function brief(one: Rehearsal): string {
  if (one.kind === "passed") return "passed";
  return [`${one.kind}: ${one.why}`, ...one.actions.map(briefAction)].join("; ");
}

/** The pods in which the image is tried, each with this status. */
function trials(shape: RollingShape = {}, status: Pod["status"] = {}): Pod[] {
  const first = rehearse(wished(shape));
  const pods = first.kind === "passed" ? [] : first.actions;
  return pods.flatMap((action) => (action.kind === "rehearse" ? [{ ...action.pod, status }] : []));
}

const waits = (reason: string, message = ""): NonNullable<Pod["status"]> => ({
  phase: "Pending",
  containerStatuses: [
    {
      name: "evnode",
      restartCount: 0,
      ready: false,
      image: "",
      imageID: "",
      state: { waiting: { reason, message } },
    },
  ],
});
const ended = (exitCode: number, reason?: string, message?: string): NonNullable<Pod["status"]> => ({
  phase: exitCode === 0 ? "Succeeded" : "Failed",
  containerStatuses: [
    {
      name: "evnode",
      restartCount: 0,
      ready: false,
      image: "",
      imageID: "",
      state: { terminated: { exitCode, ...(reason && { reason }), ...(message && { message }) } },
    },
  ],
});
const on = "image example.org/testapp:2 on node node-of-seq-0";

interface Case {
  readonly name: string;
  readonly status: NonNullable<Pod["status"]>;
  readonly shape?: RollingShape;
  readonly is: string;
}

const cases: readonly Case[] = [
  { name: "a trial that has not begun is waited for", status: {}, is: `underWay: ${on} is tried` },
  { name: "one that runs", status: { phase: "Running" }, is: `underWay: ${on} is tried` },
  {
    name: "one whose image is being pulled",
    status: waits("ContainerCreating"),
    is: `underWay: ${on} is tried`,
  },
  { name: "one that ended well is passed", status: ended(0, "Completed"), is: "passed" },
  {
    name: "an image that is not to be had has failed",
    status: waits("ErrImageNeverPull", "not present"),
    is: `failed: ${on}: ErrImageNeverPull: not present`,
  },
  {
    name: "one that ended badly has failed, with its last line",
    status: ended(1, "Error", "usage: …\nunknown flag\n"),
    is: `failed: ${on}: it ended with exit code 1: unknown flag`,
  },
  {
    name: "without a line, with the word of the runtime",
    status: ended(137, "OOMKilled"),
    is: `failed: ${on}: it ended with exit code 137: OOMKilled`,
  },
  {
    name: "an app of somebody else need not know the argument",
    shape: custom,
    status: ended(2, "Error", "unknown command version"),
    is: "passed",
  },
  {
    name: "but has to start",
    shape: custom,
    status: ended(128, "StartError", "exec format error"),
    is: `failed: ${on}: it ended with exit code 128: exec format error`,
  },
];

describe("of an EVM chain both images are tried", () => {
  const shape: RollingShape = {
    spec: evm,
    change: { execution: { ...evm.execution, image: "example.org/ev-reth:2" } },
  };
  const state = (name: string, terminated: object) => ({
    name,
    restartCount: 0,
    ready: false,
    image: "",
    imageID: "",
    state: terminated,
  });
  const ends = (exitCode: number, message = "") => ({ terminated: { exitCode, message, reason: "Error" } });
  const where = "on node node-of-seq-0";

  test.each<[string, object, object, string]>([
    ["both ended well", ends(0), ends(0), "passed"],
    ["one built without a version is passed, as it ran", ends(1, "git SHA not set"), ends(0), "passed"],
    [
      "the client has to end well",
      ends(1, "git SHA not set"),
      ends(127, "no such file"),
      `failed: image example.org/ev-reth:2 ${where}: it ended with exit code 127: no such file`,
    ],
    [
      "and its image has to be there",
      ends(0),
      { waiting: { reason: "ErrImagePull", message: "not found" } },
      `failed: image example.org/ev-reth:2 ${where}: ErrImagePull: not found`,
    ],
  ])("%s", (_, evnode, client, is) => {
    const isGood = is === "passed" && !JSON.stringify(evnode).includes("git");
    const containerStatuses = [state("evnode", evnode), state("execution", client)];
    const rehearsals = trials(shape, { phase: isGood ? "Succeeded" : "Failed", containerStatuses });
    expect(brief(rehearse({ ...wished(shape), rehearsals }))).toBe(is);
  });
});

test.each(cases)("$name", ({ status, shape = {}, is }) => {
  const rehearsals = trials(shape, status);
  expect(rehearsals).toHaveLength(3);
  expect(brief(rehearse({ ...wished(shape), rehearsals }))).toBe(is);
});

describe("on every node that a member is on", () => {
  test("an image is tried once", () => {
    expect(brief(rehearse(wished()))).toBe(
      `underWay: ${on} is tried; rehearse on node-of-seq-0; rehearse on node-of-seq-1; rehearse on node-of-seq-2`,
    );
    expect(new Set(trials().map(({ metadata }) => metadata.name)).size).toBe(3);
  });

  test("two members on one node are one trial", () => {
    const seen = wished();
    const members = seen.members.map((one) => ({ ...one, pod: one.pod && { ...one.pod, node: "n1" } }));
    const one = rehearse({ ...seen, members });
    expect(brief(one)).toBe("underWay: image example.org/testapp:2 on node n1 is tried; rehearse on n1");
  });

  test("one that no node takes is not waited for, as the change may be what heals it", () => {
    const seen = wished();
    const members = seen.members.map((one) => {
      const pod = one.pod && { ...one.pod, node: undefined, scheduling: { unschedulable: "0/3 nodes" } };
      return one.name === "seq-2" ? { ...one, pod } : one;
    });
    expect(rehearse({ ...seen, members, rehearsals: trials({}, ended(0)).slice(0, 2) })).toEqual({
      kind: "passed",
    });
  });

  test("where no member is on any, there is nothing to try", () => {
    expect(brief(rehearse(wished({ members: [gone, gone, gone] })))).toBe("passed");
  });

  test("one that is passed waits for the others, and one that failed fails all", () => {
    const [one, two, three] = trials({}, ended(0));
    if (!one || !two || !three) throw new Error("there are three trials");
    const seen = wished();
    expect(brief(rehearse({ ...seen, rehearsals: [one, two] }))).toBe(
      "underWay: image example.org/testapp:2 on node node-of-seq-2 is tried; rehearse on node-of-seq-2",
    );
    const failed = { ...two, status: ended(1, "Error", "no") };
    expect(brief(rehearse({ ...seen, rehearsals: [one, failed] }))).toBe(
      "failed: image example.org/testapp:2 on node node-of-seq-1: it ended with exit code 1: no; rehearse on node-of-seq-2",
    );
  });

  test("trials of another image end, and so do those of a node that no member is on any more", () => {
    const earlier = trials({ change: { image: "example.org/testapp:3" } });
    const seen = wished({ members: [[], [], gone] });
    const one = rehearse({ ...seen, rehearsals: [...earlier, ...trials({}, ended(0))] });
    expect(one.kind).toBe("passed");
    const state = wishState(sceneIn({ ...wished(), rehearsals: earlier }));
    expect(state.kind === "held" && state.actions.map(briefAction)).toEqual([
      ...[0, 1, 2].map((node) => `rehearse on node-of-seq-${node}`),
      ...[0, 1, 2].map((node) => `endRehearsal on node-of-seq-${node}`),
    ]);
  });

  test("an earlier trial that ends is waited for", () => {
    const rehearsals = trials().map((pod) => ({
      ...pod,
      metadata: { ...pod.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" },
    }));
    expect(brief(rehearse({ ...wished(), rehearsals }))).toBe(`underWay: an earlier trial of ${on} ends`);
    expect(endRehearsals({ ...wished(), rehearsals })).toEqual([]);
  });
});

test.each<[string, RollingShape, boolean]>([
  ["another image", {}, true],
  ["another way to pull it", { change: { imagePullPolicy: "Always" } }, true],
  ["another Secret to pull it with", { change: { imagePullSecrets: [{ name: "registry" }] } }, true],
  ["another argument", { change: { app: { kind: "testapp", extraArgs: ["--x"] } } }, true],
  ["another config", { change: { log: { level: "debug" } } }, false],
  ["another node selector", { change: { pod: { nodeSelector: { disk: "fast" } } } }, false],
])("whether a change is tried first: %s", (_, shape, isTried) => {
  const { intents, wish } = sceneIn(wished(shape));
  expect(needsRehearsal(intents, wish)).toBe(isTried);
});

test.each<[string, NonNullable<Pod["status"]>]>([
  [
    "was evicted from its node",
    { phase: "Failed", reason: "Evicted", message: "The node was low on memory." },
  ],
  ["found no room on its node", { phase: "Failed", reason: "OutOfpods", message: "too many pods" }],
  ["ended with its node", { phase: "Failed", reason: "NodeShutdown", message: "Pod was rejected" }],
])("a trial that %s says nothing about the image, and is made once more", (_, status) => {
  const rehearsals = trials({}, status);
  expect(rehearse({ ...wished(), rehearsals }).kind).toBe("underWay");
});

test("a trial that gets nowhere for as long as a rollout may is told to a person", () => {
  const rehearsals = trials({}, { phase: "Pending" }).map((pod) => ({
    ...pod,
    metadata: { ...pod.metadata, creationTimestamp: "2025-12-31T22:00:00Z" },
  }));
  expect(rehearse({ ...wished(), rehearsals }).kind).toBe("failed");
});
