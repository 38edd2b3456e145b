import { type Kind, kinds } from "../model/kinds.ts";
import type { KubeObject } from "../model/kube-object.ts";
import { disruptionBudgetName, networkPolicyName } from "../model/names.ts";
import type { Blueprint } from "./blueprint.ts";
import { configSecret } from "./member-configs.ts";
import { disruptionBudget, hasDisruptionBudget, networkPolicy } from "./policies.ts";
import { serviceAccount } from "./service-account.ts";
import { headlessService, leaderService, rpcService } from "./services.ts";
import { statefulSet } from "./statefulset.ts";

export interface Desired {
  readonly resource: Kind<KubeObject>;
  readonly object: KubeObject;
}

/** What the pods need or are guarded by. Comes before the StatefulSet, so that no pod starts without it. */
export function surroundings(blueprint: Blueprint, configEntries: ReadonlyMap<string, string>): Desired[] {
  const { spec } = blueprint.intent;
  return [
    { resource: kinds.serviceAccount, object: serviceAccount(blueprint) },
    { resource: kinds.secret, object: configSecret(blueprint, configEntries) },
    { resource: kinds.service, object: headlessService(blueprint) },
    { resource: kinds.service, object: leaderService(blueprint) },
    { resource: kinds.service, object: rpcService(blueprint) },
    ...(spec.networkPolicy.enabled
      ? [{ resource: kinds.networkPolicy, object: networkPolicy(blueprint) }]
      : []),
    ...(hasDisruptionBudget(spec)
      ? [{ resource: kinds.disruptionBudget, object: disruptionBudget(blueprint) }]
      : []),
  ];
}

export const workload = (blueprint: Blueprint): Desired => ({
  resource: kinds.statefulSet,
  object: statefulSet(blueprint),
});

/** Objects that are to be gone when the spec switches them off. */
export function switchedOff({ name, intent }: Blueprint): { resource: Kind<KubeObject>; name: string }[] {
  const { spec } = intent;
  return [
    ...(spec.networkPolicy.enabled ? [] : [{ resource: kinds.networkPolicy, name: networkPolicyName(name) }]),
    ...(hasDisruptionBudget(spec)
      ? []
      : [{ resource: kinds.disruptionBudget, name: disruptionBudgetName(name) }]),
  ];
}
