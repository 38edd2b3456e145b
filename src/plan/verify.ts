import type { Blocker } from "../api/conditions.ts";
import { namespaceHex } from "../evnode/da-namespace.ts";
import type { AgentAnswer } from "../model/agent-protocol.ts";
import { votersDigest } from "../model/fingerprints.ts";
import { type Identity, isBootstrapped } from "../model/identity.ts";
import type { Member } from "../model/member.ts";
import { remembered } from "../model/remembered.ts";
import { intentsOf } from "./intent.ts";
import { votersOf } from "./orders.ts";
import { ownAnswer } from "./own-volume.ts";
import type { Snapshot } from "./snapshot.ts";

/**
 * What a member is proven to be, and what another one of it endangers. What is not told is unknown, and no difference.
 *
 * | of the member | expected | where it differs |
 * | --- | --- | --- |
 * | genesis that ev-node reads | that of the identity | two chains under one signer: `IdentityDiffers`, nothing is touched any more |
 * | membership in its raft state | that of the identity's epoch | two majorities: `IdentityDiffers`, nothing is touched any more |
 * | peer id | that of its node key | the others do not find it: `MemberDiffers`, and a restart may help |
 * | DA namespace, of a member that runs the current config | that of the config | its blocks go elsewhere: `MemberDiffers`, and a restart may help |
 */
interface Difference {
  readonly member: string;
  readonly what: "genesis" | "raft membership" | "peer id" | "DA namespace";
  readonly expected: string;
  readonly found: string;
}

/** With any of these, whatever is done next may fork the chain. */
const endangersChain = new Set<Difference["what"]>(["genesis", "raft membership"]);

export function identityBlockers(snapshot: Snapshot): Blocker[] {
  const found = differencesOf(snapshot).filter(({ what }) => endangersChain.has(what));
  if (found.length === 0) return [];
  const message = `${inWords(found)}. Nothing is changed any more: keep all volumes and the identity Secret as they are.`;
  return [{ type: "ChainSafe", reason: "IdentityDiffers", message }];
}

/** What is wrong with members and endangers no chain, in words. */
export function memberDifferences(snapshot: Snapshot): string | undefined {
  const found = differencesOf(snapshot).filter(({ what }) => !endangersChain.has(what));
  return found.length === 0 ? undefined : `${inWords(found)}.`;
}

/** The guard and the status ask for it, of one snapshot. */
const differencesOf = remembered((snapshot: Snapshot): readonly Difference[] => {
  if (snapshot.identity.kind !== "present") return [];
  const { identity } = snapshot.identity;
  const voters = expectedVoters(snapshot, identity);
  return snapshot.members.flatMap((member) => {
    const answer = member.pod?.terminating ? undefined : ownAnswer(member, identity);
    if (!answer) return [];
    return [
      ...differs(member, "genesis", identity.genesisDigest, answer.fingerprints?.genesis),
      ...(isOnItsWay(answer, identity)
        ? []
        : differs(member, "raft membership", voters, answer.fingerprints?.voters)),
      ...nodeDifferences(member, answer, snapshot, identity),
    ];
  });
});

/** From one membership to the next: what it was prepared with is that of the epoch before. */
const isOnItsWay = ({ volume }: AgentAnswer, { epoch }: Identity) =>
  volume.kind === "intact" && (volume.epoch !== epoch || volume.change !== undefined);

/** Written once for each epoch, and the members were bootstrapped with it. */
function expectedVoters(snapshot: Snapshot, identity: Identity): string | undefined {
  const voters = isBootstrapped(identity) ? votersOf(snapshot, identity) : undefined;
  return voters && votersDigest(voters);
}

function nodeDifferences(
  member: Member,
  { node, configRevision }: AgentAnswer,
  snapshot: Snapshot,
  identity: Identity,
): Difference[] {
  if (node.kind !== "open") return [];
  const current = intentsOf(snapshot, identity)?.current;
  // While a config is on its way to it, a member has the namespace of the one before.
  const isCurrent = configRevision === current?.configRevision && member.pod?.update === undefined;
  const namespace = current && isCurrent ? namespaceHex(current.spec.da.namespace) : undefined;
  return [
    ...differs(member, "peer id", identity.peerIds[member.ordinal], node.peerId),
    ...differs(member, "DA namespace", namespace, node.daNamespace),
  ];
}

function differs(
  { name }: Member,
  what: Difference["what"],
  expected: string | undefined,
  found: string | undefined,
): Difference[] {
  if (expected === undefined || found === undefined || expected === found) return [];
  return [{ member: name, what, expected, found }];
}

const SHOWN = 64;

function inWords(found: readonly Difference[]): string {
  const each = found.map(({ member, what, expected, found: is }) => {
    return `the ${what} of ${member} is ${is.slice(0, SHOWN)}, expected ${expected}`;
  });
  const text = each.join("; ");
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}
