import { conditionMeanings } from "../src/api/conditions.ts";
import { GENERATED } from "./generate-crd.ts";
import { code, table } from "./generate-reference.ts";

/** What the page is made from, beside the table of conditions. */
export interface ConditionSources {
  /** Text of docs/runbook.md, whose sections the reasons are linked to. */
  readonly runbook: string;
  /** Text of src/plan/notices.ts, where every Event is made. */
  readonly notices: string;
}

/** What each Event tells. Which there are, and of which type, is read from the source. */
const eventMeanings: Readonly<Record<string, string>> = {
  IdentityCreated: "The identity Secret was made. [Back it up](day-two.md#back-up-the-identity) now.",
  ChainLockTaken: "No other cluster of this operator may run this chain with this signer.",
  Bootstrapped: "All members were prepared with one membership and may start. This happens once.",
  LeaderElected: "Another member leads than was told before.",
  RolloutStarted: "A change of the spec is taken to the members. See [rollouts](rollouts.md).",
  RolloutCompleted: "Every member runs the change.",
  RolloutReverted:
    "As a warning: the change is taken back, and the note says why. As a normal Event: every member runs what it ran before.",
  MemberRestarted: "ev-node, or another container of the member, is restarted in its pod.",
  MemberReplaced: "The member's pod is evicted or deleted, and made anew. The note says why.",
  MemberRebuilt: "A member that lost something is rebuilt from the others. See [repair](repair.md).",
  ApprovalUsed: "The rebuild that was approved is done, and the approval was taken away.",
  ApprovalRemoved: "An approval named a member that has lost nothing, or none at all, and was taken away.",
  RequestDone: "An annotation that asked for something was carried out or refused, and was removed.",
  DrillStarted: "A [failover drill](rollouts.md#a-failover-drill) begins.",
  DrillSucceeded: "The leader stepped down, another one leads, and the old one takes part again.",
  DrillRefused: "The drill was not begun, and no member was touched. The note says why.",
  DrillFailed: "No member was seen to take the lead in time.",
  Suspended: "All members are stopped in one step. See [suspend and resume](suspend.md).",
  Resumed: "The members of a suspended cluster start again.",
  MembershipChanging:
    "A change of the number of members begins, as its owner approved. See [another number of members](membership.md).",
  ChainStopped: "All members stop making blocks, and level, for another number of members.",
  MembershipDecided: "The next epoch goes on with the chain; nothing of the one before can start any more.",
  MembershipChanged:
    "Every member of the new number takes part. The note says for how long no block was made.",
  MembershipTakenBack:
    "A change of the number of members did not come to its end in time, and the old ones go on.",
  Restored: "Somebody changed or deleted an object of the cluster, and it was put back.",
  Removed: "An object was deleted: the spec switched it off, or the cluster is being deleted.",
  VolumesRetained: "The cluster was deleted. The note names the claims and the Secret that are kept.",
};

/** The text of docs/conditions.md: every condition, reason and Event, and where the runbook treats it. */
export function conditionsPage({ runbook, notices }: ConditionSources): string {
  const linkOf = linker(runbook);
  return [
    `<!-- ${GENERATED.replace("src/api", "src/api/conditions.ts and src/plan/notices.ts")} -->`,
    "# Conditions and Events",
    ...INTRODUCTION,
    "## Conditions",
    table(
      ["Condition", "Says", "Well"],
      conditionMeanings.map(({ type, meaning }) => [
        `[${type}](#${type.toLowerCase()})`,
        meaning,
        wellStatus(type),
      ]),
    ),
    "Within one condition a reason always comes with the same status. Each reason is linked to its section of the [runbook](runbook.md).",
    ...conditionMeanings.flatMap(({ type, meaning, reasons }) => [
      `### ${type}`,
      meaning,
      table(
        ["Reason", "Status", "Meaning"],
        reasons.map(({ reason, status, meaning: text }) => [linkOf(reason), status, text]),
      ),
    ]),
    "## Events",
    ...eventsIntroduction(announcedIn(notices)),
    table(["Reason", "Type", "Means"], eventRows(notices)),
  ]
    .join("\n\n")
    .concat("\n");
}

