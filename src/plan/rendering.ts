import type { CompleteSpec } from "../api/complete-spec.ts";
import { annotations } from "../model/annotations.ts";
import type { Identity } from "../model/identity.ts";
import type { KubeObject } from "../model/kube-object.ts";
import type { Blueprint, Intent } from "../resources/blueprint.ts";
import { type MemberConfigs, memberConfigs } from "../resources/member-configs.ts";
import type { Snapshot } from "./snapshot.ts";

export function configsOf(snapshot: Snapshot, identity: Identity, spec: CompleteSpec): MemberConfigs {
  const { cluster, references, statefulSet } = snapshot;
  const { name, namespace = "" } = cluster.metadata;
  const { clusterDomain, epoch, peerIds } = identity;
  const { daAuthToken: token } = references;
  const daAuthToken = spec.da.authTokenSecret && token.kind === "found" ? token.value : undefined;
  const input = { name, namespace, clusterDomain, spec, epoch, peerIds, daAuthToken };

  const inputText = JSON.stringify(input);
  const known = rendered.get(statefulSet ?? cluster) ?? new Map<string, MemberConfigs>();
  rendered.set(statefulSet ?? cluster, known);
  const configs = known.get(inputText) ?? memberConfigs(input);
  known.set(inputText, configs);
  return configs;
}

/**
 * What was rendered for an object that has not changed since, by its input: what runs, and what is wanted. Every config
 * is read back when it is rendered, which takes milliseconds, and several deciders of every reconcile ask for it.
 */
const rendered = new WeakMap<KubeObject, Map<string, MemberConfigs>>();

/** Puts together what the builders need. The record of a rollout stays as it is, unless another one is given. */
export function blueprintOf(
  snapshot: Snapshot,
  identity: Identity,
  intent: Intent,
  rollout = snapshot.statefulSet?.metadata.annotations?.[annotations.rollout],
): Blueprint {
  const { cluster, settings } = snapshot;
  const { name, namespace = "", uid = "" } = cluster.metadata;
  return {
    name,
    namespace,
    uid,
    intent,
    clusterDomain: identity.clusterDomain,
    operatorNamespace: settings.operatorNamespace,
    peerIds: identity.peerIds,
    epoch: identity.epoch,
    rollout,
  };
}
