import { describe, expect, test } from "vitest";
import { annotations, labels } from "../../src/model/annotations.ts";
import type { Action } from "../../src/plan/actions.ts";
import type { Next } from "../../src/plan/next-member.ts";
import { isPresent } from "../../src/plan/rollout-scene.ts";
import { finishedUpdates, type UpdateStep, updateStep } from "../../src/plan/update-step.ts";
import { briefAction } from "../brief.ts";
import {
  agentRestarted,
  begun,
  broken,
  labelled,
  leads,
  NEW,
  noted,
  OLD,
  restarted,
  says,
  silent,
  type Traits,
  timeAgo,
  touched,
  unready,
  updated,
  waits,
} from "../member-traits.ts";
import { claimed, NEW_IMAGE, type RollingShape, reverting, rolling, sceneIn } from "../rolling.ts";

interface Case {
  readonly name: string;
  readonly change?: RollingShape["change"];
  readonly agent?: string;
  readonly member?: Traits;
  readonly isBroken?: boolean;
  readonly more?: Partial<RollingShape>;
  readonly step: string;
}

const [image, config, nodes] = [
  { image: NEW_IMAGE },
  { log: { level: "debug" } },
  { pod: { nodeSelector: { disk: "fast" } } },
] as const;
const held = { isCertain: true, budget: claimed("seq-2") } as const;
const evict = { isCertain: true } as const;

function shapeOf({ change, agent, member = [], more }: Partial<Case>): RollingShape {
  const { settings } = rolling();
  return {
    ...(change && { change }),
    members: [leads, [], member],
    ...more,
    ...(agent && { seen: { settings: { ...settings, agentImage: agent } } }),
  };
}

/** What is done to the last member. */
function stepOf(shape: RollingShape, isBroken = false): UpdateStep {
  const scene = sceneIn(rolling(shape));
  const member = scene.snapshot.members.filter(isPresent).at(-1);
  if (!member) throw new Error("there is a last member");
  const chosen: Extract<Next, { kind: "update" }> = {
    kind: "update",
    rule: "R6",
    member,
    isBroken,
    why: "a follower",
  };
  return updateStep(chosen, scene.target, scene);
}

function brief(step: UpdateStep): string {
  if (step.kind === "wait") return `wait: ${step.why}`;
  return step.kind === "lookAgain" ? "look again" : step.actions.map(briefAction).join(", ");
}

const cannotRun: readonly Case[] = [
  { name: "is looked at once more", isBroken: true, step: "look again" },
  { name: "gets another image of ev-node alone", isBroken: true, more: evict, step: "restart seq-2" },
  {
    name: "loses its pod when no node took it: a new one is looked at anew",
    isBroken: true,
    member: (draft) => ({
      ...draft,
      pod: draft.pod && {
        ...draft.pod,
        spec: { ...draft.pod.spec, containers: draft.pod.spec?.containers ?? [], nodeName: "" },
        status: { conditions: [{ type: "PodScheduled", status: "False", reason: "Unschedulable" }] },
      },
    }),
    more: evict,
    step: "deletion of seq-2",
  },
  {
    name: "loses its pod for another config",
    change: config,
    isBroken: true,
    more: evict,
    step: "deletion of seq-2",
  },
  {
    name: "for another image and config",
    change: { ...image, ...config },
    isBroken: true,
    more: evict,
    step: "deletion of seq-2",
  },
  {
    name: "and for another agent",
    agent: "example.org/operator:2",
    isBroken: true,
    more: evict,
    step: "deletion of seq-2",
  },
  { name: "for anything else", change: nodes, isBroken: true, more: evict, step: "deletion of seq-2" },
  {
    name: "whatever the disruption budget says",
    change: nodes,
    isBroken: true,
    more: { isCertain: true, budget: { disruptionsAllowed: 0 } },
    step: "deletion of seq-2",
  },
];

const restarts: readonly Case[] = [
  {
    name: "labels and annotations alone are written",
    change: { pod: { labels: { team: "a" } } },
    step: "write seq-2",
  },
  { name: "the budget comes first", step: "budget for seq-2" },
  {
    name: "while the budget is used, it waits",
    more: { budget: claimed("seq-1") },
    step: "wait: the disruption budget was used for seq-1",
  },
  { name: "then it is looked at once more", more: { budget: claimed("seq-2") }, step: "look again" },
  { name: "without a budget that is the first step", more: { budget: "off" }, step: "look again" },
  { name: "another image is given at once", more: held, step: "restart seq-2" },
  { name: "another config with a token", change: config, more: held, step: "restart seq-2" },
  {
    name: "another image and config: the config first",
    change: { ...image, ...config },
    more: held,
    step: "write seq-2",
  },
  { name: "another agent first", agent: "example.org/operator:2", more: held, step: "write seq-2" },
  {
    name: "while another agent is on its way, it waits",
    agent: "example.org/operator:2",
    member: begun({ agent: "agent-of-seq-2" }),
    more: held,
    step: "wait: the agent of seq-2 prepares it",
  },
  {
    name: "while its agent has not installed the config, it waits, and says why",
    member: [
      begun(),
      says({ configRevision: "r0", pendingConfig: { revision: "r2", message: "not mounted yet" } }),
    ],
    more: held,
    step: "wait: the agent of seq-2 prepares it: not mounted yet",
  },
];

