import type { ConfigFinding } from "./check-config.ts";
import { differenceOfFacts, type MemberFacts } from "./member-facts.ts";

type AcceptedConfig = Extract<ConfigFinding, { kind: "accepted" }>;

export type RevisionVerdict =
  | { readonly kind: "install"; readonly config: AcceptedConfig }
  | { readonly kind: "pending"; readonly message: string };

/**
 * Whether a revision can take the place of the installed one while ev-node runs. The agent goes on with what it knows
 * of the member, and so do the probes and ports of the pod.
 *
 * | its check | epoch, ports, addresses, peers and block store | then |
 * | --- | --- | --- |
 * | not there yet, or refused | | pending, for that reason |
 * | accepted | of another epoch | pending: an order takes the volume there, and its config comes with it |
 * | accepted | others than now | pending: it needs a new pod |
 * | accepted | the same | install |
 */
export function judgeRevision(revision: string, finding: ConfigFinding, facts: MemberFacts): RevisionVerdict {
  if (finding.kind !== "accepted") return { kind: "pending", message: finding.message };
  const { epoch } = finding.facts;
  if (epoch !== facts.epoch) {
    const message = `config revision ${revision} is of epoch ${epoch}: waits for the order that takes the volume there`;
    return { kind: "pending", message };
  }
  const difference = differenceOfFacts(facts, finding.facts);
  if (difference === undefined) return { kind: "install", config: finding };
  return { kind: "pending", message: `config revision ${revision} needs a new pod: ${difference}` };
}
