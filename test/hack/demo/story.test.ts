import { describe, expect, it } from "vitest";
import type { Look } from "../../../hack/demo/simulated/look.ts";
import { type Scene, storyOf } from "../../../hack/demo/simulated/story.ts";
import type { Past } from "../../../hack/demo/simulated/witness.ts";
import { ending, look, member, NEW, OLD, past, running } from "./looks.ts";

function sceneOf(title: string): Scene {
  const scene = storyOf(OLD).find((one) => one.title === title);
  if (scene === undefined) throw new Error(`there is no scene ${title}`);
  return scene;
}

const stalled = (reason: string) => ({ status: "True" as const, reason, message: "" });
const upgraded = look({ image: NEW, members: running(NEW) });
const restarts = [ending("c-2"), ending("c-1"), ending("c-0", true)];

/** How each scene ends well. */
const ends: Readonly<Record<string, readonly [Look, Past]>> = {
  start: [look(), past()],
  upgrade: [upgraded, past({ endings: restarts, leaders: ["c-0", "c-1"], mostAway: 1 })],
  "missing image": [look({ members: running(NEW), stalled: stalled("RehearsalFailed") }), past()],
  "bad image": [
    look({ members: running(NEW), stalled: stalled("RolloutReverted"), lastRollout: "Reverted" }),
    past({ endings: [ending("c-2"), ending("c-2")], mostAway: 1 }),
  ],
  correction: [upgraded, past()],
  "killed leader": [look(), past({ endings: [ending("c-1", true)], leaders: ["c-1", "c-0"], mostAway: 1 })],
};

it("the story ends well in every scene", () => {
  const found = storyOf(OLD).map(({ title, missing, wrong }) => {
    const [seen, was] = ends[title] ?? [look(), past()];
    return { title, missing: missing(seen, was), wrong: wrong(seen, was) };
  });
  expect(found).toEqual(Object.keys(ends).map((title) => ({ title, missing: [], wrong: [] })));
});

interface Case {
  readonly scene: string;
  readonly when: string;
  readonly look?: Partial<Look>;
  readonly past?: Partial<Past>;
  readonly found: readonly string[];
}

const away = member(2, { process: undefined, ready: false, doing: "ev-node does not run" });

describe("a scene is not over", () => {
  it.each<Case>([
    {
      scene: "start",
      when: "a member does not run",
      look: { members: [member(0), member(1), away] },
      found: ["c-2 is not ready: ev-node does not run"],
    },
    {
      scene: "start",
      when: "the operator sees another leader than there is",
      look: { leader: "c-1" },
      found: ["c-1 is said to lead, and c-0 does"],
    },
    {
      scene: "start",
      when: "no blocks come",
      past: { blocks: 0 },
      found: ["0 new blocks, expected 5"],
    },
    {
      scene: "upgrade",
      when: "a member runs the old image, whatever the status says",
      look: { members: [...running(NEW).slice(0, 2), member(2)] },
      found: ["c-2 runs v1.1.5, expected v1.1.6"],
    },
    {
      scene: "upgrade",
      when: "a member was never restarted",
      past: { endings: restarts.slice(1) },
      found: ["c-2 was not restarted"],
    },
    {
      scene: "upgrade",
      when: "the change was taken back",
      look: { rolloutComplete: { status: "False", reason: "RolloutReverted", message: "" } },
      found: ["RolloutComplete is False for RolloutReverted, expected True for UpToDate"],
    },
    {
      scene: "missing image",
      when: "nobody says that the image was refused",
      look: { stalled: { status: "False", reason: "NotStalled", message: "" } },
      found: ["Stalled is False for NotStalled, expected True for RehearsalFailed"],
    },
    {
      scene: "bad image",
      when: "it is said to be taken back and a member still runs it",
      look: {
        members: [...running(NEW).slice(0, 2), member(2, { process: undefined, ready: false, doing: "-" })],
      },
      found: ["c-2 runs nothing, expected v1.1.6", "c-2 is not ready: -"],
    },
    {
      scene: "bad image",
      when: "nobody has tried it",
      past: { endings: [] },
      found: ["no member has tried it"],
    },
    {
      scene: "correction",
      when: "a person is still asked for",
      look: { stalled: stalled("RolloutReverted") },
      found: ["Stalled is True for RolloutReverted, expected False for NotStalled"],
    },
    {
      scene: "killed leader",
      when: "nobody else leads",
      past: { leaders: ["c-1"] },
      found: ["no other member leads"],
    },
  ])("$scene: while $when", ({ scene, found, ...over }) => {
    const [seen, was] = ends[scene] ?? [look(), past()];
    expect(sceneOf(scene).missing({ ...seen, ...over.look }, { ...was, ...over.past })).toEqual(found);
  });
});

describe("a scene has failed", () => {
  it.each<Case>([
    ...Object.keys(ends).map((scene) => ({
      scene,
      when: "a block was replaced",
      past: { replaced: 1 },
      found: ["1 blocks were replaced by others"],
    })),
    {
      scene: "upgrade",
      when: "two members were away at once",
      past: { mostAway: 2 },
      found: ["2 members were away at one time, expected one at most"],
    },
    {
      scene: "upgrade",
      when: "the leader was restarted before the others",
      past: { endings: [ending("c-0", true)] },
      found: ["c-0 was restarted while it led and others were outdated"],
    },
    {
      scene: "upgrade",
      when: "a member was restarted twice",
      past: { endings: [ending("c-2"), ...restarts] },
      found: ["4 restarts, expected 3"],
    },
    {
      scene: "missing image",
      when: "a member was touched",
      past: { endings: [ending("c-2")] },
      found: ["c-2 was restarted, expected that nobody is touched"],
    },
    {
      scene: "bad image",
      when: "a second member got the image",
      past: { endings: [ending("c-2"), ending("c-1")] },
      found: ["c-2 and c-1 were restarted, expected one member alone"],
    },
    {
      scene: "killed leader",
      when: "a follower was restarted as well",
      past: { endings: [ending("c-1", true), ending("c-2")] },
      found: ["c-2, no leader, was restarted"],
    },
  ])("$scene: when $when", ({ scene, found, past: over }) => {
    const [seen, was] = ends[scene] ?? [look(), past()];
    expect(sceneOf(scene).wrong(seen, { ...was, ...over })).toEqual(found);
  });
});