const INTRODUCTION: readonly string[] = [
  "`kubectl describe evnodecluster NAME` shows both. Conditions say how a cluster is now; Events say what happened to it.",
  "`Ready`, `Reconciling` and `Stalled` follow kstatus, which Flux and the `--wait` of Helm 4 go by. The other conditions say what these three rest on. Programs should go by type, status and reason: they are an interface. Messages are for people, and may change with any version.",
  [
    "```sh",
    "kubectl wait --for=condition=Ready --timeout=10m evnodecluster/my-chain",
    "kubectl get evnodecluster my-chain \\",
    `  --output jsonpath='{range .status.conditions[*]}{.type}{"\\t"}{.status}{"\\t"}{.reason}{"\\n"}{end}'`,
    "kubectl evnode why my-chain",
    "```",
  ].join("\n"),
  [
    "- `observedGeneration` is the generation of the spec that was looked at; in the status it is -1 before the first look. While it is lower than `metadata.generation`, a condition is about the spec before.",
    "- `lastTransitionTime` is when the status turned. A new reason with the same status keeps the time.",
    "- `Unknown` is not `False`. Members that do not answer the operator are not taken for dead; see [QuorumUnknown](runbook.md#quorumunknown).",
    "- Messages hold nothing that moves by itself, so a quiet cluster causes no writes.",
  ].join("\n"),
];

function wellStatus(type: string): string {
  return type === "Reconciling" || type === "Stalled" ? "False" : "True";
}

/** A reason without a section of its own stands in the runbook's table of what is well. */
function linker(runbook: string): (reason: string) => string {
  const sections = new Set([...runbook.matchAll(/^### (\w+)$/gm)].map(([, reason]) => reason));
  return (reason) => {
    const anchor = sections.has(reason) ? reason.toLowerCase() : "all-is-well";
    return `[${reason}](runbook.md#${anchor})`;
  };
}

function eventsIntroduction(announced: readonly string[]): readonly string[] {
  return [
    "```sh\nkubectl events --for evnodecluster/my-chain\n```",
    "Events stand on the EvNodeCluster; those about a restart or a removal of a pod stand on that pod, too. They are `events.k8s.io/v1` of the controller `evnode.dev/evnode-operator`. Kubernetes forgets them after an hour unless it is told otherwise. An Event that cannot be written is lost: never build anything on Events that a condition can tell.",
    `A turn of ${announced.map(code).join(" or ")} is an Event as well, with the condition's reason and message: a \`Warning\` when \`Ready\` ceases to be true or \`Stalled\` has a new reason, \`Normal\` when \`Ready\` becomes true. During a rollout, and of a suspended cluster, turns of \`Ready\` are not told.`,
    "A cluster may tell sixty Events at once and six a minute in the long run; what is beyond that is dropped, and the operator's log says so.",
  ];
}

/** Types of the conditions whose turns are told, as the source has them. */
function announcedIn(notices: string): readonly string[] {
  const [, list = ""] = /^const announced = new Set\(\[(.*)\]\);$/m.exec(notices) ?? [];
  const types = [...list.matchAll(/"(\w+)"/g)].map(([, type = ""]) => type);
  if (types.length === 0) throw new Error("src/plan/notices.ts does not say which conditions it announces");
  return types;
}

function eventRows(notices: string): readonly (readonly string[])[] {
  const types = new Map<string, Set<string>>();
  for (const [, make = "", reason = ""] of notices.matchAll(/\b(normal|warning)\(\s*"(\w+)"/g))
    types.set(reason, (types.get(reason) ?? new Set()).add(make === "normal" ? "Normal" : "Warning"));
  const unexplained = [...types.keys()].filter((reason) => eventMeanings[reason] === undefined);
  const gone = Object.keys(eventMeanings).filter((reason) => !types.has(reason));
  if (unexplained.length > 0) throw new Error(`Events without a meaning here: ${unexplained.join(", ")}`);
  if (gone.length > 0) throw new Error(`Events that nobody tells any more: ${gone.join(", ")}`);
  return Object.entries(eventMeanings).map(([reason, meaning]) => [
    code(reason),
    [...(types.get(reason) ?? [])].sort().join(", "),
    meaning,
  ]);
}
