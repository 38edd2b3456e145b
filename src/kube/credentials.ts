import { readFile } from "node:fs/promises";
import type { Agent } from "node:http";
import type { Clock } from "../runtime/clock.ts";
import type { KubeconfigReader } from "./kubeconfig.ts";

/** Where the API server is and how to prove to it who we are. */
export interface Credentials {
  /** `https://host:port`, possibly with a path. */
  readonly server: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: TlsFiles;
  /** Where this program runs, or the namespace of the kubeconfig's context. */
  readonly namespace: string | undefined;
  /** Set when the server is reached through a proxy; then it makes the connections. */
  readonly proxy?: Agent | undefined;
}

export interface TlsFiles {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly servername?: string | undefined;
  readonly rejectUnauthorized?: boolean | undefined;
}

/** Credentials that may change while the program runs. */
export interface CredentialSource {
  current(): Promise<Credentials>;
  /** The server answered 401 to what `current` gave: read everything afresh next time. */
  refused(): void;
}

export interface CredentialOptions {
  readonly clock: Clock;
  /** `process.env`, or a part of it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Path of a kubeconfig; wins over the environment. */
  readonly kubeconfig?: string | undefined;
  /** Name of a context other than the current one. */
  readonly context?: string | undefined;
}

/** Kubelet renews a token when a fifth of its life is left; client-go, too, reads the file once a minute. */
const FRESH_MS = 60_000;

const SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";

/** An explicit kubeconfig, `KUBECONFIG`, the service account of the pod, `~/.kube/config`: the first that there is. */
export function findCredentials(options: CredentialOptions): CredentialSource {
  const { clock, env, context } = options;
  const listed = options.kubeconfig ?? env["KUBECONFIG"] ?? "";
  if (listed !== "") return kubeconfigCredentials(clock, listed.split(":").filter(Boolean), context);
  const [host, port] = [env["KUBERNETES_SERVICE_HOST"], env["KUBERNETES_SERVICE_PORT"]];
  if (host !== undefined && port !== undefined && context === undefined) {
    return serviceAccountCredentials(clock, host, port);
  }
  return kubeconfigCredentials(clock, [`${env["HOME"] ?? ""}/.kube/config`], context);
}

/** The service account that is mounted into every pod. */
export function serviceAccountCredentials(
  clock: Clock,
  host: string,
  port: string,
  folder: string = SERVICE_ACCOUNT,
): CredentialSource {
  const server = `https://${host.includes(":") ? `[${host}]` : host}:${port}`;
  return remembered(clock, async () => {
    const files = ["token", "ca.crt", "namespace"].map((name) => readFile(`${folder}/${name}`, "utf8"));
    const [token = "", ca = "", namespace = ""] = await Promise.all(files);
    return {
      server,
      headers: { authorization: `Bearer ${token.trim()}` },
      tls: { ca },
      namespace: namespace.trim(),
    };
  });
}

/** Kubeconfig files with everything that may be in them: client certificates, exec plugins, OIDC, proxies. */
export function kubeconfigCredentials(
  clock: Clock,
  files: readonly string[],
  context?: string,
): CredentialSource {
  let reader: KubeconfigReader | undefined;
  return remembered(clock, async (isRefused) => {
    // Loaded only here, because it costs 30 MB of memory that a pod with a service account can save.
    const { openKubeconfig } = await import("./kubeconfig.ts");
    // The reader keeps the token of an exec plugin until it expires; a refused one must not be used again.
    if (reader === undefined || isRefused) reader = openKubeconfig(files, context);
    return reader();
  });
}

/** Reads again after a while; keeps what it has when that fails, as a file may be missing while it is replaced. */
function remembered(clock: Clock, read: (isRefused: boolean) => Promise<Credentials>): CredentialSource {
  let known: { readonly credentials: Credentials; readonly readMs: number } | undefined;
  let reading: Promise<Credentials> | undefined;
  let isRefused = false;

  async function refresh(): Promise<Credentials> {
    const credentials = await read(isRefused);
    isRefused = false;
    known = { credentials, readMs: clock.monotonicMs() };
    return credentials;
  }

  return {
    async current() {
      const isFresh = known !== undefined && clock.monotonicMs() - known.readMs < FRESH_MS;
      if (known !== undefined && isFresh && !isRefused) return known.credentials;
      reading ??= refresh().finally(() => {
        reading = undefined;
      });
      const old = known;
      return old === undefined ? reading : reading.catch(() => old.credentials);
    },
    refused() {
      isRefused = true;
    },
  };
}
