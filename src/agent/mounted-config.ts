import { configEntry } from "../model/names.ts";
import { type ConfigExpectation, type ConfigFinding, checkConfig } from "./check-config.ts";
import { readSecretFolder } from "./secret-folder.ts";
import type { AgentPaths, Settings } from "./settings.ts";

/** A revision of the config, as the mounted Secret has it. */
export async function lookAtMountedConfig(
  revision: string,
  settings: Settings,
  paths: AgentPaths,
): Promise<ConfigFinding> {
  const files = await readSecretFolder(paths.configSecret, (name) =>
    name.endsWith(configEntry("", revision)),
  );
  if (files === undefined) return { kind: "notYet", message: "the config Secret is not mounted yet" };
  return checkConfig(revision, files, expectedConfig(settings, paths));
}

/** What every config of this member has to say. */
export function expectedConfig({ member, epoch }: Settings, { home, config }: AgentPaths): ConfigExpectation {
  return { member, epoch, home, configFolder: config };
}
