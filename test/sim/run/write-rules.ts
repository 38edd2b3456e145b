import { kinds } from "../../../src/model/kinds.ts";
import { identitySecretName } from "../../../src/model/names.ts";
import type { StatefulSet } from "../../../src/model/objects.ts";
import type { Request } from "../faults.ts";
import { fateOf } from "../node/images.ts";
import { OPERATOR_NAMESPACE } from "./simulated-operator.ts";
import { nodeImage } from "./target.ts";
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
  checkTemplate(universe, request);
  if (verb !== "delete" && verb !== "evict") return;
  if (kind === kinds.claim.kind) universe.violate(`${what}: claims are kept`);
  if (kind === kinds.secret.kind && identities.includes(name ?? ""))
    universe.violate(`${what}: it is the signer`);
}

/** An image that some node cannot get or start is found out before any member is to run it. */
function checkTemplate(
  universe: Universe,
  { client, verb, kind, namespace, name = "", body }: Request,
): void {
  if (kind !== kinds.statefulSet.kind || verb !== "replace") return;
  const current = universe.registry.store.get(kinds.statefulSet, { ...(namespace && { namespace }), name });
  const [before, after] = [current, body as StatefulSet].map((set) => nodeImage(set?.spec?.template.spec));
  // Before a member ran there is no node that is known to be one's own, and nothing to lose. Where no pod that is to
  // stay has a node, it cannot be tried, and may be what brings them to one.
  const hasRun = [...universe.runs.values()].some((run) => {
    const pod = universe.registry.store.get(kinds.pod, { namespace: run.namespace, name: run.name });
    const stays = pod?.spec?.nodeName !== undefined && pod.metadata.deletionTimestamp === undefined;
    return run.namespace === namespace && run.cluster === name && run.process !== undefined && stays;
  });
  if (after === undefined || after === before || !hasRun) return;
  const fate = fateOf(after);
  if (fate === "missing" || fate === "foreign")
    universe.violate(`${client} gave ${name} an image that no node can run: ${after}`);
}
