import http from "node:http";
import https from "node:https";
import { createSecureContext } from "node:tls";
import type { Verdict } from "../kube/access-reviews.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Logger } from "./log.ts";
import type { CertificateSource } from "./metrics-certificate.ts";
import type { ServingCertificate } from "./self-signed-certificate.ts";

export interface MetricsServerOptions {
  readonly port: number;
  /** All interfaces when undefined. */
  readonly host: string | undefined;
  readonly page: MetricsPage;
  /** Plain http when undefined. */
  readonly tls: CertificateSource | undefined;
  /** What is asked about the token of a request; undefined when everybody may read. */
  readonly access: ((token: string) => Promise<Verdict>) | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  /** Told the port that was taken, for tests that leave the choice to the system. */
  readonly onListening?: (port: number) => void;
}

export interface MetricsPage {
  readonly contentType: string;
  readonly text: () => Promise<string>;
}

export const METRICS_PATH = "/metrics";

/** Scrapers hold a connection each; more than this many are none. */
const MAX_CONNECTIONS = 64;
const RENEWED_MS = 60_000;

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly contentType?: string;
}

/** Serves the one page. Returns what ends that. */
export async function serveMetrics(options: MetricsServerOptions): Promise<() => void> {
  const { port, host, tls, onListening } = options;
  const page = shared(options.page.text);
  const answer = async (request: http.IncomingMessage, response: http.ServerResponse) => {
    const { status, body, contentType = "text/plain" } = await answerTo(request, options, page);
    const challenge = status === 401 ? { "www-authenticate": "Bearer" } : {};
    response.writeHead(status, { "content-type": contentType, ...challenge }).end(body);
  };
  const listener: http.RequestListener = (request, response) => void answer(request, response);
  const certificate = await tls?.();
  const server =
    certificate === undefined ? http.createServer(listener) : secureServer(certificate, listener);
  server.maxConnections = MAX_CONNECTIONS;
  const stopRenewing =
    tls && certificate ? renewing(server as https.Server, tls, certificate, options) : undefined;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port, host }, resolve);
  });
  const address = server.address();
  if (typeof address === "object" && address !== null) onListening?.(address.port);
  return () => {
    stopRenewing?.();
    server.close();
    server.closeAllConnections();
  };
}

function secureServer({ cert, key }: ServingCertificate, listener: http.RequestListener): https.Server {
  return https.createServer({ cert, key, minVersion: "TLSv1.2" }, listener);
}

/** Takes a renewed certificate up. One that cannot be used is no reason to end what works. */
function renewing(
  server: https.Server,
  tls: CertificateSource,
  first: ServingCertificate,
  { clock, log }: MetricsServerOptions,
): () => void {
  let current = first;
  const look = async () => {
    const next = await tls();
    if (next.cert === current.cert && next.key === current.key) return;
    // Kubelet may change the two files one after the other: a pair that does not fit is refused here.
    createSecureContext(next);
    server.setSecureContext({ ...next, minVersion: "TLSv1.2" });
    current = next;
  };
  let cancel = () => {};
  const schedule = () => {
    cancel = clock.after(RENEWED_MS, () => {
      look()
        .catch((error: unknown) =>
          log.warn({ reason: String(error) }, "the certificate for metrics was not renewed"),
        )
        .finally(schedule);
    });
  };
  schedule();
  return () => cancel();
}

async function answerTo(
  request: http.IncomingMessage,
  { access, page: { contentType }, log }: MetricsServerOptions,
  text: () => Promise<string>,
): Promise<Answer> {
  try {
    if (request.url?.split("?", 1)[0] !== METRICS_PATH) return told(404, `no such page: try ${METRICS_PATH}`);
    if (request.method !== "GET") return told(405, "expected GET");
    const refusal = access && (await refusalOf(request, access));
    return refusal ?? { status: 200, body: await text(), contentType };
  } catch (error) {
    log.warn({ reason: error instanceof Error ? error.message : String(error) }, "metrics were not told");
    return told(503, "the operator's log says why");
  }
}

async function refusalOf(
  { headers }: http.IncomingMessage,
  access: (token: string) => Promise<Verdict>,
): Promise<Answer | undefined> {
  const [, token] = /^Bearer +(\S+)$/i.exec(headers.authorization ?? "") ?? [];
  if (token === undefined)
    return told(401, "expected the token of a service account in the header Authorization");
  const verdict = await access(token);
  switch (verdict) {
    case "allowed":
      return undefined;
    case "unknown":
      return told(401, "the token is none of this Kubernetes cluster, or it has expired");
    case "forbidden":
      return told(
        403,
        `the token's owner may not get ${METRICS_PATH}: bind the ClusterRole for readers of metrics`,
      );
    case "busy":
      return told(429, "too many new tokens: try again in a few seconds");
  }
}

const told = (status: number, text: string): Answer => ({ status, body: `${text}\n` });

/** Whoever asks while the page is written gets the same one, so that many scrapers cost as much as one. */
function shared(write: () => Promise<string>): () => Promise<string> {
  let underWay: Promise<string> | undefined;
  return () => {
    underWay ??= write().finally(() => {
      underWay = undefined;
    });
    return underWay;
  };
}
