import type { z } from "zod";
import { command } from "../local-cluster/command.ts";

/** kubectl against one cluster. */
export interface Kubectl {
  /** Its path, or its name where it is found in the PATH. */
  readonly program: string;
  run(
    args: readonly string[],
    options?: { readonly input?: string; readonly timeoutMs?: number },
  ): Promise<string>;
  json<T>(schema: z.ZodType<T>, args: readonly string[]): Promise<T>;
}

export function newKubectl(program: string, kubeconfig: string): Kubectl {
  const run: Kubectl["run"] = (args, options = {}) =>
    command(program, ["--kubeconfig", kubeconfig, ...args], options);
  return {
    program,
    run,
    json: async (schema, args) => schema.parse(JSON.parse(await run([...args, "--output", "json"]))),
  };
}
