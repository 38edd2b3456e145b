import { kinds } from "../../../src/model/kinds.ts";
import { identitySecretName } from "../../../src/model/names.ts";
import type { Request } from "../faults.ts";
import { OPERATOR_NAMESPACE } from "./simulated-operator.ts";
import type { Universe } from "./universe.ts";
import { MAIN, TWIN } from "./wanted.ts";

const identities = [MAIN, TWIN].map(({ name }) => identitySecretName(name));

/** What must hold of every write of an operator that reaches the server. */
export function checkWrite(universe: Universe, request: Request): void {
  const { client, verb, kind, name } = request;
  if (kind === kinds.lease.kind) return;
  const ref = { namespace: OPERATOR_NAMESPACE, name: "evnode-operator" };
  const holder = universe.registry.store.get(kinds.lease, ref)?.spec?.holderIdentity;
  const what = `${client} wrote ${verb} ${kind} ${request.namespace}/${name}`;
  if (holder !== client) universe.violate(`${what} while ${holder ?? "nobody"} held the Lease`);
  if (verb !== "delete" && verb !== "evict") return;
  if (kind === kinds.claim.kind) universe.violate(`${what}: claims are kept`);
  if (kind === kinds.secret.kind && identities.includes(name ?? ""))
    universe.violate(`${what}: it is the signer`);
}
