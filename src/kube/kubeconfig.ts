import { existsSync } from "node:fs";
import type { Agent, RequestOptions } from "node:https";
import { KubeConfig } from "@kubernetes/client-node/dist/config.js";
import type { Credentials, TlsFiles } from "./credentials.ts";

/** Asks for credentials that are valid now. Certificate files are read again each time. */
export type KubeconfigReader = () => Promise<Credentials>;

/**
 * Reads kubeconfig files, the first one winning, and finds the user's authentication plugin. This is all that
 * client-node is used for.
 */
export function openKubeconfig(files: readonly string[], context?: string): KubeconfigReader {
  const config = loadFiles(files);
  if (context !== undefined) config.setCurrentContext(context);
  const cluster = config.getCurrentCluster();
  if (cluster === null) {
    const known = config.getContexts().map(({ name }) => name);
    const expected =
      known.length === 0 ? "and there is no other context" : `expected one of ${known.join(", ")}`;
    throw new Error(
      `no cluster for context "${config.getCurrentContext()}" in ${files.join(", ")}, ${expected}`,
    );
  }
  const server = cluster.server.replace(/\/+$/, "");
  const namespace = config.getContextObject(config.getCurrentContext())?.namespace;
  return async () => {
    const options: RequestOptions = {};
    await config.applyToHTTPSOptions(options);
    const proxy = cluster.proxyUrl === undefined ? {} : { proxy: options.agent as Agent };
    return { server, headers: headersOf(options), tls: tlsOf(options), namespace, ...proxy };
  };
}

/** Of several files those that are missing are left out, as kubectl does. */
function loadFiles(files: readonly string[]): KubeConfig {
  const config = new KubeConfig();
  const present = files.filter((file) => existsSync(file));
  for (const [index, file] of (present.length === 0 ? files : present).entries()) {
    if (index === 0) {
      config.loadFromFile(file);
      continue;
    }
    const further = new KubeConfig();
    further.loadFromFile(file);
    config.mergeConfig(further, true);
  }
  return config;
}

function headersOf(options: RequestOptions): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    if (value !== undefined) headers[name.toLowerCase()] = String(value);
  }
  if (typeof options.auth === "string") {
    headers["authorization"] = `Basic ${Buffer.from(options.auth).toString("base64")}`;
  }
  return headers;
}

function tlsOf(options: RequestOptions): TlsFiles {
  return {
    ca: pem(options.ca),
    cert: pem(options.cert),
    key: pem(options.key),
    servername: options.servername,
    rejectUnauthorized: options.rejectUnauthorized,
  };
}

function pem(value: RequestOptions["key"]): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string" || Buffer.isBuffer(value)) return value.toString();
  throw new Error("certificates and keys are expected as PEM text");
}
