import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ansi } from "../../../hack/demo/simulated/ansi.ts";
import { picture } from "../../../hack/demo/simulated/picture.ts";
import { type Ending, type Frame, play } from "../../../hack/demo/simulated/play.ts";
import { Stage } from "../../../hack/demo/simulated/stage.ts";
import { storyOf } from "../../../hack/demo/simulated/story.ts";
import { summary } from "../../../hack/demo/simulated/summary.ts";

/** As the demo starts without options. */
const SEED = 2;
const never = new AbortController().signal;

async function played(stage: Stage, signal = never): Promise<{ ending: Ending; frames: readonly Frame[] }> {
  const frames: Frame[] = [];
  const ending = await play(stage, storyOf(stage.image), async (frame) => void frames.push(frame), signal);
  stage.end();
  return { ending, frames };
}

const text = (ending: Ending) => summary(ending, 40_000).map((line) => ansi(line, false));

describe("the demo", () => {
  it("ends as told in every scene, makes blocks all the time and replaces none", async () => {
    const { ending, frames } = await played(new Stage(SEED));
    expect(ending.failures).toEqual([]);
    expect(ending.frame.scenes.map(({ state }) => state)).toEqual(ending.frame.scenes.map(() => "ended"));
    expect(ending).toMatchObject({ replaced: 0, isStopped: false });
    expect(ending.leaderChanges).toBeGreaterThanOrEqual(2);
    const firstBlock = frames.find(({ look }) => look.members.some(({ height }) => height !== undefined));
    expect(firstBlock?.nowMs).toBeLessThan(10_000);
    // Under a minute at the usual speed.
    expect(ending.frame.nowMs).toBeLessThan(4 * 60_000);
    expect(text(ending)).toContain("All 6 scenes of the simulation ended as they have to:");
    // One seed has one course of events, so that the picture can be drawn again.
    const again = await played(new Stage(SEED));
    expect(picture(again.frames, 4)).toBe(picture(frames, 4));
  }, 60_000);

  it("fails when a change does nothing", async () => {
    class Untouched extends Stage {
      override changeImage(): void {}
    }
    const { ending } = await played(new Untouched(SEED));
    expect(ending.failures).toContain("my-chain-2 runs v1.1.5, expected v1.1.6");
    expect(text(ending)).toContain("The simulation did not end as it has to:");
    expect(ending.frame.scenes.map(({ state }) => state).slice(0, 3)).toEqual(["ended", "failed", "toCome"]);
  }, 60_000);

  it("fails when the leader is killed and nobody has to follow it", async () => {
    class Immortal extends Stage {
      override killLeader(): void {}
    }
    const { ending } = await played(new Immortal(SEED));
    expect(ending.failures).toEqual(["it did not end within 60 s", "no other member leads"]);
  }, 60_000);

  it("ends at once when it is stopped", async () => {
    const stop = new AbortController();
    const stage = new Stage(SEED);
    const show = async ({ nowMs }: Frame) => {
      if (nowMs >= 3_000) stop.abort();
    };
    const ending = await play(stage, storyOf(stage.image), show, stop.signal);
    stage.end();
    expect(ending).toMatchObject({ isStopped: true, failures: [] });
    expect(stage.nowMs).toBe(3_000);
    expect(text(ending).at(-1)).toBe("Stopped. This was a simulation: nothing is left of it.");
  });
});

describe("docs/demo.svg", () => {
  const svg = readFileSync(join(import.meta.dirname, "../../../docs/demo.svg"), "utf8");

  it("shows the story as it is now", () => {
    for (const { title, now } of storyOf("example.org/testapp:v1.1.5")) {
      expect(svg).toContain(title);
      expect(svg).toContain(now);
    }
  });

  it("says what it is", () => {
    expect(svg).toContain(">SIMULATION<");
  });
});
