import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { closedPort } from "../../test/agent/servers.ts";
import { newKubectl } from "../demo/kubectl.ts";
import { auditPolicy } from "../local-cluster/config-files.ts";
import { buildBinary } from "../local-cluster/go-build.ts";
import { type ProcessIdentity, startDetached, stop } from "../local-cluster/process.ts";
import { step } from "../local-cluster/progress.ts";
import { type Readiness, ready, waitUntil } from "../local-cluster/wait.ts";
import type { ProvidedCluster } from "./provide-cluster.ts";

/** Kubernetes without a node: it keeps objects and makes pods of StatefulSets, and nothing runs them. */
export interface ControlPlane extends ProvidedCluster {
  readonly auditLog: string;
  /** Ends it, and removes everything of it. */
  stop(): Promise<void>;
}

const READY_TIMEOUT_MS = 300_000;
const SERVICE_RANGE = "10.96.0.0/14";
/** The controllers are not what is measured, so none of them waits for its own limit on requests. */
const unlimited = { "kube-api-qps": "1000", "kube-api-burst": "2000" };
/** Simulated pods have addresses on loopback, which endpoints may not hold: each would be refused again and again. */
const controllers = "*,-endpoints-controller,-endpointslice-controller,-endpointslice-mirroring-controller";

/** etcd, kube-apiserver and kube-controller-manager on loopback, on ports and in a folder of their own. */
export async function startControlPlane(): Promise<ControlPlane> {
  const folder = await mkdtemp(join(tmpdir(), "measure-control-plane-"));
  const running: ProcessIdentity[] = [];
  const end = async () => {
    for (const one of running.toReversed()) await stop(one);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    return await step("starting an API server", async () => {
      const start: Start = (program, flags) => {
        const args = Object.entries(flags).map(([key, value]) => `--${key}=${value}`);
        running.push(startDetached(program, args, join(folder, "components.log")));
      };
      return { ...(await startIn(folder, start)), stop: end };
    });
  } catch (error) {
    const log = await readFile(join(folder, "components.log"), "utf8").catch(() => "");
    await end();
    throw new Error(`no API server: ${log.trimEnd().split("\n").slice(-5).join("\n")}`, { cause: error });
  }
}

type Start = (program: string, flags: Readonly<Record<string, string>>) => void;

async function startIn(folder: string, start: Start): Promise<Omit<ControlPlane, "stop">> {
  const [etcd, peer, port] = [await closedPort(), await closedPort(), await closedPort()];
  const token = randomBytes(24).toString("hex");
  const files = await writeFiles(folder, token);
  start(await buildBinary("etcd"), etcdFlags(folder, loopback(etcd), loopback(peer)));
  start(await buildBinary("kube-apiserver"), apiServerFlags(folder, files, loopback(etcd), port));
  await succeeds("the certificate", async () => readFile(files.authority));
  await writeFile(files.kubeconfig, await kubeconfigText(files.authority, port, token), { mode: 0o600 });
  const kubectl = newKubectl(await buildBinary("kubectl"), files.kubeconfig);
  await succeeds("the API server", async () => kubectl.run(["get", "--raw", "/readyz"]));
  start(await buildBinary("kube-controller-manager"), {
    ...unlimited,
    controllers,
    kubeconfig: files.kubeconfig,
    "secure-port": "0",
    "leader-elect": "false",
    "service-account-private-key-file": files.serviceAccountKey,
    "root-ca-file": files.authority,
  });
  return { kubeconfig: files.kubeconfig, kubectl, auditLog: files.auditLog };
}

async function succeeds(what: string, ask: () => Promise<unknown>): Promise<void> {
  const isUp = async (): Promise<Readiness> => {
    await ask();
    return ready;
  };
  await waitUntil(what, isUp, { timeoutMs: READY_TIMEOUT_MS, everyMs: 1_000 });
}

const loopback = (port: number) => `http://127.0.0.1:${port}`;

function etcdFlags(folder: string, url: string, peerUrl: string): Record<string, string> {
  return {
    "data-dir": join(folder, "etcd"),
    "listen-client-urls": url,
    "advertise-client-urls": url,
    "listen-peer-urls": peerUrl,
    "initial-advertise-peer-urls": peerUrl,
    "initial-cluster": `default=${peerUrl}`,
    "unsafe-no-fsync": "true",
  };
}

function apiServerFlags(folder: string, files: Files, etcd: string, port: number): Record<string, string> {
  return {
    "etcd-servers": etcd,
    "bind-address": "127.0.0.1",
    "advertise-address": "127.0.0.1",
    // Endpoints on loopback are not allowed, and nobody looks for the server by its Service.
    "endpoint-reconciler-type": "none",
    "secure-port": String(port),
    "cert-dir": join(folder, "certificates"),
    "service-cluster-ip-range": SERVICE_RANGE,
    "service-account-issuer": "https://kubernetes.default.svc",
    "service-account-signing-key-file": files.serviceAccountKey,
    "service-account-key-file": files.serviceAccountKey,
    "token-auth-file": files.tokens,
    "authorization-mode": "RBAC",
    "audit-policy-file": files.auditPolicy,
    "audit-log-path": files.auditLog,
    "audit-log-maxsize": "8000",
  };
}

interface Files {
  readonly kubeconfig: string;
  readonly auditLog: string;
  readonly auditPolicy: string;
  readonly serviceAccountKey: string;
  readonly tokens: string;
  /** The API server makes its certificate itself, with the authority behind it in one file. */
  readonly authority: string;
}

async function writeFiles(folder: string, token: string): Promise<Files> {
  const files: Files = {
    kubeconfig: join(folder, "kubeconfig"),
    auditLog: join(folder, "audit.log"),
    auditPolicy: join(folder, "audit-policy.yaml"),
    serviceAccountKey: join(folder, "service-account.key"),
    tokens: join(folder, "tokens.csv"),
    authority: join(folder, "certificates/apiserver.crt"),
  };
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const key = privateKey.export({ type: "pkcs1", format: "pem" });
  await mkdir(join(folder, "certificates"));
  await writeFile(files.auditPolicy, auditPolicy());
  await writeFile(files.serviceAccountKey, key, { mode: 0o600 });
  await writeFile(files.tokens, `${token},measure-admin,measure-admin,system:masters\n`, { mode: 0o600 });
  return files;
}

async function kubeconfigText(authority: string, port: number, token: string): Promise<string> {
  const name = "measure";
  const server = `https://127.0.0.1:${port}`;
  const trusted = (await readFile(authority)).toString("base64");
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name, cluster: { server, "certificate-authority-data": trusted } }],
    users: [{ name, user: { token } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    "current-context": name,
  });
}
