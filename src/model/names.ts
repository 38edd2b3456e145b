import { createHash } from "node:crypto";
import { labels, MANAGED_BY } from "./annotations.ts";

/** Every object name, host name and selector of a cluster, in one place. */

/** Node keys are made for this many ordinals at once, so that the identity never has to change. */
export const MAX_MEMBERS = 7;

export const identitySecretName = (cluster: string) => `${cluster}-identity`;
export const configSecretName = (cluster: string) => `${cluster}-config`;
export const headlessServiceName = (cluster: string) => cluster;
export const leaderServiceName = (cluster: string) => `${cluster}-leader`;
export const rpcServiceName = (cluster: string) => `${cluster}-rpc`;
export const statefulSetName = (cluster: string) => cluster;
export const serviceAccountName = (cluster: string) => `${cluster}-member`;
export const disruptionBudgetName = (cluster: string) => cluster;
export const networkPolicyName = (cluster: string) => cluster;
export const memberName = (cluster: string, ordinal: number) => `${cluster}-${ordinal}`;
export const claimName = (cluster: string, ordinal: number) => `data-${cluster}-${ordinal}`;

/** The claim of the execution client's volume; only the members of an EVM chain have one. */
export const executionClaimName = (cluster: string, ordinal: number) => `execution-${cluster}-${ordinal}`;

/** Every name under which a cluster has objects in its namespace. */
export function objectNames(cluster: string): readonly string[] {
  const ordinals = Array.from({ length: MAX_MEMBERS }, (_, ordinal) => ordinal);
  const shared = [
    identitySecretName,
    configSecretName,
    headlessServiceName,
    leaderServiceName,
    rpcServiceName,
    statefulSetName,
    serviceAccountName,
    disruptionBudgetName,
    networkPolicyName,
  ].map((nameOf) => nameOf(cluster));
  const members = ordinals.flatMap((ordinal) =>
    [memberName, claimName, executionClaimName].map((nameOf) => nameOf(cluster, ordinal)),
  );
  return [...new Set([...shared, ...members])];
}

/** The entry of the config Secret that holds one member's evnode.yaml of one revision. */
export const configEntry = (member: string, revision: string) => `${member}.${revision}.yaml`;

/** A member's host name: stable for life, since raft stores it in its log. */
export function memberHost(
  cluster: string,
  namespace: string,
  ordinal: number,
  clusterDomain: string,
): string {
  return `${memberName(cluster, ordinal)}.${headlessServiceName(cluster)}.${namespace}.svc.${clusterDomain}`;
}

/** The name of the object that says which cluster may run a chain with a signer. */
export function chainLockName(chainId: string, proposer: string): string {
  const digest = createHash("sha256")
    .update(JSON.stringify([chainId, proposer]))
    .digest("hex");
  return `evnode-chain-${digest.slice(0, 32)}`;
}

/** Selects the members' pods; part of the StatefulSet for ever. */
export function selectorLabels(cluster: string): Record<string, string> {
  return { [labels.name]: "ev-node", [labels.instance]: cluster, [labels.cluster]: cluster };
}

export function commonLabels(cluster: string): Record<string, string> {
  return { ...selectorLabels(cluster), [labels.managedBy]: MANAGED_BY };
}

/** What the operator's watches ask for. */
export const WATCH_SELECTOR = `${labels.managedBy}=${MANAGED_BY}`;
