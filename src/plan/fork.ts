import { answerOf, type Member } from "../model/member.ts";

export interface Head {
  readonly name: string;
  readonly height: number;
  readonly hash: string;
}

/** The last block of every member that tells it. */
export function headsOf(members: readonly Member[]): Head[] {
  return members.flatMap((member) => {
    const node = answerOf(member)?.node;
    return node?.kind === "open" && node.head
      ? [{ name: member.name, height: node.head.height, hash: node.head.hash }]
      : [];
  });
}

/** Two members that hold different blocks at one height, in words; undefined when no two were seen. */
export function forkOf(members: readonly Member[]): string | undefined {
  const heads = headsOf(members);
  for (const head of heads) {
    const other = heads.find(({ height, hash }) => height === head.height && hash !== head.hash);
    if (!other) continue;
    return `At height ${head.height}, ${head.name} holds block ${head.hash} and ${other.name} holds ${other.hash}. Stop sending transactions and keep all volumes.`;
  }
  return undefined;
}
