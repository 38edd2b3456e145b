import { type Parsed, parseCluster } from "../api/parse.ts";
import { validate } from "../api/validate.ts";
import type { EvNodeClusterObject } from "../model/objects.ts";

/** The spec of a cluster, or what is wrong with it; remembered for as long as the object does not change. */
export function parseSpec(
  cluster: EvNodeClusterObject,
  defaultsVersion: number,
  clusterDomain: string,
): Parsed {
  const known = specs.get(cluster);
  if (known?.defaultsVersion === defaultsVersion && known.clusterDomain === clusterDomain)
    return known.parsed;
  const parsed = readSpec(cluster, defaultsVersion, clusterDomain);
  specs.set(cluster, { defaultsVersion, clusterDomain, parsed });
  return parsed;
}

const specs = new WeakMap<
  EvNodeClusterObject,
  { readonly defaultsVersion: number; readonly clusterDomain: string; readonly parsed: Parsed }
>();

function readSpec(cluster: EvNodeClusterObject, defaultsVersion: number, clusterDomain: string): Parsed {
  const parsed = parseCluster(cluster, defaultsVersion);
  if (parsed.kind === "invalid") return parsed;
  const problems = validate(parsed.cluster, parsed.spec, clusterDomain);
  return problems.length === 0 ? parsed : { kind: "invalid", problems };
}
