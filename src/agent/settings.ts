import * as z from "zod";
import { epochFrom } from "../model/member.ts";

/** Where the pod's volumes are mounted. */
export interface AgentPaths {
  /** The member's volume: ev-node's home. */
  readonly home: string;
  /** In memory; the agent writes what ev-node reads as `<home>/config`. */
  readonly config: string;
  readonly configSecret: string;
  readonly identitySecret: string;
  /** The pod's annotations, as the downward API writes them. */
  readonly annotations: string;
}

export const podPaths: AgentPaths = {
  home: "/data",
  config: "/data/config",
  configSecret: "/secrets/config",
  identitySecret: "/secrets/identity",
  annotations: "/podinfo/annotations",
};

export interface Settings {
  readonly member: string;
  readonly ordinal: number;
  readonly namespace: string;
  readonly podUid: string;
  /** The first one of the cluster. Which one the member is in stands in its config. */
  readonly epoch: number;
  readonly maxBlocksBehind: number;
  /** Where the execution client of the pod listens; undefined where there is none. */
  readonly execution: { readonly eth: number; readonly engine: number } | undefined;
  /** What is done after a start while no member leads. */
  readonly afterOutage: "Level" | "Start";
}

export type SettingsReading =
  | { readonly kind: "valid"; readonly settings: Settings }
  | { readonly kind: "invalid"; readonly problems: readonly string[] };

const port = z
  .string()
  .regex(/^[1-9]\d{0,4}$/, "is not a port")
  .optional();

const environment = z.object({
  POD_NAME: z.string("is missing").regex(/-\d{1,3}$/, "is not the name of a StatefulSet's pod"),
  POD_NAMESPACE: z.string("is missing").min(1, "is empty"),
  POD_UID: z.string("is missing").min(1, "is empty"),
  EPOCH: z
    .string("is missing")
    .refine((text) => epochFrom(text) !== undefined, "is not a whole number from 1 on"),
  MAX_BLOCKS_BEHIND: z.string("is missing").regex(/^\d{1,9}$/, "is not a whole number"),
  ETH_PORT: port,
  ENGINE_PORT: port,
  AFTER_OUTAGE: z.literal("Start", "is neither Start nor absent").optional(),
});

/** Reads the agent's environment and names every problem at once. */
export function readSettings(env: Readonly<Record<string, string | undefined>>): SettingsReading {
  const reading = environment.safeParse(env);
  if (!reading.success) {
    return {
      kind: "invalid",
      problems: reading.error.issues.map(({ path, message }) => `${path.join(".")} ${message}`),
    };
  }

  const { POD_NAME, POD_NAMESPACE, POD_UID, EPOCH, MAX_BLOCKS_BEHIND } = reading.data;
  const { ETH_PORT, ENGINE_PORT, AFTER_OUTAGE } = reading.data;
  if ((ETH_PORT === undefined) !== (ENGINE_PORT === undefined))
    return { kind: "invalid", problems: ["ETH_PORT and ENGINE_PORT come together, or not at all"] };
  const settings: Settings = {
    member: POD_NAME,
    ordinal: Number(POD_NAME.slice(POD_NAME.lastIndexOf("-") + 1)),
    namespace: POD_NAMESPACE,
    podUid: POD_UID,
    epoch: Number(EPOCH),
    maxBlocksBehind: Number(MAX_BLOCKS_BEHIND),
    execution: ETH_PORT === undefined ? undefined : { eth: Number(ETH_PORT), engine: Number(ENGINE_PORT) },
    afterOutage: AFTER_OUTAGE ?? "Level",
  };
  return { kind: "valid", settings };
}
