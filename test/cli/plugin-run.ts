import { type Host, runPlugin } from "../../src/cli/plugin.ts";
import type { KubeApi } from "../../src/kube/api.ts";
import type { Clock } from "../../src/runtime/clock.ts";
import { seededRandom } from "../runtime/seeded-random.ts";
import { VirtualClock } from "../runtime/virtual-clock.ts";
import { RecordedTerminal } from "./recorded-terminal.ts";

export interface RunOptions {
  readonly api: KubeApi;
  readonly clock?: Clock;
  readonly terminal?: RecordedTerminal;
  /** Files of the person, by path; what the plugin writes is found here. */
  readonly files?: Map<string, string>;
  readonly signal?: AbortSignal;
}

export interface Ended {
  readonly code: number;
  readonly terminal: RecordedTerminal;
  /** The result, as it was printed. */
  readonly text: string;
  /** What was told beside it. */
  readonly told: string;
}

/** Runs the plugin as `kubectl evnode ARGS` in namespace `rollup`. */
export async function run(args: readonly string[], options: RunOptions): Promise<Ended> {
  const { terminal = new RecordedTerminal() } = options;
  const code = await runPlugin(args, hostOf(options, terminal));
  return { code, terminal, text: terminal.printed.join("\n"), told: terminal.told.join("\n") };
}

function hostOf(options: RunOptions, terminal: RecordedTerminal): Host {
  const { api, clock = new VirtualClock(), files = new Map<string, string>() } = options;
  return {
    version: "1.2.3",
    terminal,
    clock,
    random: seededRandom(1),
    files: {
      read(path) {
        const text = files.get(path);
        return text === undefined
          ? Promise.reject(new Error(`${path} does not exist`))
          : Promise.resolve(text);
      },
      create(path, text) {
        if (files.has(path)) return Promise.reject(new Error(`${path} exists`));
        files.set(path, text);
        return Promise.resolve();
      },
    },
    signal: options.signal ?? new AbortController().signal,
    connect: (flags) =>
      Promise.resolve({
        api,
        namespace: typeof flags["namespace"] === "string" ? flags["namespace"] : "rollup",
        serverVersion: () => Promise.resolve("v1.35.2"),
      }),
  };
}
