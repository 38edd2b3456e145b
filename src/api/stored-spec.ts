import { isDeepStrictEqual } from "node:util";
import * as z from "zod";
import type { CompleteSpec } from "./complete-spec.ts";
import { completeSpec, isKnownDefaultsVersion } from "./defaults.ts";
import { fieldPath } from "./field-path.ts";
import { spec as specSchema } from "./schema/spec.ts";

export type StoredSpec =
  | { readonly kind: "readable"; readonly spec: CompleteSpec }
  | { readonly kind: "unreadable"; readonly problem: string }
  /** Completed with defaults that a later version of the operator brought. */
  | { readonly kind: "newer"; readonly problem: string };

const milliseconds = z.int().min(0);
const reference = z.object({ name: z.string(), key: z.string() });

/** Only what a complete spec writes in another way than a spec does; the spec's own schema knows the rest. */
const stored = z.looseObject({
  defaultsVersion: z.int(),
  chain: z.looseObject({
    blockTimeMs: milliseconds,
    lazy: z.object({ intervalMs: milliseconds }).optional(),
    genesis: z.discriminatedUnion("from", [
      z.object({ from: z.literal("Generated") }),
      z.object({ from: z.literal("ConfigMap"), reference }),
      z.object({ from: z.literal("Secret"), reference }),
    ]),
  }),
  signer: z.discriminatedUnion("from", [
    z.object({ from: z.literal("Generated") }),
    z.object({ from: z.literal("Secret"), name: z.string() }),
    z.looseObject({ from: z.literal("AwsKms") }),
    z.looseObject({ from: z.literal("GcpKms") }),
  ]),
  raft: z.looseObject({
    trailingLogs: z.unknown(),
    absenceCoveredMs: milliseconds.optional(),
    timing: z.discriminatedUnion("source", [
      z.object({ source: z.literal("Default") }),
      z.object({ source: z.literal("RttMax"), rttMaxMs: milliseconds }),
      z.object({
        source: z.literal("Spec"),
        heartbeatTimeoutMs: milliseconds,
        electionTimeoutMs: milliseconds,
        leaderLeaseTimeoutMs: milliseconds,
        sendTimeoutMs: milliseconds,
      }),
    ]),
  }),
});

type Stored = z.output<typeof stored>;

/**
 * Reads a complete spec back from where it was stored. It must be what some spec of a user leads to: written as that
 * spec, it passes the schema with all its rules, and completed it is the same again.
 */
export function readStoredSpec(value: unknown): StoredSpec {
  const shape = stored.safeParse(value);
  if (!shape.success) return unreadable(shape.error);
  const { defaultsVersion, chain, signer, raft, ...same } = shape.data;
  if (!isKnownDefaultsVersion(defaultsVersion))
    return { kind: "newer", problem: `spec.defaultsVersion: version ${defaultsVersion} is not known here` };

  const given = specSchema.safeParse({ ...same, ...asWritten({ chain, signer, raft }) });
  if (!given.success) return unreadable(given.error);
  const spec = completeSpec(given.data, defaultsVersion);
  // As JSON, which knows no undefined.
  if (isDeepStrictEqual(JSON.parse(JSON.stringify(spec)), value)) return { kind: "readable", spec };
  return { kind: "unreadable", problem: "spec: it has other fields than this version writes" };
}

function unreadable({ issues: [issue] }: z.ZodError): StoredSpec {
  return { kind: "unreadable", problem: `${fieldPath(["spec", ...(issue?.path ?? [])])}: ${issue?.message}` };
}

/** These parts as a user would write them. */
function asWritten({ chain, signer, raft }: Pick<Stored, "chain" | "signer" | "raft">): object {
  const { blockTimeMs, lazy, genesis, ...ofChain } = chain;
  const { timing, trailingLogs, absenceCoveredMs, ...ofRaft } = raft;
  const retention =
    absenceCoveredMs === undefined ? { trailingLogs } : { absenceCovered: duration(absenceCoveredMs) };
  return {
    chain: {
      ...ofChain,
      blockTime: duration(blockTimeMs),
      ...(lazy === undefined ? {} : { lazy: { interval: duration(lazy.intervalMs) } }),
      ...sourceOf(genesis),
    },
    raft: { ...ofRaft, ...retention, ...timingOf(timing) },
    ...signerOf(signer),
  };
}

function signerOf(signer: Stored["signer"]): object {
  if (signer.from === "Generated") return {};
  if (signer.from === "Secret") return { signer: { secretName: signer.name } };
  const { from, ...key } = signer;
  return { signer: from === "AwsKms" ? { awsKms: key } : { gcpKms: key } };
}

function sourceOf(genesis: Stored["chain"]["genesis"]): object {
  if (genesis.from === "Generated") return {};
  const { from, reference } = genesis;
  return { genesis: from === "ConfigMap" ? { configMap: reference } : { secret: reference } };
}

function timingOf(timing: Stored["raft"]["timing"]): object {
  if (timing.source === "Default") return {};
  if (timing.source === "RttMax") return { rttMax: duration(timing.rttMaxMs) };
  return {
    timing: {
      heartbeatTimeout: duration(timing.heartbeatTimeoutMs),
      electionTimeout: duration(timing.electionTimeoutMs),
      leaderLeaseTimeout: duration(timing.leaderLeaseTimeoutMs),
      sendTimeout: duration(timing.sendTimeoutMs),
    },
  };
}

/** Of two parts, as no part may have more than six digits. */
const duration = (valueMs: number) => `${Math.floor(valueMs / 1_000)}s${valueMs % 1_000}ms`;
