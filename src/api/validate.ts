import { MAX_MEMBERS, memberHost } from "../model/names.ts";
import { parseQuantity } from "../model/quantity.ts";
import type { Amounts, CompleteSpec, Resources } from "./complete-spec.ts";
import type { EvNodeCluster } from "./evnodecluster.ts";
import { settingProblems } from "./setting-problems.ts";

const MAX_HOST_LENGTH = 253;

/** Resources that Kubernetes knows itself, or that a device plugin offers under its domain. */
const RESOURCE_NAME =
  /^(cpu|memory|ephemeral-storage|hugepages-[0-9A-Za-z]+|[a-z0-9]([-a-z0-9.]*[a-z0-9])?\/[A-Za-z0-9]([-._A-Za-z0-9]*[A-Za-z0-9])?)$/;

const AFFINITY_KINDS: readonly string[] = ["nodeAffinity", "podAffinity", "podAntiAffinity"];

/** Problems that the rules of the CRD cannot express, each as a sentence that begins with the field. */
export function validate(
  cluster: EvNodeCluster,
  spec: CompleteSpec,
  clusterDomain: string,
): readonly string[] {
  return [
    ...hostProblems(cluster, clusterDomain),
    ...resourceProblems("spec.pod.resources", spec.pod.resources),
    ...(spec.execution ? resourceProblems("spec.execution.resources", spec.execution.resources) : []),
    ...affinityProblems(spec),
    ...settingProblems(cluster, spec),
  ];
}

function hostProblems({ metadata }: EvNodeCluster, clusterDomain: string): readonly string[] {
  const host = memberHost(metadata.name, metadata.namespace ?? "", MAX_MEMBERS - 1, clusterDomain);
  if (host.length <= MAX_HOST_LENGTH) return [];
  return [
    `metadata.name: The members' host names, such as ${host}, would have ${host.length} characters, but at most ${MAX_HOST_LENGTH} are possible. Use a shorter name or namespace.`,
  ];
}

function resourceProblems(field: string, resources: Resources): readonly string[] {
  return [
    ...nameProblems(`${field}.requests`, resources.requests),
    ...nameProblems(`${field}.limits`, resources.limits),
    ...requestProblems(`${field}.requests`, resources),
  ];
}

function nameProblems(field: string, amounts: Amounts): readonly string[] {
  return Object.keys(amounts)
    .filter((name) => !RESOURCE_NAME.test(name))
    .map(
      (name) =>
        `${field}: ${name} is no resource; cpu, memory, ephemeral-storage, hugepages-<size> or <domain>/<name> was expected.`,
    );
}

function requestProblems(field: string, { requests, limits }: Resources): readonly string[] {
  return Object.keys(requests)
    .filter((name) => exceeds(requests, limits, name))
    .map(
      (name) =>
        `${field}: ${name} is ${requests[name]}, but the limit of ${limits[name]} is lower; lower the request or raise the limit.`,
    );
}

function exceeds(requests: Amounts, limits: Amounts, name: string): boolean {
  const [request, limit] = [parseQuantity(String(requests[name])), parseQuantity(String(limits[name]))];
  return request !== undefined && limit !== undefined && request > limit;
}

function affinityProblems({ pod: { affinity = {} } }: CompleteSpec): readonly string[] {
  return Object.entries(affinity)
    .filter(([kind, value]) => !AFFINITY_KINDS.includes(kind) || typeof value !== "object" || value === null)
    .map(
      ([kind]) =>
        `spec.pod.affinity: ${kind} cannot be used; objects named ${AFFINITY_KINDS.join(", ")} were expected.`,
    );
}
