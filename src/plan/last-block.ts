import { answerOf, type Member } from "../model/member.ts";

/** The last block of a member; undefined while it tells another height than that of the block. */
export function headOf(
  member: Member | undefined,
): { readonly height: number; readonly hash: string } | undefined {
  const node = member && answerOf(member)?.node;
  return node?.kind === "open" && node.head?.height === node.height ? node.head : undefined;
}

/** Why members do not all hold the same last block, as far as they tell; undefined when they do. */
export function inequalityOf(members: readonly Member[]): string | undefined {
  const [first] = members;
  const mute = members.find((member) => headOf(member) === undefined);
  if (mute) return `${mute.name} does not tell its last block`;
  const other = members.find((member) => headOf(member)?.height !== headOf(first)?.height);
  if (other) return `${other.name} and ${first?.name} do not hold the same height`;
  const differs = members.find((member) => headOf(member)?.hash !== headOf(first)?.hash);
  return differs && `${differs.name} and ${first?.name} hold different blocks at one height`;
}
