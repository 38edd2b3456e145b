/** The one program: `run` is the operator, `agent` is the sidecar of a member. */
const [command = "", ...args] = process.argv.slice(2);

const stopping = new AbortController();
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.once(signal, () => stopping.abort(new Error(`stopped by ${signal}`)));
}

try {
  process.exitCode = await start();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

/** Each command loads only what it needs: the agent runs beside every member and has to stay small. */
async function start(): Promise<number> {
  switch (command) {
    case "run": {
      const { runOperator } = await import("./operator.ts");
      return runOperator(args, process.env, stopping.signal);
    }
    case "agent": {
      const { runAgent } = await import("./agent/main.ts");
      await runAgent(process.env, stopping.signal);
      return 0;
    }
    case "version": {
      const { VERSION } = await import("./version.ts");
      console.log(VERSION);
      return 0;
    }
    default:
      console.error(`Unknown command "${command}". Expected one of: run, agent, version.`);
      return 2;
  }
}
