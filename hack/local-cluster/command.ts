import { execFile } from "node:child_process";

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly timeoutMs?: number;
}

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const DEFAULT_TIMEOUT_MS = 60_000;
const MAX_OUTPUT_BYTES = 64 << 20;
const QUOTED_LINES = 15;

/** System tools live in sbin, and Go often in its own folder, which are not in every PATH. */
export function toolEnvironment(): Record<string, string> {
  const inherited = Object.entries(process.env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return {
    ...Object.fromEntries(inherited),
    PATH: `${process.env["PATH"] ?? ""}:/usr/local/sbin:/usr/sbin:/sbin:/usr/local/go/bin`,
  };
}

/** Runs a program to its end and answers its exit code, whatever it is; a timeout or a missing program is an error. */
export async function tryCommand(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const { cwd, env, input, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  return new Promise((resolve, reject) => {
    const child = execFile(
      program,
      [...args],
      {
        ...(cwd !== undefined && { cwd }),
        env: { ...toolEnvironment(), ...env },
        timeout: timeoutMs,
        killSignal: "SIGKILL",
        maxBuffer: MAX_OUTPUT_BYTES,
      },
      (error, stdout, stderr) => {
        if (!error) return resolve({ code: 0, stdout, stderr });
        if (typeof error.code === "number" && !error.killed)
          return resolve({ code: error.code, stdout, stderr });
        const cause = error.killed ? `it did not end within ${timeoutMs} ms` : error.message;
        reject(new Error(`${program} ${args.join(" ")} failed: ${cause}`, { cause: error }));
      },
    );
    // A program that ends before it has read its input is judged by its exit code.
    child.stdin?.on("error", () => {});
    child.stdin?.end(input ?? "");
  });
}

/** Runs a program and answers its stdout; an exit code other than 0 is an error that quotes the last lines of stderr. */
export async function command(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const result = await tryCommand(program, args, options);
  if (result.code === 0) return result.stdout;
  const said = (result.stderr || result.stdout).trimEnd().split("\n").slice(-QUOTED_LINES).join("\n");
  throw new Error(`${program} ${args.join(" ")} ended with exit code ${result.code}:\n${said}`);
}
