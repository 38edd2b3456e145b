import { describe, expect, it } from "vitest";
import type { MemberScene, Scene } from "../../../hack/demo/scene.ts";
import { allInSync, digest, missing, picture, topHeight } from "../../../hack/demo/view.ts";

function member(ordinal: number, changes: Partial<MemberScene> = {}): MemberScene {
  const role = ordinal === 0 ? "leader" : "follower";
  return { name: `c-${ordinal}`, role, height: 10, ready: true, doing: "in sync", ...changes };
}

function scene(changes: Partial<Scene> = {}): Scene {
  const members = [member(0), member(1), member(2)];
  return { phase: "Running", quorum: "Healthy", ready: true, complaints: [], members, ...changes };
}

const waiting = member(2, {
  role: "unknown",
  height: undefined,
  ready: false,
  doing: "waits for the order to start",
});

describe("what the demo waits for", () => {
  it("is nothing once five blocks followed with all in sync", () => {
    expect(missing(scene(), 5)).toEqual([]);
  });

  it.each<{ name: string; scene: Scene; heightInSync: number | undefined; expected: readonly string[] }>([
    {
      name: "blocks",
      scene: scene(),
      heightInSync: 6,
      expected: ["the chain is at height 10, expected 11"],
    },
    {
      name: "a member that is not ready, with its reason",
      scene: scene({ members: [member(0), member(1), waiting] }),
      heightInSync: 5,
      expected: ["c-2 is not ready: waits for the order to start"],
    },
    {
      name: "a leader",
      scene: scene({ members: [member(0, { role: "follower" }), member(1)] }),
      heightInSync: 5,
      expected: ["0 members say that they lead, expected 1"],
    },
    {
      name: "the end of a second leader",
      scene: scene({ members: [member(0), member(1, { role: "leader" })] }),
      heightInSync: 5,
      expected: ["2 members say that they lead, expected 1"],
    },
    {
      name: "the operator's verdict, with its words",
      scene: scene({ ready: false, complaints: ["Ready: 2 of 3 members are ready"] }),
      heightInSync: 5,
      expected: ["the EvNodeCluster is not Ready; Ready: 2 of 3 members are ready"],
    },
    {
      name: "five blocks from now on, while not all have been in sync",
      scene: scene(),
      heightInSync: undefined,
      expected: ["the chain is at height 10, expected 15"],
    },
  ])("can be $name", ({ scene: seen, heightInSync, expected }) => {
    expect(missing(seen, heightInSync)).toEqual(expected);
  });
});

describe("a cluster in sync", () => {
  it.each([
    { name: "is one where all members are ready", scene: scene(), expected: true },
    {
      name: "is none with a member that waits",
      scene: scene({ members: [member(0), waiting] }),
      expected: false,
    },
    { name: "is none before the operator says so", scene: scene({ ready: false }), expected: false },
    {
      name: "is none while a height is unknown",
      scene: scene({ members: [member(0, { height: undefined })] }),
      expected: false,
    },
  ])("$name", ({ scene: seen, expected }) => {
    expect(allInSync(seen)).toBe(expected);
  });
});

describe("the live view", () => {
  it("draws a table that fits the terminal", () => {
    const lines = picture(scene({ members: [member(0, { height: 1234 }), member(1), waiting] }), 7, 50);
    expect(lines).toEqual([
      "Running, quorum Healthy, 7 s",
      "",
      "MEMBER  ROLE      HEIGHT  READY  DOING",
      "c-0     leader    1234    yes    in sync",
      "c-1     follower  10      yes    in sync",
      "c-2     -         -       no     waits for the or…",
    ]);
  });

  it("has a line that stays the same while only heights rise", () => {
    const higher = scene({ members: [member(0, { height: 99 }), member(1), member(2)] });
    expect(digest(higher)).toBe(digest(scene()));
    expect(digest(scene({ members: [member(0), member(1), waiting] }))).toBe(
      "Running: c-0 leader | c-1 follower | c-2 waits for the order to start",
    );
  });

  it("takes the highest member's height for the chain's", () => {
    expect(topHeight(scene({ members: [member(0), member(1, { height: 12 }), waiting] }))).toBe(12);
    expect(topHeight(scene({ members: [waiting] }))).toBeUndefined();
  });
});
