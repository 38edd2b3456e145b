import type { KubeApi } from "../kube/api.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Random } from "../runtime/random.ts";
import type { ExitCode } from "./exit-code.ts";
import type { Terminal } from "./terminal.ts";

export interface Option {
  readonly type: "string" | "boolean";
  readonly short?: string;
  /** What stands for the value in the help, such as `FILE`. */
  readonly value?: string;
  readonly help: string;
  /** The values that it may have, for completion. */
  readonly choices?: readonly string[];
}

export type Options = Readonly<Record<string, Option>>;

/** What a command is called with, beyond the flags that all have. */
export interface Input {
  /** The name of an EvNodeCluster, or whatever stands behind the command. */
  readonly argument: string | undefined;
  readonly flags: Readonly<Record<string, string | boolean | undefined>>;
}

export interface Command {
  /** One word or two, such as `identity backup`. */
  readonly path: string;
  readonly summary: string;
  /** More about it, in paragraphs. */
  readonly details: string;
  /** What stands behind the command. */
  readonly argument?: {
    readonly name: string;
    readonly isRequired: boolean;
    readonly choices?: readonly string[];
  };
  readonly options: Options;
  readonly examples: readonly string[];
  run(session: Session, input: Input): Promise<ExitCode>;
}

/** The server, and where in it. */
export interface Connection {
  readonly api: KubeApi;
  /** Of `--namespace`, or of the kubeconfig's context, or `default`. */
  readonly namespace: string;
  /** Of Kubernetes, for example `v1.35.2`. */
  serverVersion(): Promise<string>;
}

/** Files of the person who runs the plugin. */
export interface Files {
  read(path: string): Promise<string>;
  /** Fails when there is one already. Nobody else may read it. */
  create(path: string, text: string): Promise<void>;
}

/** All that a command works with. */
export interface Session {
  /** Of the plugin. */
  readonly version: string;
  readonly commands: readonly Command[];
  readonly terminal: Terminal;
  readonly clock: Clock;
  readonly random: Random;
  readonly files: Files;
  readonly signal: AbortSignal;
  readonly connect: () => Promise<Connection>;
}

export const textFlag = ({ flags }: Input, name: string): string | undefined => {
  const value = flags[name];
  return typeof value === "string" ? value : undefined;
};

export const isSet = ({ flags }: Input, name: string): boolean => flags[name] === true;
