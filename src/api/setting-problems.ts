import { parseDuration } from "../model/duration.ts";
import { isJsonObject } from "../model/json.ts";
import type { CompleteSpec } from "./complete-spec.ts";
import { evnodeKeys, keyOfFlag } from "./evnode-keys.ts";
import type { EvNodeCluster, Spec } from "./evnodecluster.ts";
import { PPROF_PORT } from "./fixed.ts";
import { MOST_TRAILING_LOGS } from "./log-retention.ts";

/** Settings that contradict each other, as far as the rules of the CRD cannot tell: ev-node would not start. */
export function settingProblems(cluster: EvNodeCluster, spec: CompleteSpec): readonly string[] {
  return [
    ...lazyProblems(spec),
    ...retentionProblems(spec),
    ...pruningProblems(spec),
    ...submitOptionsProblems(spec),
    ...pprofProblems(spec),
    ...flagProblems(cluster.spec, spec),
    ...variableProblems(spec),
  ];
}

function lazyProblems({ chain: { lazy, blockTimeMs } }: CompleteSpec): readonly string[] {
  if (lazy === undefined || lazy.intervalMs > blockTimeMs) return [];
  return [
    `spec.chain.lazy.interval: It must be longer than spec.chain.blockTime, which is ${inMs(blockTimeMs)}; ev-node would not start. Give a longer interval, or remove spec.chain.lazy for a block every blockTime.`,
  ];
}

function retentionProblems({ raft, chain }: CompleteSpec): readonly string[] {
  if (raft.trailingLogs <= MOST_TRAILING_LOGS) return [];
  return [
    `spec.raft.absenceCovered: With a block every ${inMs(chain.blockTimeMs)} the log would have ${raft.trailingLogs} entries, but at most ${MOST_TRAILING_LOGS} are possible. Give a shorter time.`,
  ];
}

function pruningProblems({ pruning, chain: { blockTimeMs } }: CompleteSpec): readonly string[] {
  const intervalMs = parseDuration(pruning?.interval ?? "");
  if (pruning?.mode === "disabled" || intervalMs === undefined || intervalMs >= blockTimeMs) return [];
  return [
    `spec.pruning.interval: It must not be shorter than spec.chain.blockTime, which is ${inMs(blockTimeMs)}; ev-node would not start. Give a longer interval.`,
  ];
}

function submitOptionsProblems({ da }: CompleteSpec): readonly string[] {
  if (da.submitOptions === undefined || isJsonObject(da.submitOptions)) return [];
  return [
    'spec.da.submitOptions: It is no JSON object, and every submission would fail; something like {"gas_price": 0.002} was expected.',
  ];
}

function pprofProblems({ pprof, raft, p2p, rpc, metrics, app }: CompleteSpec): readonly string[] {
  const appPorts = app.kind === "custom" ? app.ports : [];
  const isTaken = [raft, p2p, rpc, metrics, ...appPorts].some(({ port }) => port === PPROF_PORT);
  if (pprof?.enabled !== true || !isTaken) return [];
  return [
    `spec.pprof.enabled: ev-node's profiles are on port ${PPROF_PORT}, which another part of the spec uses; give that another port.`,
  ];
}

/** ev-node takes the flag, and the field would be without effect. */
function flagProblems(given: Spec, { app }: CompleteSpec): readonly string[] {
  return app.extraArgs.flatMap((argument) => {
    const known = keyOfFlag(argument);
    const field = known?.origin.from === "Spec" ? known.origin.fields[0] : undefined;
    if (known === undefined || field === undefined || !isGiven(given, field)) return [];
    return [`spec.app.extraArgs: The flag for ${known.key} and spec.${field} set the same; remove the flag.`];
  });
}

const sections = new Set(Object.keys(evnodeKeys).map((key) => key.split(".")[0]?.toUpperCase()));

/** ev-node then reads the text where it expects a section, and goes on by its defaults or ends. */
function variableProblems({ app }: CompleteSpec): readonly string[] {
  return app.extraEnv
    .filter(({ name }) => sections.has(name))
    .map(
      ({ name }) =>
        `spec.app.extraEnv: ev-node takes the variable ${name} in place of the section ${name.toLowerCase()} of its configuration; use another name.`,
    );
}

function isGiven(spec: Spec, path: string): boolean {
  const value = path
    .split(".")
    .reduce<unknown>(
      (node, key) => (typeof node === "object" && node !== null ? Reflect.get(node, key) : undefined),
      spec,
    );
  return value !== undefined;
}

const inMs = (ms: number) => `${ms} ms`;
