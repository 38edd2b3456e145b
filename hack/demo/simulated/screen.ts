import { ansi } from "./ansi.ts";
import { drawing } from "./drawing.ts";
import { newsIn } from "./news.ts";
import type { Frame } from "./play.ts";

/** Shows one moment after the other. */
export interface Screen {
  show(frame: Frame): void;
  /** Gives the terminal back as it was, with the last moment on it. */
  end(frame: Frame): void;
}

export interface ScreenOptions {
  readonly output: Pick<NodeJS.WriteStream, "write" | "isTTY" | "columns" | "rows">;
  readonly isColoured: boolean;
  readonly speed: number;
}

export function newScreen(options: ScreenOptions): Screen {
  return options.output.isTTY ? terminal(options) : log(options);
}

const USUAL = { columns: 80, rows: 24 };
/** Another screen without a cursor, and back. What was on the terminal stays as it was. */
const ENTER = "\x1b[?1049h\x1b[?25l";
const LEAVE = "\x1b[?25h\x1b[?1049l";
/** Terminals that know it show all that is between the two at once. */
const [BEGIN, FINISH] = ["\x1b[?2026h", "\x1b[?2026l"];
const HOME = "\x1b[H";
const END_OF_LINE = "\x1b[K";
const END_OF_SCREEN = "\x1b[J";

/** Draws over the same place, in one write, and only what changed: so nothing flickers. */
function terminal({ output, isColoured, speed }: ScreenOptions): Screen {
  const lines = (frame: Frame) => {
    return drawing(frame, speed, sizeOf(output)).map((line) => ansi(line, isColoured));
  };
  let last = "";
  return {
    show(frame) {
      const text = lines(frame)
        .map((line) => `${line}${END_OF_LINE}`)
        .join("\n");
      if (text === last) return;
      output.write(`${last === "" ? ENTER : ""}${BEGIN}${HOME}${text}${END_OF_SCREEN}${FINISH}`);
      last = text;
    },
    end(frame) {
      output.write(`${last === "" ? "" : LEAVE}${lines(frame).join("\n")}\n`);
    },
  };
}

/** Some terminals tell no size, or 0. */
const sizeOf = ({ columns, rows }: ScreenOptions["output"]) => ({
  columns: columns > 0 ? columns : USUAL.columns,
  rows: rows > 0 ? rows : USUAL.rows,
});

/** One line for each change, where nothing can be drawn over. */
function log({ output }: ScreenOptions): Screen {
  let before: Frame | undefined;
  return {
    show(frame) {
      for (const line of newsIn(before, frame)) output.write(`${line}\n`);
      before = frame;
    },
    end() {},
  };
}
