import { type CommandResult, command, tryCommand } from "../../../hack/local-cluster/command.ts";
import type { KubeObject } from "../../../src/model/kube-object.ts";
import type { Environment } from "./environment.ts";

interface Options {
  readonly input?: string;
  readonly timeoutMs?: number;
}

/** kubectl as a person uses it. What is asked again and again goes through `Api`, which starts no process. */
export interface Kubectl {
  /** Answers stdout; fails with kubectl's own words. */
  run(args: readonly string[], options?: Options): Promise<string>;
  /** Answers the exit code and both outputs, whatever they are. */
  attempt(args: readonly string[], options?: Options): Promise<CommandResult>;
  apply(...objects: readonly object[]): Promise<void>;
}

export function newKubectl({ kubectl, kubeconfig }: Pick<Environment, "kubectl" | "kubeconfig">): Kubectl {
  const all = (args: readonly string[]) => ["--kubeconfig", kubeconfig, ...args];
  return {
    run: (args, options) => command(kubectl, all(args), options),
    attempt: (args, options) => tryCommand(kubectl, all(args), options),
    async apply(...objects) {
      await command(kubectl, all(["apply", "--filename", "-"]), { input: listOf(objects) });
    },
  };
}

function listOf(items: readonly object[]): string {
  return JSON.stringify({ apiVersion: "v1", kind: "List", items });
}

/** A merge patch of an object, by a person's hand. */
export async function patchByHand(
  kubectl: Kubectl,
  { apiVersion, kind, metadata: { name, namespace = "" } }: KubeObject,
  patch: object,
): Promise<void> {
  const [version = "", group] = apiVersion.split("/").toReversed();
  const resource = group === undefined ? kind : `${kind}.${version}.${group}`;
  const target = ["patch", resource.toLowerCase(), name, "--namespace", namespace];
  await kubectl.run([...target, "--type", "merge", "--patch", JSON.stringify(patch)]);
}
