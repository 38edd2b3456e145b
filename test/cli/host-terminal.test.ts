import { PassThrough } from "node:stream";
import type { ReadStream, WriteStream } from "node:tty";
import { describe, expect, it } from "vitest";
import { hostTerminal } from "../../src/cli/host-terminal.ts";
import { VirtualClock } from "../runtime/virtual-clock.ts";

/** Streams that are, or are not, those of a screen. */
function terminalOn(isTTY: boolean, env: Readonly<Record<string, string>> = {}) {
  const raw: boolean[] = [];
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  Object.assign(stdin, { isTTY, setRawMode: (isRaw: boolean) => raw.push(isRaw) });
  for (const stream of [stdout, stderr]) Object.assign(stream, { isTTY, columns: 20, rows: 4 });
  const clock = new VirtualClock();
  const stopping = new AbortController();
  const streams = { stdin, stdout, stderr } as unknown as {
    stdin: ReadStream;
    stdout: WriteStream;
    stderr: WriteStream;
  };
  const terminal = hostTerminal(streams, env, clock, stopping.signal);
  const said = (stream: PassThrough) => String(stream.read() ?? "");
  return { terminal, stdin, raw, clock, stopping, out: () => said(stdout), err: () => said(stderr) };
}

describe("the terminal", () => {
  it.each([
    { name: "a screen", isTTY: true, env: {}, isColoured: true, width: 20 },
    { name: "a screen without colours", isTTY: true, env: { NO_COLOR: "1" }, isColoured: false, width: 20 },
    { name: "a dumb terminal", isTTY: true, env: { TERM: "dumb" }, isColoured: false, width: undefined },
    { name: "a file", isTTY: false, env: {}, isColoured: false, width: undefined },
  ])("knows $name", ({ isTTY, env, isColoured, width }) => {
    const { terminal } = terminalOn(isTTY, env);
    expect({ isColoured: terminal.paint.bad("no") !== "no", width: terminal.width }).toEqual({
      isColoured,
      width,
    });
  });

  it("shows nothing of a passphrase, and takes corrections", async () => {
    const { terminal, stdin, err, raw } = terminalOn(true);
    const answer = terminal.ask("Passphrase: ", { isHidden: true });
    stdin.write("secrex\u007Ft");
    stdin.write("\r");
    expect(await answer).toBe("secret");
    expect(err()).toBe("Passphrase: \n");
    expect(raw).toEqual([true, false]);
  });

  it("shows what is typed where it is no secret", async () => {
    const { terminal, stdin, err } = terminalOn(true);
    const answer = terminal.ask("Sure? ", { isHidden: false });
    stdin.write("yx\b\r");
    expect(await answer).toBe("y");
    expect(err()).toBe("Sure? yx\b \b\n");
  });

  it("asks nobody where nobody is", async () => {
    const { terminal, err } = terminalOn(false);
    expect(await terminal.ask("Sure? ", { isHidden: false })).toBeUndefined();
    expect(err()).toBe("");
  });

  it.each([
    ["Ctrl-C", { key: "\u0003" }, /interrupted/],
    ["a signal", { isStopped: true }, /interrupted/],
    ["five minutes without an answer", { passMs: 300_000 }, /nobody answered in time/],
  ])(
    "gives up on %s, and leaves the keyboard as it was",
    async (_, { key, isStopped, passMs }: Ending, says) => {
      const { terminal, stdin, raw, clock, stopping } = terminalOn(true);
      const ended = Promise.allSettled([terminal.ask("Passphrase: ", { isHidden: true })]);
      if (key !== undefined) stdin.write(key);
      if (isStopped) stopping.abort();
      if (passMs !== undefined) await clock.advance(passMs);
      const [answer] = await ended;
      expect(answer).toMatchObject({ status: "rejected", reason: { message: expect.stringMatching(says) } });
      expect(raw).toEqual([true, false]);
      expect(clock.pendingTimers).toBe(0);
    },
  );

  it("draws no more than fits on the screen", () => {
    const { terminal, out } = terminalOn(true);
    terminal.redraw("one line that is longer than the screen\ntwo\nthree\nfour");
    terminal.redraw("short");
    expect(out()).toBe(
      "\n\n\n\n\u001B[Hone line that is lo…\u001B[K\ntwo\u001B[K\n…\u001B[K\n\u001B[J\u001B[Hshort\u001B[K\n\u001B[J",
    );
  });
});

interface Ending {
  readonly key?: string;
  readonly isStopped?: boolean;
  readonly passMs?: number;
}
