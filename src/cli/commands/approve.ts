import type { EvNodeCluster } from "../../api/evnodecluster.ts";
import { annotations } from "../../model/annotations.ts";
import { annotate } from "../annotate.ts";
import { clustersName } from "../called.ts";
import { getCluster } from "../clusters.ts";
import { type Command, isSet, textFlag } from "../command.ts";
import { confirm } from "../confirm.ts";
import { exitCodes } from "../exit-code.ts";
import { Failure } from "../failure.ts";
import { conditionOf } from "../health.ts";
import { awaitedHash, planText } from "../plan-text.ts";
import { approvableMembers } from "../why.ts";
import { nameIn, oneCluster, yesOption } from "./named.ts";

export const approve: Command = {
  path: "approve",
  summary: "Approve the plan of a rollout, or the rebuild of a lost member.",
  details: `Sets the annotation ${annotations.approveRollout} or ${annotations.approveRejoin}: see docs/rollouts.md and
docs/repair.md. A plan is about one change: another edit of the spec is another plan with another hash. Without --plan
and --member it is what waits, when that is one thing; it is shown, and you are asked.

Exit code 3 when nothing of the kind waits.`,
  argument: oneCluster,
  options: {
    plan: { type: "string", value: "HASH", help: "The plan with this hash, and no other one." },
    member: { type: "string", value: "MEMBER", help: "The rebuild of this lost member." },
    yes: yesOption,
  },
  examples: [
    "kubectl evnode approve my-chain",
    "kubectl evnode approve my-chain --plan 0a1b2c3d4e",
    "kubectl evnode approve my-chain --member my-chain-1",
  ],
  async run(session, input) {
    const { terminal } = session;
    const [hash, member] = [textFlag(input, "plan"), textFlag(input, "member")];
    if (hash !== undefined && member !== undefined)
      throw new Failure(exitCodes.usage, "--plan and --member are two approvals: give one after the other");
    const connection = await session.connect();
    const name = nameIn(input);
    const cluster = await getCluster(connection, name);
    const approval = approvalFor(cluster, hash, member);
    if (hash === undefined && member === undefined) {
      terminal.tell(
        approval.kind === "plan" ? planText(cluster, terminal.paint).join("\n") : lossOf(cluster, approval),
      );
      await confirm(terminal, `Approve ${wordsOf(approval)}?`, isSet(input, "yes"));
    }
    await annotate(connection, name, (now) => {
      const { kind, value } = approval;
      approvalFor(now, kind === "plan" ? value : undefined, kind === "member" ? value : undefined);
      return { [kind === "plan" ? annotations.approveRollout : annotations.approveRejoin]: value };
    });
    terminal.print(
      `${name}: ${wordsOf(approval)} is approved. kubectl evnode status ${clustersName(cluster)} --watch`,
    );
    return exitCodes.well;
  },
};

interface Approval {
  readonly kind: "plan" | "member";
  readonly value: string;
}

const wordsOf = ({ kind, value }: Approval) =>
  kind === "plan" ? `plan ${value}` : `the rebuild of ${value}`;
/** What is wrong with the member, by the condition that asks for the approval. */
function lossOf(cluster: EvNodeCluster, { value }: Approval): string {
  const messages = (["VolumesReady", "ChainSafe"] as const).map(
    (type) => conditionOf(cluster, type)?.message,
  );
  return messages.find((message) => message?.includes(`=${value}`)) ?? messages[0] ?? "";
}

/**
 * | asked for | what waits | then |
 * | --- | --- | --- |
 * | a plan | the same | approve it |
 * | a plan | another one, or none | refuse |
 * | a member | it, among others | approve it |
 * | a member | not it | refuse: the operator would take the approval away, or use it for a later loss |
 * | whatever waits | one plan or one member | that |
 * | whatever waits | nothing, or several | refuse |
 */
function approvalFor(cluster: EvNodeCluster, hash: string | undefined, member: string | undefined): Approval {
  const plan = awaitedHash(cluster);
  const lost = approvableMembers(cluster);
  const waiting: readonly Approval[] = [
    ...(plan === undefined ? [] : [{ kind: "plan" as const, value: plan }]),
    ...lost.map((value) => ({ kind: "member" as const, value })),
  ];
  const asked = waiting.filter(({ kind, value }) => {
    if (hash !== undefined) return kind === "plan" && value === hash;
    return member === undefined || (kind === "member" && value === member);
  });
  const [only] = asked;
  if (only !== undefined && asked.length === 1) return only;
  throw new Failure(exitCodes.notWell, refusal(hash, member, waiting), nextFor(cluster, waiting));
}

function refusal(hash: string | undefined, member: string | undefined, waiting: readonly Approval[]): string {
  if (hash !== undefined) return `no plan ${hash} waits for an approval`;
  if (member !== undefined) return `the rebuild of ${member} does not wait for an approval`;
  return waiting.length === 0 ? "nothing waits for an approval" : "several things wait for an approval";
}

function nextFor(cluster: EvNodeCluster, waiting: readonly Approval[]): string {
  if (waiting.length === 0) return `What it does instead: kubectl evnode why ${clustersName(cluster)}`;
  return waiting
    .map(({ kind, value }) => `kubectl evnode approve ${clustersName(cluster)} --${kind} ${value}`)
    .join("\n");
}
