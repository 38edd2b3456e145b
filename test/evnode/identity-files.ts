import { type IdentityInput, newIdentity } from "../../src/act/identity.ts";
import type { Spec } from "../../src/api/evnodecluster.ts";
import { parseCluster } from "../../src/api/parse.ts";
import type { Secret } from "../../src/model/objects.ts";
import { entryText } from "../../src/model/secret-text.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { cluster } from "../builders.ts";

export function completed(fields: Partial<Spec>) {
  const parsed = parseCluster(cluster({ spec: fields }), 1);
  if (parsed.kind === "invalid") throw new Error(parsed.problems.join("; "));
  return parsed.spec;
}

/** The identity that the operator makes of what its owner gave. */
export function identitySecret(given: IdentityInput["given"] = {}, spec = completed({})): Promise<Secret> {
  const place = { cluster: "seq", namespace: "rollup", clusterDomain: "cluster.local" };
  return newIdentity({ ...place, spec, given, random: systemRandom, nowMs: Date.now() });
}

/** The same as the agent of a member installs it. */
export function filesOf(secret: Secret, ordinal: number): ReadonlyMap<string, string> {
  const nodeKey = `node_key.${ordinal}.json`;
  const entries = ["genesis.json", "signer.json", "passphrase", nodeKey];
  const there = entries.filter((name) => secret.data?.[name] !== undefined);
  return new Map(
    there.map((name) => [name === nodeKey ? "node_key.json" : name, entryText(secret, name) ?? ""]),
  );
}

/** Those of the first member. */
export async function identityFiles(
  given: IdentityInput["given"] = {},
  spec = completed({}),
): Promise<ReadonlyMap<string, string>> {
  return filesOf(await identitySecret(given, spec), 0);
}
