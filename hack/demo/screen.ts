import type { Scene } from "./scene.ts";
import { digest, picture, topHeight } from "./view.ts";

/** Shows scenes as they come: drawn over on a terminal, as lines where something changed elsewhere. */
export interface Screen {
  show(scene: Scene): void;
}

const HEIGHT_LINE_EVERY_MS = 5_000;

export function newScreen(output: NodeJS.WriteStream): Screen {
  return output.isTTY ? terminal(output) : lines(output);
}

function terminal(output: NodeJS.WriteStream): Screen {
  const started = performance.now();
  let drawn = 0;
  return {
    show(scene) {
      const seconds = Math.round((performance.now() - started) / 1000);
      const picked = picture(scene, seconds, output.columns);
      if (drawn > 0) output.moveCursor(0, -drawn);
      output.cursorTo(0);
      output.clearScreenDown();
      output.write(`${picked.join("\n")}\n`);
      drawn = picked.length;
    },
  };
}

function lines(output: NodeJS.WriteStream): Screen {
  const started = performance.now();
  let last = "";
  let nextHeightAt = 0;
  return {
    show(scene) {
      const now = performance.now();
      const stamp = `${((now - started) / 1000).toFixed(1).padStart(6)} s`;
      const line = digest(scene);
      if (line !== last) output.write(`${stamp}  ${line}\n`);
      last = line;
      const height = topHeight(scene);
      if (height === undefined || now < nextHeightAt) return;
      nextHeightAt = now + HEIGHT_LINE_EVERY_MS;
      output.write(`${stamp}  height ${height}\n`);
    },
  };
}
