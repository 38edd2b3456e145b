import {
  type MemberConfig,
  parseConfig,
  RAFT_PEERS_SENTINEL,
  renderFullNodeConfig,
} from "../evnode/config.ts";
import { configRevision } from "../model/config-revision.ts";
import { configEntry } from "../model/names.ts";
import { type MemberFacts, memberFacts, raftEpoch } from "./member-facts.ts";
import type { ModeConfigs } from "./mode-keeper.ts";
import type { SingleConfigs } from "./single-keeper.ts";
import { isFolderInHome, raftFolderName } from "./volume.ts";

export type ConfigFinding =
  /** Kubelet brings a new version of a Secret when it gets to it. */
  | { readonly kind: "notYet"; readonly message: string }
  | { readonly kind: "refused"; readonly message: string }
  | {
      readonly kind: "accepted";
      readonly revision: string;
      readonly texts: MemberTexts;
      readonly facts: MemberFacts;
    };

/** evnode.yaml as the config Secret has it, in Raft or of a single sequencer, and the same member as a full node. */
export type MemberTexts = ModeConfigs | SingleConfigs;

export const ownText = (texts: MemberTexts): string => ("single" in texts ? texts.single : texts.raft);

export interface ConfigExpectation {
  readonly member: string;
  /** The first one of this pod: its config is of this one or of a later one. */
  readonly epoch: number;
  readonly home: string;
  /** Where ev-node finds its signer. */
  readonly configFolder: string;
}

/** `files` are the entries of the mounted config Secret that belong to this revision. */
export function checkConfig(
  revision: string,
  files: ReadonlyMap<string, string>,
  expected: ConfigExpectation,
): ConfigFinding {
  if (files.size === 0)
    return { kind: "notYet", message: `config revision ${revision} is not in the mounted Secret yet` };

  const suffix = configEntry("", revision);
  const configs = new Map([...files].map(([name, text]) => [name.slice(0, -suffix.length), text]));
  const found = configRevision(configs);
  if (found !== revision) return refused(revision, `the mounted files have the digest ${found}`);
  const text = configs.get(expected.member);
  if (text === undefined) return refused(revision, `it has no config for ${expected.member}`);
  return checkOwnConfig(revision, text, expected);
}

/** The same for the member's own text alone, of a revision that was whole. */
export function checkOwnConfig(
  revision: string,
  text: string,
  expected: ConfigExpectation,
): Exclude<ConfigFinding, { kind: "notYet" }> {
  const reading = parseConfig(text);
  if (reading.kind === "malformed") return refused(revision, reading.problem);
  const { value: config } = reading;
  const problem = problemOf(config, expected);
  if (problem !== undefined) return refused(revision, problem);
  const level = renderFullNodeConfig(config);
  const texts = config.raft.enable ? { raft: text, level } : { single: text, level };
  return { kind: "accepted", revision, texts, facts: memberFacts(config) };
}

function problemOf(config: MemberConfig, expected: ConfigExpectation): string | undefined {
  const { raft, signer, db_path: dbPath } = config;
  // Each would produce by itself, with the key of all.
  const [other] = raft.enable ? [] : memberFacts(config).peers;
  if (other !== undefined) return `raft.enable: expected true beside ${other.name}, found false`;
  const epoch = Math.max(expected.epoch, raftEpoch(raft.raft_dir) ?? 0);
  const raftFolder = `${expected.home}/${raftFolderName(epoch)}`;
  if (raft.node_id !== expected.member) return difference("raft.node_id", expected.member, raft.node_id);
  if (raft.raft_dir !== raftFolder) return difference("raft.raft_dir", raftFolder, raft.raft_dir);
  if (raft.peers !== RAFT_PEERS_SENTINEL) return difference("raft.peers", RAFT_PEERS_SENTINEL, raft.peers);
  if (!raft.raft_addr.startsWith(`${expected.member}.`)) {
    return difference("raft.raft_addr", `a host name that begins with ${expected.member}.`, raft.raft_addr);
  }
  if (signer.signer_path !== expected.configFolder) {
    return difference("signer.signer_path", expected.configFolder, signer.signer_path);
  }
  if (!isFolderInHome(expected.home, dbPath))
    return difference("db_path", "a folder of its own in the home", dbPath);
  return undefined;
}

function difference(key: string, expected: string, found: string): string {
  return `${key}: expected ${expected}, found ${found}`;
}

function refused(revision: string, why: string): Extract<ConfigFinding, { kind: "refused" }> {
  return { kind: "refused", message: `config revision ${revision} is refused: ${why}` };
}
