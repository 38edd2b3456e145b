import { parseArgs } from "node:util";
import * as z from "zod";

/** The operator's settings, from flags and, where a flag is absent, from the environment. */
export interface Config {
  /** Namespace of the operator itself: its Lease and the chain locks live there. */
  readonly namespace: string;
  /** Name of this process among the operator's replicas. */
  readonly identity: string;
  /** The one namespace to watch, or undefined for all. */
  readonly watchNamespace: string | undefined;
  readonly agentImage: string;
  readonly clusterDomain: string;
  readonly workers: number;
  readonly healthPort: number;
  readonly logLevel: "debug" | "info" | "warn" | "error";
}

const dnsName = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

const schema = z.object({
  namespace: z.string().regex(dnsName, "expected the operator's own namespace"),
  identity: z.string().min(1).max(253),
  watchNamespace: z.string().regex(dnsName, "expected a namespace, or nothing for all").optional(),
  agentImage: z.string().min(1, "expected the image of this operator, which the agents run too").max(512),
  clusterDomain: z.string().regex(dnsName, "expected a DNS domain").default("cluster.local"),
  workers: z.coerce.number().int().min(1).max(64).default(4),
  healthPort: z.coerce.number().int().min(1).max(65_535).default(8081),
  logLevel: z.enum(["debug", "info", "warn", "error"]).default("info"),
});

const sources = {
  namespace: { flag: "namespace", variable: "POD_NAMESPACE" },
  identity: { flag: "identity", variable: "POD_NAME" },
  watchNamespace: { flag: "watch-namespace", variable: "WATCH_NAMESPACE" },
  agentImage: { flag: "agent-image", variable: "AGENT_IMAGE" },
  clusterDomain: { flag: "cluster-domain", variable: "CLUSTER_DOMAIN" },
  workers: { flag: "workers", variable: "WORKERS" },
  healthPort: { flag: "health-port", variable: "HEALTH_PORT" },
  logLevel: { flag: "log-level", variable: "LOG_LEVEL" },
} as const;

type Field = keyof typeof sources;

export type ConfigResult =
  | { readonly kind: "ok"; readonly config: Config }
  | { readonly kind: "problems"; readonly problems: readonly string[] };

/** Reads all settings and reports every problem at once, by flag and variable. */
export function readConfig(args: readonly string[], environment: NodeJS.ProcessEnv): ConfigResult {
  const options = Object.fromEntries(
    Object.values(sources).map(({ flag }) => [flag, { type: "string" } as const]),
  );
  let flags: Record<string, unknown>;
  try {
    flags = parseArgs({ args: [...args], options, strict: true }).values;
  } catch (error) {
    return { kind: "problems", problems: [error instanceof Error ? error.message : String(error)] };
  }
  const given = Object.fromEntries(
    Object.entries(sources).map(([field, { flag, variable }]) => [
      field,
      orUndefined(flags[flag] ?? environment[variable]),
    ]),
  );
  const result = schema.safeParse(given);
  if (result.success)
    return { kind: "ok", config: { ...result.data, watchNamespace: result.data.watchNamespace } };
  return {
    kind: "problems",
    problems: result.error.issues.map(({ path, message }) => problem(path[0] as Field, message)),
  };
}

/** An empty variable, as charts like to render it, is an absent one. */
const orUndefined = (value: unknown) => (value === "" ? undefined : value);

function problem(field: Field, message: string): string {
  const { flag, variable } = sources[field];
  return `--${flag} (environment variable ${variable}): ${message}`;
}
