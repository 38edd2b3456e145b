import type { ReadStream, WriteStream } from "node:tty";
import type { Clock } from "../runtime/clock.ts";
import { exitCodes } from "./exit-code.ts";
import { Failure } from "./failure.ts";
import { coloured, fitted, plain } from "./paint.ts";
import type { Terminal } from "./terminal.ts";

export interface Streams {
  readonly stdin: ReadStream;
  readonly stdout: WriteStream;
  readonly stderr: WriteStream;
}

/** Nobody answers after so long. */
const ASK_WITHIN_MS = 5 * 60_000;

/** The terminal of the process. Colours only where a person looks, and has not set NO_COLOR. */
export function hostTerminal(
  { stdin, stdout, stderr }: Streams,
  env: Readonly<Record<string, string | undefined>>,
  clock: Clock,
  signal: AbortSignal,
): Terminal {
  const isScreen = stdout.isTTY && env["TERM"] !== "dumb";
  let isDrawnOn = false;
  return {
    paint: isScreen && !env["NO_COLOR"] ? coloured : plain,
    get width() {
      return isScreen ? stdout.columns : undefined;
    },
    print: (text) => void stdout.write(`${text}\n`),
    tell: (text) => void stderr.write(`${text}\n`),
    redraw(text) {
      // What stood on the screen before stays to be scrolled back to.
      if (!isDrawnOn) stdout.write("\n".repeat(stdout.rows));
      isDrawnOn = true;
      stdout.write(drawn(text, stdout.columns, stdout.rows));
    },
    async ask(question, { isHidden }) {
      if (!stdin.isTTY || !stderr.isTTY) return undefined;
      stderr.write(question);
      try {
        return await typedLine(stdin, stderr, { isHidden, clock, signal });
      } finally {
        stderr.write("\n");
      }
    },
  };
}

/** From the top, each line cleared behind its end, and what is below the last one. */
function drawn(text: string, columns: number, rows: number): string {
  const lines = text.split("\n").map((line) => fitted(line, columns));
  const shown = lines.length < rows ? lines : [...lines.slice(0, rows - 2), "…"];
  return `\u001B[H${shown.map((line) => `${line}\u001B[K\n`).join("")}\u001B[J`;
}

const CTRL_C = "\u0003";
const CTRL_D = "\u0004";
const erasers = ["\u007F", "\b"];

interface Typing {
  readonly isHidden: boolean;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Key by key, so that a passphrase never stands on the screen. */
function typedLine(
  stdin: ReadStream,
  echo: WriteStream,
  { isHidden, clock, signal }: Typing,
): Promise<string> {
  return new Promise((resolve, reject) => {
    let typed: readonly string[] = [];
    const stop = (settle: () => void) => {
      cancel();
      signal.removeEventListener("abort", onAbort);
      stdin.off("data", onData);
      stdin.setRawMode(false);
      stdin.pause();
      settle();
    };
    const fail = (failure: Failure) => stop(() => reject(failure));
    const onAbort = () => fail(new Failure(exitCodes.interrupted, "interrupted"));
    const cancel = clock.after(ASK_WITHIN_MS, () =>
      fail(new Failure(exitCodes.error, "nobody answered in time")),
    );
    const onData = (text: string) => {
      for (const key of text) {
        if (key === "\r" || key === "\n") return stop(() => resolve(typed.join("")));
        if (key === CTRL_C || key === CTRL_D) return onAbort();
        typed = erasers.includes(key) ? typed.slice(0, -1) : [...typed, key];
        if (!isHidden) echo.write(erasers.includes(key) ? "\b \b" : key);
      }
    };
    signal.addEventListener("abort", onAbort, { once: true });
    stdin.setRawMode(true);
    stdin.setEncoding("utf8");
    stdin.on("data", onData);
    stdin.resume();
  });
}
