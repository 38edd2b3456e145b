/** The kubectl plugin: `kubectl evnode`, a client of its own beside the operator. */
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { type OpenConnection, openConnection } from "./cli/connect.ts";
import { hostTerminal } from "./cli/host-terminal.ts";
import { runPlugin } from "./cli/plugin.ts";
import { systemClock as clock } from "./runtime/clock.ts";
import { systemRandom as random } from "./runtime/random.ts";
import { VERSION as version } from "./version.ts";

const { env } = process;
const stopping = new AbortController();
for (const name of ["SIGTERM", "SIGINT"] as const) {
  // The second one ends it at once.
  process.once(name, () => stopping.abort(new Error(`stopped by ${name}`)));
}
// Whoever reads our output may have seen enough, such as `head`.
process.stdout.on("error", () => process.exit(0));

const opened: OpenConnection[] = [];
process.exitCode = await runPlugin(process.argv.slice(2), {
  version,
  terminal: hostTerminal(process, env, clock, stopping.signal),
  clock,
  random,
  files: {
    read: (path) => readFile(path, "utf8"),
    create: (path, text) => writeFile(path, text, { flag: "wx", mode: 0o600 }),
  },
  signal: stopping.signal,
  async connect(flags) {
    const connection = await openConnection(flags, { env, clock, version, isThere: existsSync });
    opened.push(connection);
    return connection;
  },
});
for (const connection of opened) connection.close();
