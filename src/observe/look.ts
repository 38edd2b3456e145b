import type { Kind } from "../model/kinds.ts";
import type { KubeObject } from "../model/kube-object.ts";
import type { EvNodeClusterObject } from "../model/objects.ts";
import type { Settings } from "../plan/snapshot.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Agents } from "./agents.ts";
import type { OldSequencers } from "./old-sequencers.ts";
import type { Partings } from "./partings.ts";
import type { World } from "./world.ts";

export interface ObserveDependencies {
  readonly world: World;
  readonly agents: Agents;
  readonly settings: Settings;
  readonly clock: Clock;
  readonly oldSequencers: OldSequencers;
  readonly partings: Partings;
}

/** How a cluster is looked at. */
export interface Look {
  /** Remember nothing: read from the server what a restart rests on, and ask every agent now. */
  readonly isCertain: boolean;
}

/** With the way to look, as `Look` has it. */
export type LookDependencies = ObserveDependencies & Look;

/** A watched object; read from the server where the look has to be certain. */
export function readWatched<T extends KubeObject>(
  { world, isCertain }: LookDependencies,
  kind: Kind<T>,
  ref: { readonly namespace: string; readonly name: string },
): Promise<T | undefined> {
  return isCertain ? world.read(kind, ref, 0) : world.watched(kind, ref);
}

export const isDeleted = ({ metadata }: EvNodeClusterObject) => metadata.deletionTimestamp !== undefined;
