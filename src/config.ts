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
  /** Where metrics are told; 0 for nowhere. */
  readonly metricsPort: number;
  /**
   * Who may read them. `kubernetes`: over https, who has a token of the Kubernetes cluster and the right to get `/metrics`.
   * `loopback`: who is in the pod. `anyone`: whoever reaches the port.
   */
  readonly metricsAccess: "kubernetes" | "loopback" | "anyone";
  /** A folder with `tls.crt` and `tls.key`, for `kubernetes`; undefined for a certificate made at the start. */
  readonly metricsCertFolder: string | undefined;
  readonly logLevel: "debug" | "info" | "warn" | "error";
}

const dnsName = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

const port = z.coerce.number().int().max(65_535);

const schema = z.object({
  namespace: z.string().regex(dnsName, "expected the operator's own namespace"),
  identity: z.string().min(1).max(253),
  watchNamespace: z.string().regex(dnsName, "expected a namespace, or nothing for all").optional(),
  agentImage: z.string().min(1, "expected the image of this operator, which the agents run too").max(512),
  clusterDomain: z.string().regex(dnsName, "expected a DNS domain").default("cluster.local"),
  workers: z.coerce.number().int().min(1).max(64).default(4),
  healthPort: port.min(1).default(8081),
  metricsPort: port.min(0).default(0),
  metricsAccess: z.enum(["kubernetes", "loopback", "anyone"]).default("kubernetes"),
  metricsCertFolder: z.string().regex(/^\//, "expected the absolute path of a folder, or nothing").optional(),
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
  metricsPort: { flag: "metrics-port", variable: "METRICS_PORT" },
  metricsAccess: { flag: "metrics-access", variable: "METRICS_ACCESS" },
  metricsCertFolder: { flag: "metrics-cert-folder", variable: "METRICS_CERT_FOLDER" },
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
  if (!result.success)
    return {
      kind: "problems",
      problems: result.error.issues.map(({ path, message }) => problem(path[0] as Field, message)),
    };
  const { watchNamespace, metricsCertFolder, ...rest } = result.data;
  if (rest.metricsPort === rest.healthPort)
    return {
      kind: "problems",
      problems: [problem("metricsPort", `expected another port than the health port, ${rest.healthPort}`)],
    };
  return { kind: "ok", config: { ...rest, watchNamespace, metricsCertFolder } };
}

/** An empty variable, as charts like to render it, is an absent one. */
const orUndefined = (value: unknown) => (value === "" ? undefined : value);

function problem(field: Field, message: string): string {
  const { flag, variable } = sources[field];
  return `--${flag} (environment variable ${variable}): ${message}`;
}
