import { describe, expect, it } from "vitest";
import { conditionMeanings } from "../../src/api/conditions.ts";
import type { EvNodeCluster, Status } from "../../src/api/evnodecluster.ts";
import { plain } from "../../src/cli/paint.ts";
import { approvableMembers, type Verdict, whyOf } from "../../src/cli/why.ts";
import { whyText } from "../../src/cli/why-text.ts";
import { annotations } from "../../src/model/annotations.ts";
import { waits } from "../../src/plan/migration-view.ts";
import { cluster, NOW_MS } from "../builders.ts";
import { MemoryApi } from "../fake/memory-api.ts";
import { run } from "./plugin-run.ts";
import { condition, wellStatus, withCondition } from "./statuses.ts";

const stalled = condition("Stalled", "True", "VolumeLost", "A volume is gone.");
const approveCommand = `kubectl annotate --overwrite -n rollup evnodeclusters/seq ${annotations.approveRejoin}=seq-1`;
const lost = condition(
  "VolumesReady",
  "False",
  "VolumeLost",
  `seq-1 has lost its data. To rebuild it: ${approveCommand}`,
);
const plan = condition("RolloutComplete", "False", "PlanAwaitsApproval", "It waits for its approval.");

const membership = (reason: string, message: string) =>
  condition("MembershipComplete", "False", reason, message);
const { membership: migrating } = waits(
  "all members follow it closely. Stop its process for good, so that nothing starts it again, and then set spec.migration.oldSequencer to Stopped",
);
const allFollowClosely = migrating?.message ?? "";

interface Row {
  readonly name: string;
  readonly spec?: Partial<EvNodeCluster["spec"]>;
  readonly status?: Status;
  readonly notes?: Readonly<Record<string, string>>;
  readonly verdict: Verdict;
  readonly rule?: string;
  readonly ruleVerdict?: Verdict;
  readonly next?: string;
  readonly code: number;
}

const rows: readonly Row[] = [
  { name: "nothing to do", status: wellStatus, verdict: "passed", code: 0 },
  { name: "nobody has looked", verdict: "unknown", rule: "look", ruleVerdict: "unknown", code: 4 },
  {
    name: "nobody has looked, and the API server fills in a generation",
    status: { observedGeneration: -1 },
    verdict: "unknown",
    rule: "look",
    ruleVerdict: "unknown",
    next: "Does it run? kubectl get deployments --all-namespaces --selector app.kubernetes.io/name=evnode-operator",
    code: 4,
  },
  {
    name: "the spec was changed since",
    status: { ...wellStatus, observedGeneration: 0 },
    verdict: "unknown",
    rule: "look",
    ruleVerdict: "unknown",
    code: 4,
  },
  {
    name: "a member is lost, and its owner is asked",
    status: withCondition(lost, stalled),
    verdict: "asksYou",
    rule: "bootstrap and repair",
    ruleVerdict: "asksYou",
    next: "kubectl evnode approve seq --namespace rollup --member seq-1",
    code: 3,
  },
  {
    name: "a member is being rebuilt",
    status: withCondition(condition("VolumesReady", "False", "MemberRebuilding", "It is rebuilt.")),
    verdict: "waits",
    rule: "bootstrap and repair",
    ruleVerdict: "waits",
    next: "docs/runbook.md#memberrebuilding",
    code: 0,
  },
  {
    name: "a plan waits",
    status: { ...withCondition(plan), rollout: { planHash: "0a1b2c3d4e" } },
    verdict: "asksYou",
    rule: "rollout",
    ruleVerdict: "asksYou",
    next: "kubectl evnode approve seq --namespace rollup --plan 0a1b2c3d4e",
    code: 3,
  },
  {
    name: "a rollout waits for a member",
    status: withCondition(
      condition("RolloutComplete", "False", "RolloutWaiting", "seq-1 is behind."),
      condition("Reconciling", "True", "RollingOut", "A change is taken to the members."),
    ),
    verdict: "atWork",
    rule: "rollout",
    ruleVerdict: "waits",
    code: 0,
  },
  {
    name: "a change of the number of members waits for its approval",
    status: withCondition(membership("MembershipAwaitsApproval", "It waits for its approval.")),
    spec: { replicas: 5 },
    verdict: "asksYou",
    rule: "membership",
    ruleVerdict: "asksYou",
    next: "kubectl evnode resize seq --namespace rollup --replicas 5",
    code: 3,
  },
  {
    name: "new members join",
    status: withCondition(membership("MembersJoining", "seq-3 does not follow closely yet.")),
    verdict: "atWork",
    rule: "membership",
    ruleVerdict: "atWork",
    next: "docs/runbook.md#membersjoining",
    code: 0,
  },
  {
    name: "members get the chain of a sequencer outside",
    status: withCondition(membership("Migrating", "The members follow it: seq-1 is far behind it.")),
    verdict: "waits",
    rule: "membership",
    ruleVerdict: "waits",
    next: "docs/runbook.md#migrating",
    code: 0,
  },
  {
    name: "a sequencer outside has to be stopped",
    status: withCondition(membership("Migrating", allFollowClosely)),
    verdict: "asksYou",
    rule: "membership",
    ruleVerdict: "asksYou",
    next: "docs/runbook.md#migrating",
    code: 3,
  },
  {
    name: "the chain has forked",
    status: withCondition(condition("ChainSafe", "False", "HashesDiffer", "A fork.")),
    verdict: "asksYou",
    rule: "guard: chain",
    ruleVerdict: "asksYou",
    next: "docs/runbook.md#hashesdiffer",
    code: 3,
  },
  {
    // Which blocks are given up is thought about first.
    name: "the chain has forked, and an approval would have a member rebuilt",
    status: withCondition(condition("ChainSafe", "False", "HashesDiffer", `A fork. ${approveCommand}`)),
    verdict: "asksYou",
    rule: "guard: chain",
    ruleVerdict: "asksYou",
    next: "docs/runbook.md#hashesdiffer",
    code: 3,
  },
  {
    name: "nobody knows whether the chain has forked",
    status: withCondition(condition("ChainSafe", "Unknown", "HeightsUnknown", "None was compared.")),
    verdict: "passed",
    rule: "guard: chain",
    ruleVerdict: "unknown",
    code: 0,
  },
  {
    name: "a drill is asked for",
    status: wellStatus,
    notes: { [annotations.drill]: "monday" },
    verdict: "waits",
    rule: "drill",
    ruleVerdict: "waits",
    code: 0,
  },
  {
    name: "a drill is under way",
    status: { ...wellStatus, lastDrill: { result: "UnderWay", request: "monday", from: "seq-0" } },
    verdict: "atWork",
    rule: "drill",
    ruleVerdict: "atWork",
    code: 0,
  },
  {
    name: "a restart of a member is asked for",
    status: wellStatus,
    notes: { [annotations.restartMember]: "seq-2" },
    verdict: "waits",
    rule: "request",
    ruleVerdict: "waits",
    code: 0,
  },
];

