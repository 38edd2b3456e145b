import type { AgentAnswer } from "../model/agent-protocol.ts";
import { annotations } from "../model/annotations.ts";
import { genesisDigest } from "../model/fingerprints.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Board } from "./board.ts";
import { type ConfigFinding, checkOwnConfig, ownText } from "./check-config.ts";
import { type IdentityCheck, type IdentityFinding, identityEntries } from "./check-identity.ts";
import { heldText } from "./copied-blocks.ts";
import type { Disk } from "./disk.ts";
import { install } from "./install.ts";
import { keepInstalledConfig, readInstalledConfig } from "./installed-config.ts";
import type { Log } from "./log.ts";
import type { MemberFacts } from "./member-facts.ts";
import { expectedConfig, lookAtMountedConfig } from "./mounted-config.ts";
import { readPodAnnotations } from "./pod-annotations.ts";
import { readRestartRecord, writeRestartRecord } from "./restart-record.ts";
import { beginAs } from "./run-kind.ts";
import { readSecretFolder } from "./secret-folder.ts";
import type { AgentPaths, Settings } from "./settings.ts";
import { holdBack } from "./single-keeper.ts";
import { shownVolume, type VolumeOwner } from "./volume.ts";
import { type NodeLife, tendVolume, type VolumeReport } from "./volume-keeper.ts";
import {
  fitsEpoch,
  type RecordReading,
  readRecord,
  unprovenCopy,
  type VolumeRecord,
} from "./volume-record.ts";

export interface PrepareDependencies {
  readonly settings: Settings;
  readonly paths: AgentPaths;
  readonly disk: Disk;
  readonly board: Board;
  readonly checkIdentity: IdentityCheck;
  readonly nodeLife: (facts: MemberFacts) => NodeLife;
  /** The member waits for the first start: the paths to the others are looked at from now on. */
  readonly lookAround: (facts: MemberFacts, clusterId: string) => void;
}

type AcceptedConfig = Extract<ConfigFinding, { kind: "accepted" }>;

/** What is known of the member once ev-node may run. */
export interface Prepared {
  readonly owner: VolumeOwner;
  /** As it was when ev-node was allowed to run on it. */
  readonly record: VolumeRecord;
  readonly facts: MemberFacts;
  /** The member's config, as it is meant and as a full node. */
  readonly configs: AcceptedConfig["texts"];
}

type Prepare = AgentAnswer["prepare"];
type AcceptedIdentity = Extract<IdentityFinding, { kind: "accepted" }>;

const LOOK_EVERY_MS = 250;

/** Looks again and again until ev-node may run: orders, Secrets and repairs come from outside, when they come. */
export async function prepareUntilDone(
  dependencies: PrepareDependencies,
  { clock, log, signal, beat }: { clock: Clock; log: Log; signal: AbortSignal; beat: () => void },
): Promise<Prepared | undefined> {
  let lastFault: string | undefined;
  while (!signal.aborted) {
    beat();
    try {
      const prepared = await prepareOnce(dependencies);
      lastFault = undefined;
      if (prepared !== undefined) return prepared;
    } catch (error) {
      const message = `cannot prepare the member: ${error instanceof Error ? error.message : String(error)}`;
      dependencies.board.update({ prepare: { kind: "checking", message } });
      if (message !== lastFault) log.warn({ err: error }, message);
      lastFault = message;
    }
    await clock.sleep(LOOK_EVERY_MS, signal).catch(() => undefined);
  }
  return undefined;
}

/** One look. Every step is safe to be repeated, and to be cut off at any point. */
export async function prepareOnce(dependencies: PrepareDependencies): Promise<Prepared | undefined> {
  const { settings, paths, disk, board, nodeLife } = dependencies;
  const podAnnotations = await readPodAnnotations(paths.annotations);
  if (podAnnotations === undefined) {
    return stop(board, { kind: "notYet", message: "the pod's annotations are not mounted yet" }, "Config");
  }
  board.update({ restartToken: await restartTokenOf(podAnnotations, disk, paths) });
  const found = await readRecord(paths.home);
  const config = await lookAtConfig(podAnnotations, settings, paths, found);
  if (config.kind !== "accepted") return stop(board, config, "Config");
  // Before all that may take its time: kubelet starts a process that ended with whatever is installed.
  const isOnItsWay = found.kind === "present" && found.record.change !== undefined;
  if (isOnItsWay) {
    const isAlone = unprovenCopy(found.record) !== undefined;
    await holdBack(disk, paths.config, heldText(config.texts, isAlone));
  }
  const identity = await lookAtIdentity(settings, paths, config.facts, dependencies.checkIdentity);
  board.update({
    clusterId: identity.kind === "accepted" ? identity.clusterId : undefined,
    genesis:
      identity.kind === "accepted" ? genesisDigest(identity.files.get("genesis.json") ?? "") : undefined,
  });
  if (identity.kind !== "accepted") return stop(board, identity, "Identity");

  const { facts } = config;
  const owner = ownerOf(settings, identity, facts);
  const named = () => namedFacts(settings, paths);
  const report = await tendVolume({ disk, paths, owner, facts, nodeLife: nodeLife(facts), named });
  if (report.isMoved) return undefined;
  const prepare = judgePrepare(report);
  board.update({ ...shownReport(report), ...(prepare === undefined ? {} : { prepare }) });
  if (prepare?.kind === "waiting" && prepare.for === "start")
    dependencies.lookAround(facts, identity.clusterId);
  if (prepare !== undefined && facts.isSingle) await holdBack(disk, paths.config, config.texts.level);
  if (prepare !== undefined || report.volume.kind !== "intact") return undefined;
  const { record } = report.volume;
  if (record.change === undefined) await beginAs(disk, paths.config, "member");

  // The config follows when it is known how ev-node may run: without it, ev-node would run by its defaults.
  await install(disk, paths.config, identity.files);
  await keepInstalledConfig(disk, paths.config, { revision: config.revision, text: ownText(config.texts) });
  board.update({
    configRevision: config.revision,
    prepare: { kind: "checking", message: "looks for the other members" },
  });
  return { owner, record, facts, configs: config.texts };
}