const replacements: readonly Case[] = [
  { name: "is looked at once more", change: nodes, step: "look again" },
  { name: "is evicted", change: nodes, more: evict, step: "eviction of seq-2" },
  {
    name: "or deleted, where there is no budget",
    change: nodes,
    more: { isCertain: true, budget: "off" },
    step: "deletion of seq-2",
  },
  {
    name: "after what was left of the budget is given back",
    change: nodes,
    more: { isCertain: true, budget: claimed("seq-1", 5_000) },
    step: "budget for nobody",
  },
  {
    name: "where ev-node waits for its next start: Kubernetes might make it with the old image, after the change",
    member: broken,
    more: evict,
    step: "eviction of seq-2",
  },
  {
    name: "but not for another agent alone, which runs beside it",
    member: broken,
    change: {},
    agent: "example.org/operator:2",
    more: held,
    step: "write seq-2",
  },
  {
    name: "of no known revision too",
    member: labelled({ [labels.revision]: "by-hand" }),
    more: evict,
    step: "eviction of seq-2",
  },
];

describe.each<[string, readonly Case[]]>([
  ["a member that cannot run", cannotRun],
  ["in place", restarts],
  ["a pod that has to be another one", replacements],
])("%s", (_, cases) => {
  test.each(cases)("$name", ({ isBroken, step, ...one }) => {
    expect(brief(stepOf(shapeOf(one), isBroken))).toBe(step);
  });
});

/** The one pod that is written. */
function writtenPod(one: Partial<Case>): Extract<Action, { kind: "updatePod" }> {
  const step = stepOf({ ...shapeOf(one), ...held }, one.isBroken);
  const [action, ...more] = step.kind === "act" ? step.actions : [];
  if (action?.kind !== "updatePod" || more.length > 0)
    throw new Error(`expected a pod, found ${brief(step)}`);
  return action;
}

const notesOf = ({ object }: { readonly object: { readonly metadata: { readonly annotations?: object } } }) =>
  object.metadata.annotations;
const now = timeAgo(0);
const noteOf = (over: object) => JSON.stringify({ revision: NEW, at: now, ...over });

describe("what is written on the pod", () => {
  const newRevision = (change: RollingShape["change"]) =>
    rolling({ ...(change && { change }) }).statefulSet?.spec?.template.metadata?.annotations?.[
      annotations.configRevision
    ];

  test("another image, and which container is to go", () => {
    const written = writtenPod({});
    expect(written).toMatchObject({
      takesAway: true,
      why: "for another image. Rule R6: a follower. Seen: seq-0 leads; seq-0 at 100, seq-1 at 100, seq-2 at 100",
    });
    expect(written.object.spec?.containers.map((one) => one.image)).toEqual([NEW_IMAGE]);
    expect(notesOf(written)).toEqual({
      [annotations.configRevision]: newRevision(undefined),
      [annotations.update]: noteOf({ container: "container-of-seq-2", given: true }),
    });
    expect(written.object.metadata.labels?.[labels.revision]).toBe(OLD);
    expect(written.object.metadata.resourceVersion).toBe("11");
  });

  test("another config, with a token that makes its agent restart ev-node", () => {
    expect(notesOf(writtenPod({ change: config }))).toEqual({
      [annotations.configRevision]: newRevision(config),
      [annotations.restartToken]: `${NEW} ${now}`,
      [annotations.update]: noteOf({ container: "container-of-seq-2", given: true }),
    });
  });

  test("before another image with another config: the config alone", () => {
    const change = { ...image, ...config };
    const written = writtenPod({ change });
    expect(written.takesAway).toBe(false);
    expect(written.object.spec?.containers.map((one) => one.image)).toEqual(["example.org/testapp:1"]);
    expect(notesOf(written)).toEqual({
      [annotations.configRevision]: newRevision(change),
      [annotations.update]: noteOf({ config: newRevision({}) }),
    });
  });

  test("another agent, and which one is to go", () => {
    const written = writtenPod({ change: config, agent: "example.org/operator:2" });
    expect(written.takesAway).toBe(false);
    expect(written.object.spec?.initContainers?.map((one) => one.image)).toEqual(["example.org/operator:2"]);
    expect(notesOf(written)).toEqual({
      [annotations.configRevision]: newRevision({}),
      [annotations.update]: noteOf({ agent: "agent-of-seq-2" }),
    });
  });

  test("after that it goes on with what was begun", () => {
    const traits = [begun({ at: timeAgo(4_000), agent: "agent-of-seq-2" }), agentRestarted];
    expect(notesOf(writtenPod({ member: traits }))).toMatchObject({
      [annotations.update]: noteOf({ agent: "agent-of-seq-2", container: "container-of-seq-2", given: true }),
    });
  });

  test("what was begun for another template counts no more, and is remembered to have been", () => {
    const member = begun({ revision: "seq-0-of-old", at: timeAgo(4_000), agent: "agent-of-seq-2" });
    expect(notesOf(writtenPod({ member }))).toMatchObject({
      [annotations.update]: noteOf({ over: true, container: "container-of-seq-2", given: true }),
    });
  });

  test("a config that was announced for another template stays one to restart for", () => {
    const member = begun({ revision: "seq-0-of-old", config: "r0" });
    const written = writtenPod({ member, agent: "example.org/operator:2", change: config });
    expect(notesOf(written)).toMatchObject({
      [annotations.update]: noteOf({ over: true, config: "r0", agent: "agent-of-seq-2" }),
    });
  });

  test("labels and annotations alone, with the new revision", () => {
    const written = writtenPod({ change: { pod: { labels: { team: "a" } } } });
    expect(written.takesAway).toBe(false);
    expect(written.object.metadata.labels).toMatchObject({ team: "a", [labels.revision]: NEW });
    expect(notesOf(written)).toEqual({ [annotations.configRevision]: newRevision({}) });
  });

  test("labels and annotations alone, with the note of a restart that is still to come for another template", () => {
    const told = begun({ revision: "seq-0-of-old", container: "container-of-seq-2", given: true });
    const written = writtenPod({ change: { pod: { labels: { team: "a" } } }, member: told });
    expect(written.takesAway).toBe(false);
    expect(written.object.metadata.labels).toMatchObject({ team: "a", [labels.revision]: NEW });
    expect(notesOf(written)).toMatchObject({
      [annotations.update]: noteOf({ over: true, container: "container-of-seq-2", given: true }),
    });
  });

  test("a restart that the template does not ask for is taken off", () => {
    const member = noted({ [annotations.restart]: "by hand" });
    expect(notesOf(writtenPod({ member }))).not.toHaveProperty([annotations.restart]);
  });

  test("a member that was asked to restart gets a token, and the note that it was asked", () => {
    expect(notesOf(writtenPod({ member: updated }))).toEqual({
      [annotations.configRevision]: newRevision({}),
      [annotations.restartToken]: `${NEW} ${now}`,
      [annotations.update]: noteOf({ container: "container-of-seq-2", given: true, onDemand: true }),
    });
  });
});