describe("why", () => {
  it.each(rows)("$name", async ({ status, notes, spec, verdict, rule, ruleVerdict, next, code }) => {
    const object = cluster({
      ...(spec && { spec }),
      ...(status && { status }),
      ...(notes && { metadata: { annotations: notes } }),
    });
    const found = whyOf(object);
    expect(found.verdict).toBe(verdict);
    const named = found.rules.find((one) => one.rule === rule);
    const { verdict: ofRule, next: told } = named ?? {};
    expect({ ofRule, next: next && told }).toEqual({ ofRule: ruleVerdict, next });
    const api = new MemoryApi();
    api.put(object);
    expect((await run(["why", "seq"], { api })).code).toBe(code);
  });

  it("says that a cluster is being deleted", () => {
    const metadata = { deletionTimestamp: new Date(NOW_MS).toISOString() };
    const { rules } = whyOf(cluster({ metadata, status: wellStatus }));
    expect(rules.find(({ rule }) => rule === "deletion")?.verdict).toBe("atWork");
  });

  it.each([
    ["rollout", "RolloutComplete"],
    ["membership", "MembershipComplete"],
  ])("has a verdict of its own for every reason of a %s", (rule, asked) => {
    const reasons = conditionMeanings.find(({ type }) => type === asked)?.reasons ?? [];
    expect(reasons).not.toEqual([]);
    const unknown = reasons.filter(({ reason, status: held }) => {
      const status = withCondition(condition(asked, held, reason, "So it is."));
      const { rules } = whyOf(cluster({ status }));
      return rules.find((one) => one.rule === rule)?.verdict === "unknown";
    });
    expect(unknown).toEqual([]);
  });

  it("is a page of lines", () => {
    const status = withCondition(lost, stalled);
    expect(whyText(whyOf(cluster({ status })), plain)).toEqual([
      "rollup/seq: the operator needs you. A volume is gone.",
      "",
      "Rule by rule, as the operator told it last:",
      "  look                   passed      The operator has looked at the spec as it is.",
      "  guard: spec            passed      The spec is accepted.",
      "  guard: chain           passed      Members hold equal blocks.",
      "  membership             passed      The cluster has 3 members.",
      `  bootstrap and repair   needs you   ${lost.message}`,
      "  paths                  passed      Every member reaches every other one.",
      "  leader                 passed      seq-0 leads.",
      "  quorum                 passed      A majority remains without any one member.",
      "  in sync                passed      Every member follows the chain.",
      "  rollout                passed      Every member runs the spec.",
      "  drill                  passed      No drill is asked for.",
      "",
      "Next:",
      "  kubectl evnode approve seq --namespace rollup --member seq-1",
    ]);
  });
});

it.each<[string, Status, readonly string[]]>([
  ["nobody", wellStatus, []],
  ["a lost member", withCondition(lost), ["seq-1"]],
  [
    "one that differs",
    withCondition(condition("ChainSafe", "False", "HashesDiffer", `A fork. ${approveCommand}`)),
    ["seq-1"],
  ],
  [
    "one that did",
    withCondition(condition("ChainSafe", "True", "NoForkSeen", `It was: ${approveCommand}`)),
    [],
  ],
])("an approval would have rebuilt %s", (_, status, expected) => {
  expect(approvableMembers(cluster({ status }))).toEqual(expected);
});
