import { kinds } from "../model/kinds.ts";
import type { Clock } from "../runtime/clock.ts";
import { limited, orAborted } from "../runtime/deadline.ts";
import type { Random } from "../runtime/random.ts";
import { parseCommandLine } from "./arguments.ts";
import { listAll } from "./clusters.ts";
import type { Connection, Files, Input, Session } from "./command.ts";
import { commands } from "./commands.ts";
import { type Candidates, candidatesFor } from "./complete.ts";
import { exitCodes } from "./exit-code.ts";
import { failureText, toFailure } from "./failure.ts";
import { helpOf, overview } from "./help.ts";
import type { Terminal } from "./terminal.ts";

/** What the plugin is run with; tests and the real entry give different ones. */
export interface Host {
  readonly version: string;
  readonly terminal: Terminal;
  readonly clock: Clock;
  readonly random: Random;
  readonly files: Files;
  readonly signal: AbortSignal;
  readonly connect: (flags: Input["flags"]) => Promise<Connection>;
}

/** Whoever presses Tab does not wait for longer. */
const COMPLETE_WITHIN_MS = 2_000;

/** Runs one command to its end and returns the exit code. */
export async function runPlugin(args: readonly string[], host: Host): Promise<number> {
  const { terminal, signal } = host;
  if (args[0] === "__complete") return complete(args.slice(1), host);
  const line = parseCommandLine(args, commands);
  switch (line.kind) {
    case "help":
      terminal.print((line.command === undefined ? overview(commands) : helpOf(line.command)).join("\n"));
      return exitCodes.well;
    case "usage": {
      const path = line.command === undefined ? "" : ` ${line.command.path}`;
      terminal.tell(`error: ${line.problem}\nkubectl evnode${path} --help`);
      return exitCodes.usage;
    }
    case "run":
      try {
        return await line.command.run(sessionOf(host, line.input.flags), line.input);
      } catch (error) {
        if (signal.aborted) return exitCodes.interrupted;
        const failure = toFailure(error);
        terminal.tell(failureText(failure));
        return failure.code;
      }
  }
}

function sessionOf(host: Host, flags: Input["flags"]): Session {
  const { version, terminal, clock, random, files, signal } = host;
  return { version, commands, terminal, clock, random, files, signal, connect: () => host.connect(flags) };
}

/** Answers a shell. Whatever goes wrong there is nothing to complete, and no word about it. */
async function complete(line: readonly string[], host: Host): Promise<number> {
  const found = candidatesFor(line, commands);
  const current = line.at(-1) ?? "";
  const words = found.kind === "words" ? found.words : await namesFor(found, line, host);
  // kubectl reads a directive at the end: 4 means that no files are offered instead.
  const directive = found.kind === "files" ? ":0" : ":4";
  host.terminal.print([...words.filter((word) => word.startsWith(current)), directive].join("\n"));
  return exitCodes.well;
}

async function namesFor(
  found: Exclude<Candidates, { kind: "words" }>,
  line: readonly string[],
  { connect, clock }: Host,
): Promise<readonly string[]> {
  if (found.kind === "files") return [];
  const ask = async () => {
    const connection = await connect(flagsIn(line));
    const all = await listAll(connection, kinds.cluster, { namespace: connection.namespace });
    if (found.kind === "clusters") return all.map(({ metadata }) => metadata.name);
    const cluster = all.find(({ metadata }) => metadata.name === found.cluster);
    return cluster?.status?.members?.map(({ name }) => name) ?? [];
  };
  const limit = limited(clock, COMPLETE_WITHIN_MS, "completion");
  try {
    return await orAborted(ask(), limit.signal);
  } catch {
    return [];
  } finally {
    limit.clear();
  }
}

/** Where to look, as far as it is written already. */
function flagsIn(line: readonly string[]): Input["flags"] {
  const valueOf = (...names: readonly string[]) => {
    const index = line.findIndex((word) => names.includes(word));
    return index === -1 ? undefined : line[index + 1];
  };
  return {
    kubeconfig: valueOf("--kubeconfig"),
    context: valueOf("--context"),
    namespace: valueOf("--namespace", "-n"),
  };
}