test("a member of the newest revision is restarted in place also when no revision was read", () => {
  const members = [[updated, leads], updated, updated];
  const step = stepOf({ ...held, members, seen: { revisions: new Map() } });
  expect(brief(step)).toBe("restart seq-2");
});

describe("an update is through", () => {
  const finished = (member: Traits, shape: RollingShape = {}) => {
    const scene = sceneIn(rolling({ ...shape, members: [leads, [], member] }));
    return finishedUpdates(scene, scene.target).map(briefAction);
  };

  test.each<[string, Traits, readonly string[]]>([
    ["when another container runs", [touched(), restarted], ["finish seq-2"]],
    ["not while it is the one before", touched(), []],
    ["nor while it does not run", [touched(), restarted, waits("evnode", "CrashLoopBackOff")], []],
    ["nor while it is not known what config its agent has", [touched(), restarted, silent], []],
    ["nor while that is another one", [touched(), restarted, says({ configRevision: "r0" })], []],
    ["nor while the agent is the one before", [touched({ agent: "agent-of-seq-2" }), restarted], []],
    [
      "but when both are others",
      [touched({ agent: "agent-of-seq-2" }), restarted, agentRestarted],
      ["finish seq-2"],
    ],
    ["not while it lacks something", [begun({ container: "x" })], []],
    ["not one of another template", [touched({ revision: "seq-0-of-old" }), restarted], []],
    ["nor one that nobody began", [], []],
    [
      "nor one whose note somebody spoiled",
      [touched(), restarted, noted({ [annotations.update]: "done" })],
      [],
    ],
  ])("%s", (_, member, actions) => {
    expect(finished(member)).toEqual(actions);
  });
});

describe("a member that was touched before its template was taken back", () => {
  const stepBack = (member: Traits, isBroken = false) => {
    const seen = reverting({ ...held, members: [leads, [], member] });
    const scene = sceneIn({ ...seen, revisions: new Map() });
    const last = scene.snapshot.members.filter(isPresent).at(-1);
    if (!last) throw new Error("there is a last member");
    return updateStep(
      { kind: "update", rule: "R6", member: last, isBroken, why: "a follower" },
      scene.target,
      scene,
    );
  };

  test.each<[string, Traits, boolean]>([
    ["gets the image of before", touched(), false],
    ["also when it cannot run", [touched(), broken, unready()], true],
  ])("%s", (_, member, isBroken) => {
    const step = stepBack(member, isBroken);
    const [action] = step.kind === "act" ? step.actions : [];
    if (action?.kind !== "updatePod") throw new Error(`expected a pod, found ${brief(step)}`);
    expect(action.object.spec?.containers.map((one) => one.image)).toEqual(["example.org/testapp:1"]);
    expect(notesOf(action)).toMatchObject({
      [annotations.update]: JSON.stringify({
        revision: OLD,
        at: now,
        over: true,
        container: "container-of-seq-2",
        given: true,
      }),
    });
  });
});