/** What stands in the way of ev-node; undefined when nothing does. */
export function judgePrepare({ volume, refusedOrder, postponed }: VolumeReport): Prepare | undefined {
  if (volume.kind === "foreign") return { kind: "refused", reason: "Volume", message: volume.message };
  if (volume.kind === "damaged") {
    return { kind: "refused", reason: "Volume", message: joined(volume.message, postponed) };
  }
  if (volume.kind === "intact" && (volume.record.started || volume.record.change !== undefined))
    return undefined;
  if (refusedOrder !== undefined) return { kind: "refused", reason: "Order", message: refusedOrder.message };
  if (volume.kind === "empty") {
    const message = postponed ?? "the volume is empty: waits for an order";
    return { kind: "waiting", for: "bootstrap", message };
  }
  return {
    kind: "waiting",
    for: "start",
    message: "the volume is bootstrapped: waits for the order to start",
  };
}

/** The same for the answer. What is wrong with a volume is followed by why its repair waits. */
export function shownReport({ volume, executedOrder, refusedOrder, postponed }: VolumeReport) {
  const shown = shownVolume(volume);
  const voters = "record" in volume ? volume.record.votersDigest : undefined;
  const rest = { voters, executedOrder, refusedOrder };
  if (shown.kind !== "damaged") return { volume: shown, ...rest };
  return { volume: { ...shown, message: joined(shown.message, postponed) }, ...rest };
}

function joined(message: string, more: string | undefined): string {
  return more === undefined ? message : `${message}; ${more}`;
}

function stop(
  board: Board,
  finding: { readonly kind: "notYet" | "refused"; readonly message: string },
  reason: "Config" | "Identity",
): undefined {
  const { kind, message } = finding;
  board.update({ prepare: kind === "notYet" ? { kind: "checking", message } : { kind, reason, message } });
}

function ownerOf(
  { member }: Settings,
  { clusterId, chainId }: AcceptedIdentity,
  { epoch, isSingle, raftAddress }: MemberFacts,
): VolumeOwner {
  const owner = { clusterId, member, chainId, epoch };
  return isSingle ? { ...owner, single: { id: member, address: raftAddress } } : owner;
}

/**
 * The config of the pod's revision, but for an agent that starts anew: ev-node may run on what it installed before,
 * unless the volume went on to another epoch since.
 */
async function lookAtConfig(
  podAnnotations: ReadonlyMap<string, string>,
  settings: Settings,
  paths: AgentPaths,
  found: RecordReading,
): Promise<ConfigFinding> {
  const installed = await readInstalledConfig(paths.config);
  if (installed !== undefined) {
    const { revision, text } = installed;
    const finding = checkOwnConfig(revision, text, expectedConfig(settings, paths));
    if (finding.kind === "accepted" && fits(found, finding.facts)) return finding;
  }
  const revision = podAnnotations.get(annotations.configRevision);
  if (revision === undefined) {
    return { kind: "refused", message: `the pod has no annotation ${annotations.configRevision}` };
  }
  return lookAtMountedConfig(revision, settings, paths);
}

const fits = (found: RecordReading, { epoch }: MemberFacts) =>
  found.kind !== "present" || fitsEpoch(found.record, epoch);

/** What the config revision on the pod says of the member, as soon as that can be used. */
export async function namedFacts(settings: Settings, paths: AgentPaths): Promise<MemberFacts | undefined> {
  const revision = (await readPodAnnotations(paths.annotations))?.get(annotations.configRevision);
  if (revision === undefined) return undefined;
  const config = await lookAtMountedConfig(revision, settings, paths);
  return config.kind === "accepted" ? config.facts : undefined;
}

/** The token that the pod was made with counts as acted upon: there was no process that it could mean. */
async function restartTokenOf(
  podAnnotations: ReadonlyMap<string, string>,
  disk: Disk,
  paths: AgentPaths,
): Promise<string | undefined> {
  const record = await readRestartRecord(paths.config);
  if (record !== undefined) return record.token;
  const token = podAnnotations.get(annotations.restartToken);
  await writeRestartRecord(disk, paths.config, { token });
  return token;
}

async function lookAtIdentity(
  { ordinal }: Settings,
  paths: AgentPaths,
  { signer }: MemberFacts,
  check: IdentityCheck,
): Promise<IdentityFinding> {
  const wanted = identityEntries(ordinal, signer);
  const mounted = await readSecretFolder(paths.identitySecret, (name) => wanted.includes(name));
  if (mounted === undefined) return { kind: "notYet", message: "the identity Secret is not mounted yet" };
  return check(mounted, signer);
}
