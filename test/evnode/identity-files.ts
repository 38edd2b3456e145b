import { type IdentityInput, newIdentity } from "../../src/act/identity.ts";
import type { Spec } from "../../src/api/evnodecluster.ts";
import { parseCluster } from "../../src/api/parse.ts";
import { entryText } from "../../src/model/secret-text.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { cluster } from "../builders.ts";

export function completed(fields: Partial<Spec>) {
  const parsed = parseCluster(cluster({ spec: fields }), 1);
  if (parsed.kind === "invalid") throw new Error(parsed.problems.join("; "));
  return parsed.spec;
}

/** The identity that the operator makes of what its owner gave, as the agent of the first member installs it. */
export async function identityFiles(
  given: IdentityInput["given"] = {},
  spec = completed({}),
): Promise<ReadonlyMap<string, string>> {
  const secret = await newIdentity({
    cluster: "seq",
    namespace: "rollup",
    spec,
    clusterDomain: "cluster.local",
    given,
    random: systemRandom,
    nowMs: Date.now(),
  });
  const entries = ["genesis.json", "signer.json", "passphrase", "node_key.0.json"];
  const there = entries.filter((name) => secret.data?.[name] !== undefined);
  return new Map(there.map((name) => [name.replace(".0.", "."), entryText(secret, name) ?? ""]));
}
