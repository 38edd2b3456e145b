import type { CompleteSpec } from "../api/complete-spec.ts";
import { annotations } from "../model/annotations.ts";
import type { Identity } from "../model/identity.ts";
import type { KubeObject } from "../model/kube-object.ts";
import { AGENT_CONTAINER } from "../model/member.ts";
import type { StatefulSet } from "../model/objects.ts";
import type { Intent } from "../resources/blueprint.ts";
import { statefulSet as rendered } from "../resources/statefulset.ts";
import { driftOf } from "./drift.ts";
import { blueprintOf, configsOf } from "./rendering.ts";
import { surplusOf } from "./server-defaults.ts";
import type { Snapshot } from "./snapshot.ts";
import { readIntent } from "./stored-intent.ts";

/**
 * The intent of a StatefulSet that lost it, if the spec of today proves to be it: templates and configs that are
 * rendered from it are those that are live, to the last field. Otherwise a change waits, or somebody changed more.
 */
export function recoveredIntent(snapshot: Snapshot, identity: Identity): Intent | undefined {
  const { parsed, statefulSet: live } = snapshot;
  if (!live || parsed.kind !== "valid" || readIntent(live).kind === "newer") return undefined;
  const agentImage = agentImageOf(live);
  if (agentImage === undefined) return undefined;
  const spec = ofBegun(parsed.spec, identity);
  const { revision } = configsOf(snapshot, identity, spec);
  const restart = live.spec?.template.metadata?.annotations?.[annotations.restart];
  const intent: Intent = {
    version: 1,
    spec,
    agentImage,
    configRevision: revision,
    ...(restart === undefined ? {} : { restart }),
  };
  const desired = templatesOf(rendered(blueprintOf(snapshot, identity, intent)));
  const found = templatesOf(live);
  const isSame = driftOf(desired, found) === undefined && surplusOf(desired, found) === undefined;
  return isSame ? intent : undefined;
}

/** With as many members as the chain was begun with, or went on with: another number is for `membership.ts`. */
export const ofBegun = (spec: CompleteSpec, { bootstrapped, membership }: Identity): CompleteSpec =>
  bootstrapped === undefined || membership === undefined ? spec : { ...spec, replicas: membership.replicas };

/** The agent is as old as the template, not as the operator. */
function agentImageOf({ spec }: StatefulSet): string | undefined {
  return spec?.template.spec?.initContainers?.find(({ name }) => name === AGENT_CONTAINER)?.image;
}

/** All that an intent decides of a StatefulSet. The rest is the same for every cluster, and is put back as ever. */
function templatesOf({ apiVersion, kind, metadata, spec }: StatefulSet): KubeObject {
  const { template, volumeClaimTemplates } = spec ?? {};
  const templates = { template, volumeClaimTemplates };
  return { apiVersion, kind, metadata: { name: metadata.name }, spec: templates } as KubeObject;
}
