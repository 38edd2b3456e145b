import { writeFileSync } from "node:fs";
import { ansi } from "./simulated/ansi.ts";
import { Pace } from "./simulated/pace.ts";
import { picture } from "./simulated/picture.ts";
import { type Frame, play } from "./simulated/play.ts";
import { newScreen } from "./simulated/screen.ts";
import { Stage } from "./simulated/stage.ts";
import { storyOf } from "./simulated/story.ts";
import { summary } from "./simulated/summary.ts";

export interface SimulationOptions {
  readonly seed: number;
  readonly speed: number;
}

/** As shells tell that a program was ended from the keyboard. */
const STOPPED = 130;

/** Plays the story on this terminal. Answers the exit code. */
export async function simulation({ seed, speed }: SimulationOptions): Promise<number> {
  const { stdout } = process;
  const isColoured = stdout.isTTY && process.env["NO_COLOR"] === undefined;
  const screen = newScreen({ output: stdout, isColoured, speed });
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, onSignal);
  const startedMs = performance.now();
  const stage = new Stage(seed);
  const pace = new Pace(speed);
  const ending = await play(
    stage,
    storyOf(stage.image),
    async (frame) => {
      screen.show(frame);
      await pace.until(frame.nowMs, stop.signal);
    },
    stop.signal,
  );
  stage.end();
  screen.end(ending.frame);
  for (const line of summary(ending, performance.now() - startedMs))
    stdout.write(`${ansi(line, isColoured)}\n`);
  if (ending.isStopped) return STOPPED;
  return ending.failures.length === 0 ? 0 : 1;
}

/** Plays the story as fast as it goes, and draws its picture into a file. Answers the exit code. */
export async function drawPicture({ seed, speed }: SimulationOptions, file: string): Promise<number> {
  const stage = new Stage(seed);
  const frames: Frame[] = [];
  const keep = async (frame: Frame) => void frames.push(frame);
  const ending = await play(stage, storyOf(stage.image), keep, new AbortController().signal);
  stage.end();
  for (const failure of ending.failures) console.error(failure);
  if (ending.failures.length > 0) return 1;
  writeFileSync(file, picture(frames, speed));
  console.log(`wrote ${file}`);
  return 0;
}
