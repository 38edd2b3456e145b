import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { end, exitOf } from "./child-processes.ts";

/** Keeps the machine busy: processes that only count, and a compiler that also keeps the disk busy. */
export interface Load {
  readonly description: string;
  stop(): Promise<void>;
}

/** Ends by itself when the process that started it is gone, however that ended. */
const busyLoop = `
const parent = process.ppid;
while (process.ppid === parent) for (let i = 0; i < 5e6; i += 1);
`;
/** A package of the standard library that brings some forty others with it. */
const compiled = "encoding/json";

export async function startLoad(busyLoops: number): Promise<Load> {
  const loops = Array.from({ length: busyLoops }, () =>
    spawn(process.execPath, ["-e", busyLoop], { stdio: "ignore" }),
  );
  const compiler = await startCompiler();
  return {
    description: `${busyLoops} busy loops and a Go compiler`,
    async stop() {
      await Promise.all([compiler.stop(), ...loops.map(end)]);
    },
  };
}

interface Compiler {
  stop(): Promise<void>;
}

/** Compiles the same packages again and again into a cache of its own. */
async function startCompiler(): Promise<Compiler> {
  const folder = await mkdtemp(join(tmpdir(), "measure-load-"));
  const stopping = new AbortController();
  const compiling = compileUntil(folder, stopping.signal);
  // Awaited in stop; until then a failure must not end the process as an unhandled one.
  compiling.catch(() => {});
  return {
    async stop() {
      stopping.abort();
      try {
        await compiling;
      } finally {
        await rm(folder, { recursive: true, force: true, maxRetries: 3 });
      }
    },
  };
}

async function compileUntil(folder: string, signal: AbortSignal): Promise<void> {
  const env = { ...process.env, GOCACHE: join(folder, "cache"), GOFLAGS: "" };
  while (!signal.aborted) {
    // A group of its own, so that the compilers that go starts end with it.
    const child = spawn("go", ["build", "-a", compiled], {
      cwd: folder,
      env,
      stdio: "ignore",
      detached: true,
    });
    const kill = () => killGroup(child);
    signal.addEventListener("abort", kill, { once: true });
    const code = await exitOf(child);
    signal.removeEventListener("abort", kill);
    if (!signal.aborted && code !== 0) throw new Error(`go build -a ${compiled} ended with ${code}`);
  }
}

function killGroup({ pid, exitCode }: ChildProcess): void {
  if (pid === undefined || exitCode !== null) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
