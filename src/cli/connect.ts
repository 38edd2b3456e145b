import { findCredentials } from "../kube/credentials.ts";
import { createKubeApi } from "../kube/node-client.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Connection, Input } from "./command.ts";
import { exitCodes } from "./exit-code.ts";
import { Failure, toFailure } from "./failure.ts";

export interface ConnectOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly version: string;
  /** Whether there is such a file. */
  readonly isThere: (path: string) => boolean;
}

export interface OpenConnection extends Connection {
  close(): void;
}

/** Finds the server as kubectl does: the flags, KUBECONFIG, `~/.kube/config`, the service account of a pod. */
export async function openConnection(
  flags: Input["flags"],
  { env, clock, version, isThere }: ConnectOptions,
): Promise<OpenConnection> {
  const [kubeconfig, context, namespace] = ["kubeconfig", "context", "namespace"].map((name) => {
    const value = flags[name];
    return typeof value === "string" && value !== "" ? value : undefined;
  });
  const home = `${env["HOME"] ?? ""}/.kube/config`;
  const isHomes = !env["KUBECONFIG"] && isThere(home);
  const files = kubeconfig ?? (isHomes ? home : undefined);
  const credentials = findCredentials({ clock, env, kubeconfig: files, context });
  const current = await credentials.current().catch((error: unknown) => {
    const next =
      "kubectl config get-contexts shows what there is; --kubeconfig FILE and --context NAME choose.";
    throw new Failure(
      exitCodes.error,
      `the Kubernetes cluster to ask is not known: ${toFailure(error).message}`,
      next,
    );
  });
  const api = createKubeApi({ credentials, clock, version, fieldManager: "kubectl-evnode" });
  return {
    api,
    namespace: namespace ?? current.namespace ?? "default",
    serverVersion: () => api.serverVersion(),
    close: () => api.close(),
  };
}
